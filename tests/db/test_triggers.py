"""Vectors follow the rows of code_chunks inside the statement that changes them, in the modes sync and auto."""

from collections.abc import Iterator

import psycopg
import pytest

from fix_database import Connection, Database
from stub_sidecar import StubSidecar

pytestmark = pytest.mark.alone

STALE = """
    SELECT count(*) FROM pgduet.code_chunks c FULL JOIN pgduet.code_embeddings e USING (chunk_id)
    WHERE c.content_hash IS DISTINCT FROM e.content_hash
       OR (c.repo, c.path, c.language) IS DISTINCT FROM (e.repo, e.path, e.language) AND c.content_hash IS NOT NULL
"""


@pytest.fixture(params=["sync", "auto"])
def session(stub_database: Database, request: pytest.FixtureRequest) -> Iterator[Connection]:
    stub_database.set("trigger_mode", request.param)
    with stub_database.connect() as connection:
        yield connection


def count(session: Connection, query: str) -> int:
    row = session.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def texts(stub: StubSidecar) -> int:
    return sum(request.texts for request in stub.requests)


def test_a_statement_is_embedded_in_batches_with_the_document_role(session: Connection, stub: StubSidecar) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'row ' || g FROM generate_series(1, 200) g")
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 200
    assert [r.texts for r in stub.requests] == [64, 64, 64, 8]
    assert {r.role for r in stub.requests} == {"document"}
    assert count(session, STALE) == 0


def test_blank_and_null_content_is_kept_and_never_sent(session: Connection, stub: StubSidecar) -> None:
    blanks = [None, "", " \t\r\n ", "\ufeff", "\u200b\u3000"]
    for content in [*blanks, "def f(x): return x + 1"]:
        session.execute("INSERT INTO pgduet.code_chunks (repo, content) VALUES ('r', %s)", (content,))
    assert texts(stub) == 1
    row = session.execute("SELECT chunks, embedded, blank, pending FROM pgduet.coverage").fetchone()
    assert row == (6, 1, 5, 0)


def test_an_update_embeds_changed_content_only(session: Connection, stub: StubSidecar) -> None:
    session.execute(
        "INSERT INTO pgduet.code_chunks (path, content) SELECT 'p', 'row ' || g FROM generate_series(1, 50) g"
    )
    stub.requests.clear()
    session.execute("UPDATE pgduet.code_chunks SET path = path || '.bak', language = 'python'")
    session.execute("UPDATE pgduet.code_chunks SET content = content || ''")
    assert stub.requests == []
    assert count(session, STALE) == 0
    session.execute("UPDATE pgduet.code_chunks SET content = 'new ' || chunk_id WHERE chunk_id <= 5")
    assert texts(stub) == 5
    assert count(session, STALE) == 0


def test_content_that_becomes_null_loses_its_vector(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a'), ('b')")
    session.execute("UPDATE pgduet.code_chunks SET content = NULL WHERE content = 'a'")
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 1
    assert count(session, STALE) == 0


def test_a_changed_key_moves_with_its_row(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a'), ('b')")
    session.execute("UPDATE pgduet.code_chunks SET chunk_id = chunk_id + 100")
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 2
    assert count(session, STALE) == 0


def test_a_delete_takes_the_vectors_along_and_a_truncate_leaves_them_to_the_worker(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'row ' || g FROM generate_series(1, 10) g")
    session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id <= 4")
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 6
    session.execute("TRUNCATE pgduet.code_chunks")
    assert count(session, "SELECT count(*) FROM pgduet.similar_code('row 7')") == 0
    assert session.execute("SELECT chunk_id FROM pgduet._pending").fetchall() == [(None,)]
    assert session.execute("SELECT enqueued, removed FROM pgduet.reconcile()").fetchone() == (0, 6)
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 0


def test_copy_on_conflict_and_merge_are_covered(session: Connection) -> None:
    with session.cursor().copy("COPY pgduet.code_chunks (source, source_key, content) FROM STDIN") as copy:
        for number in range(70):
            copy.write_row(("s", str(number), f"copied {number}"))
    session.execute(
        "INSERT INTO pgduet.code_chunks (source, source_key, content) VALUES ('s', '0', 'upserted'), ('s', 'n', 'new')"
        " ON CONFLICT (source, source_key) DO UPDATE SET content = excluded.content"
    )
    session.execute(
        "MERGE INTO pgduet.code_chunks c USING (VALUES ('1', 'merged'), ('m', 'more')) v (key, content)"
        " ON c.source = 's' AND c.source_key = v.key WHEN MATCHED THEN UPDATE SET content = v.content"
        " WHEN NOT MATCHED THEN INSERT (source, source_key, content) VALUES ('s', v.key, v.content)"
    )
    assert count(session, "SELECT count(*) FROM pgduet.code_embeddings") == 72
    assert count(session, STALE) == 0


def test_in_sync_a_failure_fails_the_statement_and_loses_nothing_before_it(
    session: Connection, stub: StubSidecar
) -> None:
    session.execute("SET pgduet.trigger_mode = 'sync'")
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('kept')")
    stub.stop()
    with pytest.raises(psycopg.errors.IoError):
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('lost')")
    assert count(session, "SELECT count(*) FROM pgduet.code_chunks") == 1
    assert count(session, STALE) == 0


def test_a_large_update_after_a_small_one_keeps_its_plan_fast(session: Connection) -> None:
    session.execute("ALTER TABLE pgduet.code_chunks DISABLE TRIGGER _pgduet_insert")
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'row ' || g FROM generate_series(1, 20000) g")
    session.execute(
        "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch)"
        " SELECT c.chunk_id, 1, c.content_hash, e.v, repeat('1', 2560)::bit(2560) FROM pgduet.code_chunks c,"
        " (SELECT pgduet.embed('x') AS v OFFSET 0) e"
    )
    session.execute("UPDATE pgduet.code_chunks SET path = 'p' WHERE chunk_id = 1")
    session.execute("SET statement_timeout = '20s'")
    session.execute("UPDATE pgduet.code_chunks SET path = 'q'")
    done = count(session, "SELECT count(*) FROM pgduet.code_embeddings WHERE path = 'q'")
    queued = count(session, "SELECT count(DISTINCT chunk_id) FROM pgduet._pending")
    assert sorted((done, queued)) == [0, 20000]


def test_the_first_vectors_give_the_generation_its_fingerprint(session: Connection, stub: StubSidecar) -> None:
    assert session.execute("SELECT fingerprint FROM pgduet.generations").fetchone() == (None,)
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a')")
    assert session.execute("SELECT fingerprint FROM pgduet.generations").fetchone() == (stub.fingerprint,)


def test_an_ordinary_writer_can_insert_and_a_reader_can_search_with_nothing_else_granted(session: Connection) -> None:
    session.execute("CREATE ROLE w LOGIN IN ROLE pgduet_writer; CREATE ROLE r LOGIN IN ROLE pgduet_reader")
    try:
        session.execute("SET SESSION AUTHORIZATION w")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a'), ('b')")
        session.execute("UPDATE pgduet.code_chunks SET content = 'c' WHERE content = 'b'")
        session.execute("SET SESSION AUTHORIZATION r")
        assert len(session.execute("SELECT * FROM pgduet.similar_code('a')").fetchall()) == 2
        for forbidden in (
            "SELECT * FROM pgduet._setting",
            "INSERT INTO pgduet.code_chunks (content) VALUES ('x')",
            "DELETE FROM pgduet.code_embeddings",
            "SELECT pgduet._embed_within('{1}', 1)",
            "SELECT * FROM pgduet._claim('me', 1, 1)",
            "SELECT pgduet.retry_failed()",
            "UPDATE pgduet._setting SET value = 'evil:1'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(forbidden)
    finally:
        session.execute("RESET SESSION AUTHORIZATION")
        session.execute("DROP ROLE w; DROP ROLE r")


def test_a_monitor_reads_the_views_and_no_code(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('a')")
    session.execute("SET ROLE pg_monitor")
    assert session.execute("SELECT chunks, embedded FROM pgduet.coverage").fetchone() == (1, 1)
    session.execute("SELECT * FROM pgduet.generation_status, pgduet.health()")
    session.execute("SELECT * FROM pgduet.index_status")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("SELECT content FROM pgduet.code_chunks")
