"""`embed` and `embed_batch` through a real server, against the stub's known vectors."""

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database
from pgduet.backend.vectors import embedding_text
from pgduet.v1 import embedding_pb2 as pb
from stub_sidecar import StubSidecar, stub_vector


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    with stub_database.connect() as connection:
        yield connection


def as_vector(text: str) -> np.ndarray:
    return np.fromstring(text.strip("[]"), sep=",", dtype=np.float32)


def test_a_vector_arrives_exact_to_half_precision(session: Connection) -> None:
    (text,) = session.execute("SELECT pgduet.embed('def f(): return 1')::text").fetchone() or ("",)
    assert np.array_equal(as_vector(text), stub_vector("def f(): return 1").astype(np.float16).astype(np.float32))


def test_pgvector_reads_every_half_precision_number_as_it_was_sent(session: Connection) -> None:
    patterns = np.arange(65536, dtype=np.uint16).view(np.float16)
    finite = np.resize(patterns[np.isfinite(patterns)], (25, 2560))
    response = pb.EmbedResponse(width=2560, embeddings=finite.astype("<f2").tobytes())
    for index, row in enumerate(finite):
        (text,) = session.execute("SELECT %s::halfvec::text", (embedding_text(response, index),)).fetchone() or ("",)
        assert np.array_equal(as_vector(text).astype(np.float16), row)
    for unusable in (np.nan, np.inf, -np.inf):
        response = pb.EmbedResponse(width=2, embeddings=np.array([1, unusable], "<f2").tobytes())
        with pytest.raises(psycopg.errors.DataError, match="NaN"):
            session.execute("SELECT %s::halfvec", (embedding_text(response, 0),))


def test_the_role_decides_the_vector_and_an_unknown_one_is_refused(session: Connection, stub: StubSidecar) -> None:
    (text,) = session.execute("SELECT pgduet.embed('x', 'query')::text").fetchone() or ("",)
    assert np.array_equal(as_vector(text), stub_vector("x", "query").astype(np.float16).astype(np.float32))
    assert [r.role for r in stub.requests] == ["query"]
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown role"):
        session.execute("SELECT pgduet.embed('x', 'passage')")


def test_null_is_null_without_a_call_and_blank_is_one_documented_error(session: Connection, stub: StubSidecar) -> None:
    assert session.execute("SELECT pgduet.embed(NULL)").fetchone() == (None,)
    assert stub.requests == []
    for blank in ("", " \t\r\n "):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="blank"):
            session.execute("SELECT pgduet.embed(%s)", (blank,))


def test_a_batch_keeps_its_order_and_gives_null_for_null_and_blank(session: Connection, stub: StubSidecar) -> None:
    rows = session.execute(
        "SELECT ordinality, embedding::text FROM pgduet.embed_batch(ARRAY['a', NULL, '', 'b', 'a'])"
    ).fetchall()
    assert [ordinality for ordinality, _ in rows] == [1, 2, 3, 4, 5]
    assert [text is None for _, text in rows] == [False, True, True, False, False]
    assert np.array_equal(as_vector(rows[3][1]), stub_vector("b").astype(np.float16).astype(np.float32))
    assert rows[0][1] == rows[4][1]
    assert len(stub.requests) == 1


def test_a_batch_is_cut_to_the_size_in_the_settings(
    session: Connection, stub: StubSidecar, stub_database: Database
) -> None:
    stub_database.set("batch_texts", "10")
    (count,) = session.execute(
        "SELECT count(embedding) FROM pgduet.embed_batch((SELECT array_agg('t' || g) FROM generate_series(1, 25) g))"
    ).fetchone() or (0,)
    assert count == 25
    assert [r.texts for r in stub.requests] == [10, 10, 5]


def test_empty_array_is_no_row_and_no_call(session: Connection, stub: StubSidecar) -> None:
    assert session.execute("SELECT * FROM pgduet.embed_batch('{}')").fetchall() == []
    assert stub.requests == []


def test_one_statement_asks_once_for_one_text_even_once_per_row(session: Connection, stub: StubSidecar) -> None:
    # A table without vectors would ask for nothing: a busy machine must not send the rows to the queue.
    session.execute("SET pgduet.trigger_mode = 'sync'")
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'row ' || g FROM generate_series(1, 100) g")
    stub.requests.clear()
    schema = "public"
    ordered = f"ORDER BY embedding OPERATOR({schema}.<=>) pgduet.embed('sort') LIMIT 5"
    session.execute(f"SELECT chunk_id FROM pgduet.code_embeddings {ordered}")
    assert len(stub.requests) == 1
    session.execute("SELECT pgduet.embed('sort')")
    assert len(stub.requests) == 2


def test_ordering_by_an_embedding_works_twice_on_a_table_large_enough_for_parallel_plans(
    session: Connection, stub_database: Database
) -> None:
    session.execute(
        "CREATE TABLE big AS SELECT g AS id, NULL::halfvec(2560) AS embedding FROM generate_series(1, 80000) g"
    )
    session.execute("UPDATE big SET embedding = pgduet.embed('row') WHERE id <= 50")
    session.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    plan = session.execute("EXPLAIN SELECT count(*) FROM big WHERE id % 7 = 0").fetchall()
    assert any("Parallel" in line for (line,) in plan), "the table is too small to prove anything"
    for _ in range(2):
        rows = session.execute(
            "SELECT id FROM big ORDER BY embedding <=> (SELECT pgduet.embed('sort')), id LIMIT 5"
        ).fetchall()
        assert rows == [(1,), (2,), (3,), (4,), (5,)]
    assert "terminated by signal" not in stub_database.cluster.log.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "".join(chr(1 + (i * 7919) % 126) for i in range(5000)),
        "🙂 שלום עולם مرحبا 👩‍👩‍👧 e\u0301",
        "\ufeffdef f():\r\n    return 1\r\n",
    ],
    ids=["one-megabyte line", "noise", "emoji and right-to-left", "CRLF with BOM"],
)
def test_strange_text_reaches_the_sidecar_unchanged(session: Connection, text: str) -> None:
    (vector,) = session.execute("SELECT pgduet.embed(%s)::text", (text,)).fetchone() or ("",)
    assert np.array_equal(as_vector(vector), stub_vector(text).astype(np.float16).astype(np.float32))
