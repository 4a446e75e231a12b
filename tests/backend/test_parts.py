"""One half of the duet in SQL: against the stub's known vectors, and against the real duet."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database
from fix_worker import running_worker, wait_until
from stub_sidecar import StubSidecar, stub_vector

LONG = "\n\n".join(f"def step_{n}(values):\n    return [value * {n} + {n % 7} for value in values]" for n in range(60))


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    with stub_database.connect() as connection:
        yield connection


@pytest.fixture
def live(live_database: Database) -> Iterator[Connection]:
    live_database.set("trigger_mode", "sync")
    with live_database.connect() as connection:
        yield connection


def as_vector(text: str) -> np.ndarray:
    return np.fromstring(text.strip("[]"), sep=",", dtype=np.float32)


@pytest.mark.parametrize("part", ["both", "code", "text"])
def test_the_part_decides_the_vector(session: Connection, stub: StubSidecar, part: str) -> None:
    (text,) = session.execute("SELECT pgduet.embed('x', 'query', part => %s)::text", (part,)).fetchone() or ("",)
    expected = stub_vector("x", "query", part).astype(np.float16).astype(np.float32)
    assert np.array_equal(as_vector(text), expected)
    assert [(seen.role, seen.part) for seen in stub.requests] == [("query", part)]


def test_an_unknown_part_is_refused_with_the_names_of_the_known(session: Connection, stub: StubSidecar) -> None:
    for statement in ("SELECT pgduet.embed('x', part => 'half')", "SELECT pgduet.embed_batch('{x}', part => 'half')"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown part: 'half'") as caught:
            session.execute(statement)
        hint = caught.value.diag.message_hint or ""
        assert all(name in hint for name in ("'both'", "'code'", "'text'"))
    assert stub.requests == []


def test_a_batch_of_halves_keeps_its_order_and_its_nulls(session: Connection) -> None:
    rows = session.execute(
        "SELECT embedding::text FROM pgduet.embed_batch(ARRAY['a', NULL, '', 'b'], part => 'text')"
    ).fetchall()
    assert [text is None for (text,) in rows] == [False, True, True, False]
    assert np.array_equal(as_vector(rows[3][0]), stub_vector("b", part="text").astype(np.float16).astype(np.float32))


def test_parts_of_one_text_in_one_statement_are_told_apart(session: Connection, stub: StubSidecar) -> None:
    dimensions = session.execute(
        "SELECT vector_dims(pgduet.embed('x')), vector_dims(pgduet.embed('x', part => 'code')),"
        " vector_dims(pgduet.embed('x', part => 'text')), vector_dims(pgduet.embed('x', part => 'code'))"
    ).fetchone()
    assert dimensions == (2560, 1536, 1024, 1536)
    assert [seen.part for seen in stub.requests] == ["both", "code", "text"]


@pytest.mark.parametrize(("part", "place"), [("code", "1, 1536"), ("text", "1537, 1024")])
@pytest.mark.parametrize("role", ["document", "query"])
def test_a_half_points_where_its_share_of_the_whole_vector_points(
    live: Connection, part: str, place: str, role: str
) -> None:
    cosine, length = live.execute(
        f"SELECT 1 - (subvector(v.whole, {place}) <=> v.half), l2_norm(v.half) FROM (SELECT"
        " pgduet.embed('def add(a, b): return a + b', %s) AS whole,"
        " pgduet.embed('def add(a, b): return a + b', %s, %s) AS half OFFSET 0) v",
        (role, role, part),
    ).fetchone() or (0, 0)
    assert cosine >= 0.9999
    assert length == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("part", "place"), [("code", "1, 1536"), ("text", "1537, 1024")])
def test_a_search_by_one_half_finds_what_is_meant(live: Connection, part: str, place: str) -> None:
    """The statement of docs/sql.md."""
    live.execute(
        "INSERT INTO pgduet.code_chunks (symbol, content) VALUES"
        " ('add', 'def add(a, b): return a + b'), ('sort', 'def sort_numbers(xs): return sorted(xs)'),"
        " ('read', 'def read_text(path): return open(path).read()')"
    )
    found = live.execute(
        "SELECT c.symbol FROM pgduet.code_embeddings e JOIN pgduet.code_chunks c USING (chunk_id)"
        f" ORDER BY subvector(e.embedding, {place}) <=> (SELECT pgduet.embed('sort a list', 'query', part => %s))"
        " LIMIT 1",
        (part,),
    ).fetchone()
    assert found == ("sort",)


def test_a_row_too_long_for_the_duet_is_marked_and_a_watched_one_is_cut_into_chunks(
    live: Connection, live_database: Database, folder: Path
) -> None:
    live.execute("INSERT INTO pgduet.code_chunks (path, content) VALUES ('long.py', %s), ('short.py', 'x')", (LONG,))
    (path, state, reason, code_tokens, text_tokens), *more = live.execute(
        "SELECT path, state, reason, code_tokens, text_tokens FROM pgduet.chunk_status WHERE truncated"
    ).fetchall()
    assert (path, state, more) == ("long.py", "embedded", [])
    assert reason == f"only the beginning was read: the content has {max(code_tokens, text_tokens)} tokens"
    assert min(code_tokens, text_tokens) > 1000
    assert live.execute("SELECT truncated FROM pgduet.coverage").fetchone() == (1,)
    live.execute("CREATE TABLE script (name text PRIMARY KEY, body text)")
    live.execute("INSERT INTO script VALUES ('long.py', %s)", (LONG,))
    live.execute("SELECT pgduet.watch('script', 'body', path_column => 'name')")
    watched = (
        "SELECT count(*), bool_or(s.truncated) FROM pgduet.code_chunks c"
        " JOIN pgduet.chunk_status s USING (chunk_id) WHERE c.source = 'public.script' AND s.state = 'embedded'"
    )
    cut = live.execute("SELECT count(*) FROM pgduet.chunk_code(%s, path => 'long.py')", (LONG,)).fetchone() or (0,)
    assert cut[0] > 1
    with running_worker(live_database, folder):
        wait_until(lambda: (live.execute(watched).fetchone() or (0,))[0] == cut[0], 120)
    assert live.execute(watched).fetchone() == (cut[0], False)
