"""The worker embeds what lacks a vector and keeps the index."""

from pathlib import Path

import psycopg
import pytest

from fix_database import Connection, Database
from pgduet.database.connection import connect
from pgduet.database.errors import DatabaseError
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
