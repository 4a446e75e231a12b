"""Cases of group A: NULL, blank and giant text; the same vector on every path; the right side of the model."""

import time
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_database import Database
from fix_sidecar import Sidecar
from fix_worker import running_worker, wait_until
from pgduet.client import EmbeddingClient

BLANKS = [None, "", " \t\r\n ", "\ufeff"]


def test_c01_null_empty_and_blank_code_beside_good_rows(any_mode: Case, folder: Path) -> None:
    case = any_mode
    with running_worker(case.database, folder):
        for base in (0, 100):
            code = f"def f(x): return x + {base}"
            values = [(base + number, text) for number, text in enumerate([*BLANKS, code], 1)]
            case.reset()
            case.run(
                "INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT * FROM unnest(%s::bigint[], %s::text[])",
                [number for number, _ in values],
                [text for _, text in values],
            )
            case.settle(60)
            assert case.same(base + 5, code)
            assert case.texts() == {code: 1}
            states = case.run(
                "SELECT state, reason FROM pgduet.chunk_status WHERE chunk_id BETWEEN %s AND %s ORDER BY chunk_id",
                base + 1,
                base + 4,
            )
            assert states == [("skipped", "the content is NULL"), *[("skipped", "the content is blank")] * 3]
            case.run("UPDATE pgduet.code_chunks SET content = NULL WHERE chunk_id = %s", base + 5)
            case.settle(60)
            assert case.vector(base + 5) is None
            assert case.run("SELECT * FROM pgduet.similar_code('anything')") == []
        assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings") == 0
        case.reset()
        assert case.scalar("SELECT pgduet.embed(NULL)") is None
        assert case.rpc() == 0
        for _ in range(2):
            for query in ("SELECT pgduet.embed('')", "SELECT * FROM pgduet.similar_code('   ')"):
                with pytest.raises(psycopg.errors.InvalidParameterValue):
                    case.run(query)


def test_c03_giant_texts_end_with_a_mark_and_delay_no_other(
    live_database: Database, sidecar: Sidecar, folder: Path
) -> None:
    live_database.set("trigger_mode", "queue")
    memory = peak_mb(sidecar.pid)
    with live_database.connect() as session, running_worker(live_database, folder):
        session.execute(
            "INSERT INTO pgduet.code_chunks (chunk_id, content)"
            " SELECT 10, repeat('int a = 1; ', 12000) || 'void alpha(){}' UNION ALL"
            " SELECT 11, repeat('int a = 1; ', 12000) || 'void omega(){ launch(); }' UNION ALL"
            " SELECT 12, 'var ' || string_agg('x'||g||'='||g, ',') FROM generate_series(1,70000) g UNION ALL"
            " SELECT 13, 'def small(): return 3'"
        )
        states = "SELECT chunk_id, state, truncated, code_tokens > 20000, reason ~ '[0-9]+ tokens'"
        query = f"{states} FROM pgduet.chunk_status ORDER BY chunk_id"
        wait_until(lambda: all(row[1] == "embedded" for row in session.execute(query)), 120)
        marked = ("embedded", True, True, True)
        assert session.execute(query).fetchall() == [
            (10, *marked),
            (11, *marked),
            (12, *marked),
            (13, "embedded", False, False, None),
        ]
        started = time.monotonic()
        session.execute("SELECT pgduet.embed('ping')")
        assert time.monotonic() - started < 5
    assert peak_mb(sidecar.pid) - memory < 1000


def peak_mb(pid: int) -> int:
    """Give the most memory that a process ever had, in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


@pytest.mark.parametrize("limit", [256, 512])
def test_c03_around_the_limit_different_texts_have_different_vectors(
    live_database: Database, sidecar: Sidecar, limit: int
) -> None:
    pairs = [(f"{'a b ' * 300}"[: 2 * words - 1], f"{'c d ' * 300}"[: 2 * words - 1]) for words in _around(limit)]
    with EmbeddingClient(sidecar.address) as client, live_database.connect() as session:
        tokens = [client.embed("small", list(pair)).results[0].code_tokens for pair in pairs]
        assert tokens == list(range(limit - 2, limit + 3))
        for pair in pairs:
            distance = session.execute("SELECT pgduet.embed(%s) OPERATOR(public.<=>) pgduet.embed(%s)", pair).fetchone()
            assert distance is not None
            assert distance[0] > 0.001


def _around(limit: int) -> range:
    """Give the numbers of one-letter words that make limit-2 .. limit+2 tokens, with the two markers."""
    return range(limit - 4, limit + 1)


def test_c05_a_vector_does_not_depend_on_the_batch_it_travelled_in(live_database: Database, folder: Path) -> None:
    live_database.set("trigger_mode", "queue")
    # A space at the end keeps a text out of the sidecar's cache, and no token changes by it.
    load = (
        "INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT n, t || %(space)s FROM ("
        " SELECT 100 + g AS n, repeat('x = x + '||g||E'\n', 1 + g*6) AS t FROM generate_series(1,12) g"
        " UNION ALL SELECT 200, %(add)s UNION ALL SELECT 201, %(add)s) s ORDER BY {order}"
    )
    add = "def add(a,b): return a+b  # c05"
    done = "SELECT count(*) FROM pgduet.code_embeddings"
    with live_database.connect() as session, running_worker(live_database, folder, "--concurrency", "1"):
        session.execute("CREATE TEMP TABLE lone AS SELECT pgduet.embed(%s) AS embedding", (f"{add}  ",))
        session.execute(load.format(order="n"), {"add": add, "space": ""})
        wait_until(lambda: session.execute(done).fetchone() == (14,), 120)
        session.execute("CREATE TEMP TABLE before AS SELECT chunk_id, embedding FROM pgduet.code_embeddings")
        session.execute("DELETE FROM pgduet.code_chunks")
        wait_until(lambda: session.execute(done).fetchone() == (0,), 60)
        session.execute(load.format(order="md5(n::text)"), {"add": add, "space": " "})
        wait_until(lambda: session.execute(done).fetchone() == (14,), 120)
        shuffled = session.execute(
            "SELECT max(e.embedding <=> b.embedding), count(*)"
            " FROM pgduet.code_embeddings e JOIN before b USING (chunk_id)"
        ).fetchone()
        alone = session.execute(
            "SELECT max(b.embedding <=> l.embedding), count(*) FROM before b, lone l WHERE b.chunk_id IN (200, 201)"
        ).fetchone()
    for found, rows in ((shuffled, 14), (alone, 2)):
        assert found is not None
        assert found[0] < 0.0001
        assert found[1] == rows


def test_c07_code_goes_as_document_and_a_search_as_query_on_every_path(any_mode: Case, folder: Path) -> None:
    case = any_mode
    with running_worker(case.database, folder):
        case.run("INSERT INTO pgduet.code_chunks (content) VALUES ('one')")
        case.run("INSERT INTO pgduet.code_chunks (content) SELECT 'row ' || g FROM generate_series(1, 100) g")
        case.run("UPDATE pgduet.code_chunks SET content = 'changed' WHERE content = 'one'")
        case.run("SET session_replication_role = replica")
        case.run("INSERT INTO pgduet.code_chunks (content) VALUES ('backfilled')")
        case.run("SET session_replication_role = origin")
        case.run("SELECT * FROM pgduet.reconcile()")
        case.settle(60)
        case.run("SELECT pgduet._create_generation('other', 'small', 'building'), pgduet.reconcile()")
        case.settle(60)
        assert {request.role for request in case.stub.requests} == {"document"}
        case.reset()
        case.run("SELECT * FROM pgduet.similar_code('sort a list')")
        assert [(request.role, request.contents) for request in case.stub.requests] == [("query", ("sort a list",))]
        case.reset()
        case.run("SELECT pgduet.embed('x'), pgduet.embed('y', 'query')")
        assert [request.role for request in case.stub.requests] == ["document", "query"]
