"""The keeper of the index: built when there are rows enough, rebuilt when the table outgrew it."""

from collections.abc import Iterator

import psycopg
import pytest

from fix_database import Connection, Database
from pgduet.database.connection import connect
from pgduet.migrations.index import keep_index
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

LOAD = "INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 1000) g"


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "sync")
    with stub_database.connect() as connection:
        yield connection


def test_after_truncate_and_reload_the_index_is_learnt_anew(session: Connection, stub_database: Database) -> None:
    session.execute(LOAD)
    keep_index(session)
    session.execute("TRUNCATE pgduet.code_chunks")
    Worker(lambda: connect(stub_database.conninfo, autocommit=True), Options(index=False)).run(once=True)
    session.execute(LOAD)
    assert keep_index(session).startswith("built ")


def test_an_index_that_somebody_else_made_is_left_alone(session: Connection) -> None:
    session.execute(LOAD)
    session.execute(
        "CREATE INDEX mine ON pgduet.code_embeddings_g1 USING ivfflat (embedding halfvec_cosine_ops) WITH (lists = 5)"
    )
    assert keep_index(session).startswith("built ")
    assert session.execute("SELECT to_regclass('pgduet.mine') IS NOT NULL").fetchone() == (True,)


def test_the_index_waits_for_rows_and_is_rebuilt_when_the_table_has_outgrown_it(session: Connection) -> None:
    assert "no index yet" in keep_index(session)
    session.execute(LOAD)
    assert keep_index(session).startswith("built ")
    assert "is good" in keep_index(session)
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'b' || g FROM generate_series(1, 1001) g")
    assert keep_index(session).startswith("built ")
    indexes = session.execute(
        "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam"
        " WHERE a.amname = 'ivfflat'"
    ).fetchone()
    assert indexes == (1,)


def test_what_a_cancelled_build_left_is_dropped(session: Connection) -> None:
    session.execute(LOAD)
    keep_index(session)
    session.execute(
        "UPDATE pg_index SET indisvalid = false FROM pg_class c WHERE c.oid = indexrelid"
        " AND c.relname LIKE 'code_embeddings_g1_sketch_ivfflat%'"
    )
    assert keep_index(session).startswith("built ")
    assert session.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_one_builds_and_the_other_says_so(session: Connection, stub_database: Database) -> None:
    session.execute("SELECT pg_advisory_lock(70962561)")
    with psycopg.connect(stub_database.conninfo, autocommit=True) as other:
        assert keep_index(other) == "another session is building the index"
