"""The keeper of the index: built when there are rows enough, rebuilt when the table outgrew it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from fix_database import Connection, Database
from fix_vectors import load_vectors, replace_vectors, structured
from fix_worker import wait_until
from pgduet.cli import db
from pgduet.database.connection import connect
from pgduet.database.errors import DatabaseError
from pgduet.database.settings import write_setting
from pgduet.errors import PgduetError
from pgduet.migrations.keeper import keep_index
from pgduet.migrations.keeper.build import build_index
from pgduet.migrations.keeper.policy import Plan
from pgduet.migrations.keeper.state import read_states
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

INDEXES = (
    "SELECT c.relname, b.kind, a.amname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_am a ON a.oid = c.relam LEFT JOIN pgduet._index_build b ON b.index_name = c.relname"
    " WHERE a.amname IN ('ivfflat', 'hnsw')"
)
BUILDS = (
    "SELECT generation_id, error IS NULL AND finished_at IS NOT NULL, reason FROM pgduet._index_build ORDER BY build_id"
)
LOAD = "INSERT INTO pgduet.code_chunks (content) SELECT 'a' || g FROM generate_series(1, 150) g"


def make_small(database: Database) -> None:
    """Let the index come at 100 rows, and no time go into calibrating it well."""
    database.set("index_min_rows", "100")
    database.set("recall_target", "0.5")


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "sync")
    make_small(stub_database)
    with stub_database.connect() as connection:
        yield connection


@pytest.mark.slow
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
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'b' || g FROM generate_series(1, 151) g")
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


def test_who_may_only_read_is_refused_before_anything_is_measured(stub_database: Database) -> None:
    with stub_database.connect() as session:
        session.execute("SET ROLE pgduet_worker")
        with pytest.raises(DatabaseError, match="may not look after the index") as caught:
            keep_index(session)
        assert "--no-index" in caught.value.hint


@pytest.fixture
def small(database: Database) -> Iterator[Connection]:
    """Give a database with 200 vectors, whose index comes at 100."""
    make_small(database)
    with database.connect() as connection:
        load_vectors(connection, structured(200))
        yield connection


@contextmanager
def held_up(database: Database) -> Iterator[None]:
    """Keep a writer's transaction open: a CONCURRENT build has to wait for it."""
    with psycopg.connect(database.conninfo) as other:
        other.execute("UPDATE pgduet.code_embeddings SET language = language WHERE chunk_id = 1")
        yield
        other.rollback()


def end_build(session: Connection, function: str) -> None:
    """Cancel or terminate the session that builds, as soon as there is one."""
    query = f"SELECT {function}(pid) FROM pg_stat_progress_create_index WHERE lockers_total > 0"
    wait_until(lambda: session.execute(query).fetchall() == [(True,)])


def test_an_index_of_another_kind_is_replaced_and_searched(small: Connection) -> None:
    for kind, method in (("sketch", "ivfflat"), ("halfvec", "ivfflat"), ("hnsw", "hnsw"), ("sketch", "ivfflat")):
        outcome = keep_index(small, kind=kind)
        assert outcome.startswith("built code_embeddings_g1_"), outcome
        assert f"index_kind is {kind} now" in outcome or "it is the first" in outcome
        ((name, *rest),) = small.execute(INDEXES).fetchall()
        assert rest == [kind, method, True]
        assert name in outcome
        assert "is good" in keep_index(small)
        with small.transaction():
            small.execute("SET LOCAL pgduet.search_mode = 'index'")
            (found,) = small.execute("SELECT count(*) FROM pgduet.similar_to(1)").fetchone() or (0,)
            assert found == 10
    with pytest.raises(PgduetError, match="no index kind 'flat'"):
        keep_index(small, kind="flat")


def test_changed_rows_and_a_shrunk_table_are_learnt_anew_and_a_tiny_one_has_no_index(small: Connection) -> None:
    ids = load_vectors(small, structured(200, topics=(40, 80)))
    keep_index(small)
    replace_vectors(small, ids, structured(200, topics=(80, 120)))
    assert "is good" in keep_index(small)
    replace_vectors(small, ids[:10], structured(10, topics=(80, 120)))
    wait_until(lambda: "changed or went" in keep_index(small), 5)
    # Statistics come a moment later: what goes now must not count as what changed.
    small.execute("DELETE FROM pgduet.code_embeddings WHERE chunk_id > 150")
    assert "150 vectors, the last one learnt from 400" in keep_index(small)
    small.execute("DELETE FROM pgduet.code_embeddings WHERE chunk_id > 50")
    assert keep_index(small).startswith("dropped code_embeddings_g1_")
    assert small.execute(INDEXES).fetchall() == []
    assert "no index yet" in keep_index(small)
    small.execute("DELETE FROM pgduet.code_embeddings")
    assert "no index yet" in keep_index(small, rebuild=True)


def test_every_live_generation_has_its_index(small: Connection) -> None:
    small.execute("SELECT pgduet._create_generation('next', 'small', 'building')")
    load_vectors(small, structured(150, seed=1), generation_id=2)
    outcome = keep_index(small)
    assert "generation 1: built code_embeddings_g1_sketch_ivfflat_" in outcome
    assert "generation 2: built code_embeddings_g2_sketch_ivfflat_" in outcome
    small.execute("UPDATE pgduet.generations SET state = 'retired' WHERE generation_id = 2")
    small.execute("UPDATE pgduet._index_build SET rows_at_build = 1")
    keep_index(small)
    assert [row[:2] for row in small.execute(BUILDS)] == [(1, True), (2, True), (1, True)]


def test_a_cancelled_build_leaves_nothing_that_the_next_does_not_clean(small: Connection, database: Database) -> None:
    phases: list[tuple[str, int, int]] = []

    def build() -> None:
        with database.connect() as connection, pytest.raises(psycopg.errors.QueryCanceled):
            keep_index(connection, progress=lambda *phase: phases.append(phase))

    thread = threading.Thread(target=build)
    with held_up(database):
        thread.start()
        wait_until(lambda: phases)
        end_build(small, "pg_cancel_backend")
        thread.join()
    assert ("waiting for writers before build", 0, 1) in phases
    assert small.execute("SELECT error FROM pgduet._index_build").fetchall() == [("cancelled",)]
    assert keep_index(small).startswith("built ")
    assert [row[3] for row in small.execute(INDEXES)] == [True]


def test_a_build_whose_session_ended_is_told_and_tried_again_later(small: Connection, database: Database) -> None:
    def build() -> None:
        with database.connect() as connection, pytest.raises(psycopg.OperationalError):
            keep_index(connection)

    thread = threading.Thread(target=build)
    with held_up(database):
        thread.start()
        end_build(small, "pg_terminate_backend")
        thread.join()
    outcome = keep_index(small)
    assert "the last build failed: the session that built it ended; it is tried again in" in outcome
    assert small.execute(INDEXES).fetchall() == []
    small.execute("UPDATE pgduet._index_build SET finished_at = finished_at - interval '1 minute'")
    assert keep_index(small).startswith("built ")


def test_where_memory_does_not_suffice_the_error_names_the_setting(small: Connection) -> None:
    (state,) = read_states(small)
    with pytest.raises(DatabaseError, match="memory required is") as caught:
        build_index(small, state, Plan("halfvec", 200, 1, ""), most_mb=2, reason="a test")
    assert "index_memory_mb is 2" in caught.value.hint
    assert small.execute(INDEXES).fetchall() == []
    assert "took more memory than it may" in keep_index(small)
    # Another pgvector may reckon with more than is known here: it gets what it asks for within the limit.
    build_index(small, state, Plan("halfvec", 200, 1, ""), most_mb=64, reason="a test")
    assert [row[1:] for row in small.execute(INDEXES)] == [("halfvec", "ivfflat", True)]
    assert small.execute("SHOW maintenance_work_mem").fetchone() == ("64MB",)


def test_the_sessions_own_limits_end_no_build_and_come_back(small: Connection) -> None:
    small.execute("SET statement_timeout = '1ms'")
    outcome = keep_index(small)
    assert small.execute("SHOW statement_timeout").fetchone() == ("1ms",)
    assert outcome.startswith("built ")


def test_the_history_keeps_what_was_built_and_why(small: Connection) -> None:
    keep_index(small)
    keep_index(small, rebuild=True)
    assert small.execute(BUILDS).fetchall() == [(1, True, "it is the first"), (1, True, "it was asked for")]


def test_what_is_asked_for_in_sql_is_done_by_the_worker_at_once(stub_database: Database) -> None:
    make_small(stub_database)
    with stub_database.connect() as session:
        load_vectors(session, structured(200))
        keep_index(session)
        assert "no worker is running" in asked(session, "'hnsw'")
        assert "was asked for at" in asked(session, "NULL")
        worker = Worker(lambda: connect(stub_database.conninfo, autocommit=True), Options(heartbeat=0.2))
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            served = "SELECT outcome FROM pgduet._index_request WHERE done_at IS NOT NULL ORDER BY request_id"
            wait_until(lambda: len(session.execute(served).fetchall()) == 1)
            assert [row[1] for row in session.execute(INDEXES)] == ["hnsw"]
            asking = time.monotonic()
            assert "the worker builds it" in asked(session, "'sketch'")
            wait_until(lambda: len(session.execute(served).fetchall()) == 2)
            assert time.monotonic() - asking < 15, "not at the next round, which is 30 s later"
        finally:
            worker.stop()
            thread.join()
        assert [row[1] for row in session.execute(INDEXES)] == ["sketch"]
        assert all(outcome.startswith("built ") for (outcome,) in session.execute(served))


def test_a_build_that_has_to_wait_holds_up_neither_other_rounds_nor_the_workers_end(stub_database: Database) -> None:
    make_small(stub_database)
    with stub_database.connect() as session:
        load_vectors(session, structured(200))
        worker = Worker(lambda: connect(stub_database.conninfo, autocommit=True), Options(poll=0.2, reconcile=1))
        thread = threading.Thread(target=worker.run)
        with held_up(stub_database):
            thread.start()
            try:
                wait_until(lambda: session.execute("SELECT FROM pg_stat_progress_create_index").fetchall())
                session.execute("SET session_replication_role = replica")
                session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('no trigger saw it')")
                wait_until(lambda: session.execute("SELECT count(*) FROM pgduet.code_embeddings").fetchone() == (201,))
            finally:
                worker.stop()
            thread.join(10)
            assert not thread.is_alive()
        assert session.execute("SELECT error FROM pgduet._index_build").fetchall() == [("cancelled",)]


def asked(session: Connection, argument: str) -> str:
    (answer,) = session.execute(f"SELECT pgduet.reindex({argument})").fetchone() or ("",)
    return str(answer)


def test_only_an_admin_asks_for_an_index_and_only_of_a_kind_there_is(database: Database) -> None:
    with database.connect() as session:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="no index kind 'flat'"):
            session.execute("SELECT pgduet.reindex('flat')")
        session.execute("SET ROLE pgduet_writer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT pgduet.reindex()")
        session.execute("SET ROLE pgduet_admin")
        session.execute("SELECT pgduet.reindex()")
        found = session.execute("SELECT requested_by, done_at FROM pgduet._index_request").fetchall()
        assert found == [("postgres", None)]


def test_the_full_text_index_comes_and_goes_with_its_setting(small: Connection) -> None:
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('pgduet.code_chunks_lexical')"
    assert "full-text" not in keep_index(small)
    write_setting(small, "lexical_index", "on")
    assert "built the full-text index" in keep_index(small)
    assert small.execute(valid).fetchall() == [(True,)]
    assert "full-text" not in keep_index(small)
    small.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pgduet.code_chunks_lexical'::regclass")
    assert "built the full-text index" in keep_index(small)
    write_setting(small, "lexical_index", "off")
    assert "dropped the full-text index" in keep_index(small)
    assert small.execute(valid).fetchall() == []


def test_the_command_builds_another_kind_and_shows_the_recall(small: Connection, database: Database) -> None:
    commands = typer.Typer()
    db.register(commands)
    command = ["db", "index", "--dsn", database.conninfo, "--kind", "halfvec", "--recall"]
    result = CliRunner().invoke(commands, command)
    assert result.exit_code == 0, result.output
    assert "built code_embeddings_g1_embedding_ivfflat_" in result.output
    assert "stored" in result.output
    assert [row[1] for row in small.execute(INDEXES)] == ["halfvec"]
