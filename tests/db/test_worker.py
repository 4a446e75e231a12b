"""The worker embeds what lacks a vector and keeps the index."""

from pathlib import Path

import psycopg
import pytest

from fix_database import Connection, Database
from pgduet.database.connection import connect
from pgduet.database.errors import DatabaseError
from pgduet.database.missing import embed_chunks, find_missing
from pgduet.migrations.index import keep_index
from pgduet.worker.loop import Worker
from stub_sidecar import StubSidecar


def load_unembedded(session: Connection, rows: int) -> None:
    with session.transaction():
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute(
            "INSERT INTO pgduet.code_chunks (content) SELECT 'r' || g FROM generate_series(1, %s) g", (rows,)
        )


def run_once(database: Database) -> None:
    Worker(lambda: connect(database.conninfo, autocommit=True), interval=1).run(once=True)


def pending(session: Connection) -> int:
    row = session.execute("SELECT coalesce(sum(pending), 0) FROM pgduet.coverage").fetchone()
    return int(row[0]) if row else 0


def test_rows_that_no_trigger_saw_get_their_vectors_and_an_index(stub_database: Database) -> None:
    with stub_database.connect() as session:
        load_unembedded(session, 1100)
        assert pending(session) == 1100
        run_once(stub_database)
        assert pending(session) == 0
        assert session.execute("SELECT valid, rows_at_build FROM pgduet.index_status").fetchall() == [(True, 1100)]


def test_a_chunk_that_cannot_be_embedded_holds_up_no_other(stub_database: Database, stub: StubSidecar) -> None:
    stub.poison = "r2"
    with stub_database.connect() as session:
        load_unembedded(session, 130)
        run_once(stub_database)
        assert pending(session) == 1
        assert len(stub.requests) < 80
        stub.poison = None
        run_once(stub_database)
        assert pending(session) == 0


def test_a_chunk_without_a_vector_is_asked_for_once_a_round(stub_database: Database, stub: StubSidecar) -> None:
    stub.blank_for_stub = "r2"
    with stub_database.connect() as session:
        load_unembedded(session, 3)
        run_once(stub_database)
        assert pending(session) == 1
        assert len(stub.requests) == 1


def test_a_row_that_changes_during_the_call_is_left_to_its_writer(stub_database: Database, stub: StubSidecar) -> None:
    with stub_database.connect() as session, stub_database.connect() as worker:
        # The generation's first writers wait for each other once, for its fingerprint.
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('first')")
        session.execute("DELETE FROM pgduet.code_chunks")
        load_unembedded(session, 2)
        with session.transaction():
            session.execute("UPDATE pgduet.code_chunks SET path = 'new', content = 'changed' WHERE content = 'r1'")
            assert embed_chunks(worker, find_missing(worker, 0, 10)) == 1
        rows = session.execute(
            "SELECT c.path, e.path, c.content_hash = e.content_hash FROM pgduet.code_chunks c"
            " JOIN pgduet.code_embeddings e USING (chunk_id) ORDER BY c.chunk_id"
        ).fetchall()
        assert rows == [("new", "new", True), (None, None, True)]
        assert pending(session) == 0


def test_a_worker_that_may_not_build_the_index_goes_on_embedding(stub_database: Database) -> None:
    with stub_database.connect() as session:
        load_unembedded(session, 1001)
        session.execute("CREATE ROLE plain_worker LOGIN IN ROLE pgduet_worker")
        try:
            conninfo = stub_database.conninfo.replace("user='postgres'", "user='plain_worker'")
            Worker(lambda: connect(conninfo, autocommit=True), interval=1).run(once=True)
            assert pending(session) == 0
        finally:
            session.execute("DROP ROLE plain_worker")


def test_after_truncate_and_reload_the_index_is_learnt_anew(stub_database: Database) -> None:
    with stub_database.connect() as session:
        load = "INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 1000) g"
        session.execute(load)
        keep_index(session)
        session.execute("TRUNCATE pgduet.code_chunks")
        session.execute(load)
        assert keep_index(session).startswith("built ")


def test_an_index_that_somebody_else_made_is_left_alone(stub_database: Database) -> None:
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 1000) g")
        session.execute(
            "CREATE INDEX mine ON pgduet.code_embeddings_g1"
            " USING ivfflat (embedding halfvec_cosine_ops) WITH (lists = 5)"
        )
        assert keep_index(session).startswith("built ")
        assert session.execute("SELECT to_regclass('pgduet.mine') IS NOT NULL").fetchone() == (True,)


def test_an_outage_is_an_error_that_passes(stub_database: Database, stub: StubSidecar) -> None:
    stub.stop()
    with stub_database.connect() as session:
        load_unembedded(session, 3)
        with pytest.raises(DatabaseError, match="cannot be reached") as caught:
            run_once(stub_database)
        assert caught.value.is_passing
        assert pending(session) == 3


def test_the_index_waits_for_rows_and_is_rebuilt_when_the_table_has_outgrown_it(stub_database: Database) -> None:
    with stub_database.connect() as session:
        assert "no index yet" in keep_index(session)
        session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 1000) g")
        assert keep_index(session).startswith("built ")
        assert "is good" in keep_index(session)
        session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'b' || g FROM generate_series(1, 1001) g")
        assert keep_index(session).startswith("built ")
        indexes = session.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam"
            " WHERE a.amname = 'ivfflat'"
        ).fetchone()
        assert indexes == (1,)


def test_what_a_cancelled_build_left_is_dropped(stub_database: Database) -> None:
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 1000) g")
        keep_index(session)
        session.execute(
            "UPDATE pg_index SET indisvalid = false FROM pg_class c WHERE c.oid = indexrelid"
            " AND c.relname LIKE 'code_embeddings_g1_sketch_ivfflat%'"
        )
        assert keep_index(session).startswith("built ")
        assert session.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_one_builds_and_the_other_says_so(stub_database: Database, tmp_path: Path) -> None:
    with stub_database.connect() as session, psycopg.connect(stub_database.conninfo, autocommit=True) as other:
        session.execute("SELECT pg_advisory_lock(70962561)")
        assert keep_index(other) == "another session is building the index"
