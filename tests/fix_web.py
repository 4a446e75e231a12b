"""Fixtures for the search page: a database with a few chunks and all that pages show, and a client for the pages."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from fix_database import Connection, Database, new_database
from fix_sidecar import open_directory
from pgduet.database.reading import Readers
from pgduet.local.cluster import Cluster
from pgduet.web.app import make_app
from stub_sidecar import StubSidecar

BACKOFF = """def call_again(send, times):
    '''Send a request again when it fails.'''
    for attempt in range(times):
        try:
            return send()
        except ConnectionError:
            time.sleep(2 ** attempt)
"""
HOSTILE = "<script>alert('stored')</script>\n// \"quoted\" & 'more' </code></pre><img src=x onerror=alert(1)>"
CHUNKS = (
    ("shop", "web/retry.py", "call_again", "function", "python", BACKOFF),
    ("shop", "web/evil.js", "<b>bold</b>", "function", "javascript", HOSTILE),
    (
        "shop",
        "geo/distance.go",
        "Between",
        "function",
        "go",
        "func Between(a, b float64) float64 {\n\treturn b - a\n}\n",
    ),
    ("tools", "long.txt", None, "block", "klingon", "\n".join(f"line {number}" for number in range(60))),
    ("tools", "src/cache.rs", "Cache::get", "method", "rust", "fn get(&self, key: &str) -> Option<&Entry> { None }"),
)
ADD = (
    "INSERT INTO pgduet.code_chunks (repo, path, symbol, kind, language, content, start_line, end_line)"
    " VALUES (%s, %s, %s, %s, %s, %s, 1, 9)"
)
# The columns that the map's view has; what computes them takes no part here.
MAP = """
DROP VIEW IF EXISTS pgduet.code_map CASCADE;
CREATE VIEW pgduet.code_map AS
SELECT c.chunk_id, c.repo, c.path, c.symbol, c.kind, c.language, cos(c.chunk_id)::float8 AS x,
  sin(c.chunk_id)::float8 AS y, (c.chunk_id % 3)::integer AS cluster, g.name AS generation, now() AS computed_at
FROM pgduet.code_chunks c JOIN pgduet.generations g ON g.state = 'active';
GRANT SELECT ON pgduet.code_map TO pgduet_reader
"""
RUNS = """
INSERT INTO pgduet.finetune_runs (name, state, status, requested_by, options, gate, step, steps, loss)
SELECT 'run-' || n, 'done', 'judged', 'ada', '{}', jsonb_build_object('metric', 'ndcg@10', 'questions', 200,
  'before', 0.6 + n / 100.0, 'after', 0.61 + n / 50.0, 'ci_low', n / 100.0 - 0.005, 'ci_high', n / 100.0 + 0.025,
  'passed', n > 1), 100, 100, 0.2
FROM generate_series(1, 3) n
"""
# The third is at its first step; the second was never checked.
STEPS = """
INSERT INTO pgduet.finetune_steps (run_id, step, loss, learning_rate, dev_score)
SELECT r.run_id, s, 0.3 + 2.0 / (s + 4) + 0.06 * sin(1.7 * s), 5e-5,
  CASE WHEN r.name = 'run-1' AND s % 10 = 0 THEN 0.6 + s / 1000.0 - abs(s - 70) / 2000.0 END
FROM pgduet.finetune_runs r, generate_series(1, CASE r.name WHEN 'run-3' THEN 1 ELSE 100 END) s
"""
FAILED = """
INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)
SELECT c.chunk_id, 1, c.content_hash, 'row_permanent', 'the model failed on <this> text', 8
FROM pgduet.code_chunks c WHERE c.path = 'long.txt'
"""


def fill(session: Connection) -> None:
    """Store the chunks; their vectors come inside the statements."""
    session.cursor().executemany(ADD, CHUNKS)


@contextmanager
def client_of(database: Database, role: str = "pgduet_reader", seconds: float = 10.0) -> Iterator[TestClient]:
    """Give a client of the page, which raises nothing that the page should have answered."""
    readers = Readers(database.conninfo, role=role, seconds=seconds, size=2)
    app = make_app(readers)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def page(cluster: Cluster, template: str) -> Iterator[TestClient]:
    """Give a client of the page over a database with chunks and vectors of a stub; tests leave it as it is."""
    with (
        open_directory() as directory,
        StubSidecar(f"unix:{directory}/stub.sock") as stub,
        new_database(cluster, template) as database,
    ):
        database.set("sidecar_address", stub.address)
        with database.connect() as session:
            fill(session)
        with client_of(database) as client:
            yield client
