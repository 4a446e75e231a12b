"""Searches and writes go on while the active generation changes back and forth; a dropped one is missed by nobody."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import pytest

from fix_database import Connection, Database
from fix_generations import TwoDuets, add_chunks, evaluated, refusal, scalar, work
from fix_worker import wait_until
from pgduet.database.connection import connect
from pgduet.database.dropping import drop_generation
from pgduet.errors import PgduetError
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

Rows = list[tuple[Any, ...]]

SWITCHES = 50
SEARCHES = (
    "SELECT chunk_id, similarity FROM pgduet.similar_code('a query', repo => 'lib', k => 10)",
    "SELECT chunk_id, similarity FROM pgduet.similar_code('text 7', repo => 'lib', lexical => true)",
    "SELECT chunk_id, similarity FROM pgduet.similar_to(1, repo => 'lib')",
    "SELECT c.chunk_id, (SELECT pgduet.embed('a query', 'query')) <=> e.embedding FROM pgduet.code_chunks c"
    " JOIN pgduet.code_embeddings e USING (chunk_id) JOIN pgduet.generations g USING (generation_id)"
    " WHERE g.state = 'active' AND c.repo = 'lib' ORDER BY 2 LIMIT 10",
)

PAUSE_IN_CONTENTS = """
ALTER FUNCTION pgduet._contents(bigint[]) RENAME TO _contents_at_once;
CREATE FUNCTION pgduet._contents(chunk_ids bigint[]) RETURNS TABLE (chunk_id bigint, content_hash bytea, content text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(99);
  RETURN QUERY SELECT * FROM pgduet._contents_at_once($1);
END $$;
GRANT EXECUTE ON FUNCTION pgduet._contents(bigint[]) TO pgduet_owner;
"""


@pytest.fixture
def filled(two_database: Database) -> Iterator[Connection]:
    """Give a session beside whose active generation another one may be promoted."""
    with two_database.connect() as session:
        session.execute("SELECT pgduet.add_generation('other')")
        add_chunks(session, 60)
        work(two_database)
        evaluated(session, "other")
        yield session


class Clients:
    """Search and write on connections of their own until the block ends; note what they find and what fails."""

    def __init__(self, database: Database, expected: list[tuple[Rows, Rows]]) -> None:
        self._database = database
        self._expected = expected
        self._ended = threading.Event()
        self.answers = [[0, 0] for _ in SEARCHES]
        self.errors: list[Exception] = []
        jobs = [partial(self._search, place) for place in range(len(SEARCHES))]
        self._threads = [threading.Thread(target=self._run, args=(job,)) for job in (*jobs, self._write)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def met_both(self) -> bool:
        """Tell whether each query was answered by either generation."""
        return all(one and other for one, other in self.answers)

    def _run(self, job: Callable[[Connection], None]) -> None:
        try:
            with self._database.connect() as session:
                # Embedded inside the statement, in whichever generation is active.
                session.execute("SET pgduet.trigger_mode = 'sync'")
                while not self._ended.is_set():
                    job(session)
        except Exception as error:
            self.errors.append(error)

    def _search(self, place: int, session: Connection) -> None:
        found = session.execute(SEARCHES[place].encode()).fetchall()
        self.answers[place][self._expected[place].index(found)] += 1

    def _write(self, session: Connection) -> None:
        session.execute("INSERT INTO pgduet.code_chunks (repo, content) VALUES ('new', clock_timestamp()::text)")


def test_every_answer_is_of_one_generation_however_often_they_are_switched(
    filled: Connection, two_database: Database
) -> None:
    first = [filled.execute(query.encode()).fetchall() for query in SEARCHES]
    filled.execute("SELECT pgduet.promote('other')")
    second = [filled.execute(query.encode()).fetchall() for query in SEARCHES]
    assert all(len(found) == 10 for found in first + second)
    assert all(one != other for one, other in zip(first, second, strict=True))
    with Clients(two_database, list(zip(first, second, strict=True))) as clients:
        deadline = time.monotonic() + 60
        switches = 0
        # On a busy machine a client may need longer to meet both.
        while switches < SWITCHES or not (clients.met_both or clients.errors or time.monotonic() > deadline):
            filled.execute("SELECT pgduet.rollback()")
            time.sleep(0.02)
            filled.execute("SELECT pgduet.promote('other', true, 'chunks are being written')")
            switches += 2
            time.sleep(0.02)
    assert clients.errors == []
    assert clients.met_both, clients.answers
    work(two_database)
    assert filled.execute("SELECT lacking FROM pgduet.generation_status").fetchall() == [(0,), (0,)]


def test_a_statement_that_a_switch_overtakes_leaves_its_chunks_to_the_worker(
    filled: Connection, two_database: Database
) -> None:
    # Between the question what is needed and the call of the model.
    filled.execute(PAUSE_IN_CONTENTS)
    filled.execute("SELECT pg_advisory_lock(99)")
    errors: list[Exception] = []

    def write() -> None:
        try:
            with two_database.connect() as session:
                session.execute("SET pgduet.trigger_mode = 'sync'")
                add_chunks(session, 2, "overtaken")
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 99 AND NOT granted"
    wait_until(lambda: scalar(filled, waiting))
    filled.execute("SELECT pgduet.promote('other')")
    filled.execute("SELECT pg_advisory_unlock(99)")
    thread.join(30)
    assert errors == []
    assert scalar(filled, "SELECT count(DISTINCT chunk_id) FROM pgduet._pending") == 2
    work(two_database)
    counts = "SELECT vectors, lacking FROM pgduet.generation_status"
    assert filled.execute(counts).fetchall() == [(62, 0), (62, 0)]


def test_a_generation_is_dropped_while_everybody_works(
    filled: Connection, two_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgduet.database.dropping._LOCK_TIMEOUT", "200ms")
    with pytest.raises(PgduetError, match="other is ready: only a retired one") as caught:
        drop_generation(filled, "other")
    assert caught.value.hint == "give it up first: pgduet generation retire other"
    filled.execute("SELECT pgduet.retire('other')")
    with ExitStack() as open_ones:
        reader = open_ones.enter_context(two_database.connect())
        open_ones.enter_context(reader.transaction())
        reader.execute("SELECT count(*) FROM pgduet.code_embeddings")
        said: list[str] = []
        pid = reader.info.backend_pid
        with pytest.raises(PgduetError, match=f"process ids: {pid}") as caught:
            drop_generation(filled, "other", patience=0, report=said.append)
        assert "run it again later" in caught.value.hint
        assert said == ["detaching code_embeddings_g2"]
        assert scalar(filled, "SHOW lock_timeout") == "0"
        # Half detached, and nobody notices.
        assert scalar(filled, "SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1
        filled.execute("SET lock_timeout = '200ms'; SET pgduet.trigger_mode = 'sync'")
        assert len(filled.execute(SEARCHES[0].encode()).fetchall()) == 10
        filled.execute("INSERT INTO pgduet.code_chunks (repo, content) VALUES ('new', 'beside a half detached one')")
        filled.execute("DELETE FROM pgduet.code_chunks WHERE repo = 'new'")
        work(two_database)
        threading.Timer(0.5, reader.close).start()
        freed = drop_generation(filled, "other", report=said.append)
    assert f"waiting for transactions that use the vectors (process ids: {pid})" in said
    assert said[-1] == "dropping code_embeddings_g2"
    assert freed > 100_000
    assert drop_generation(filled, "other") == 0
    assert scalar(filled, "SELECT to_regclass('pgduet.code_embeddings_g2')") is None
    row = filled.execute(
        "SELECT state, vectors, lacking, share_done, dropped_at IS NOT NULL"
        " FROM pgduet.generation_status WHERE name = 'other'"
    ).fetchone()
    assert row == ("dropped", 0, None, None, True)
    assert scalar(filled, "SELECT pgduet.retire('other')") == "generation other is dropped already"
    assert "already" in refusal(filled, "SELECT pgduet.add_generation('other')")[0]


def test_a_detaching_that_was_interrupted_is_ended_by_the_next_drop(filled: Connection, two_database: Database) -> None:
    filled.execute("SELECT pgduet.add_generation('small', 'third')")
    filled.execute("SELECT pgduet.retire('other'), pgduet.retire('third')")
    with two_database.connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM pgduet.code_embeddings")
        filled.execute("SET lock_timeout = '100ms'")
        detach = "ALTER TABLE pgduet.code_embeddings DETACH PARTITION pgduet.code_embeddings_g3 CONCURRENTLY"
        assert refusal(filled, detach)[2] == "55P03"
    said: list[str] = []
    drop_generation(filled, "other", report=said.append)
    assert said[0] == "ending the interrupted detaching of code_embeddings_g3"
    drop_generation(filled, "third")
    assert scalar(filled, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'pgduet.code_embeddings'::regclass") == 1
    assert filled.execute("SELECT state FROM pgduet.generations ORDER BY 1").fetchall() == [
        ("active",),
        ("dropped",),
        ("dropped",),
    ]


def test_one_session_drops_at_a_time_and_only_the_owner_may(filled: Connection, two_database: Database) -> None:
    filled.execute("SELECT pgduet.retire('other')")
    with two_database.connect() as other:
        other.execute("SELECT pg_advisory_lock(70962563)")
        with pytest.raises(PgduetError, match="another session is dropping a generation"):
            drop_generation(filled, "other")
        other.execute("SET ROLE pgduet_admin")
        with pytest.raises(PgduetError, match="does not own the tables"):
            drop_generation(other, "other")
        # A session that ends gives its locks back a little later than its client sees the end.
        other.execute("SELECT pg_advisory_unlock_all()")
    with pytest.raises(PgduetError, match="there is no generation 'nobody'"):
        drop_generation(filled, "nobody")


def test_a_worker_with_vectors_in_hand_survives_a_drop(
    filled: Connection, two_database: Database, duets: TwoDuets
) -> None:
    add_chunks(filled, 3, "late")
    duets.delay = 0.5
    worker = Worker(lambda: connect(two_database.conninfo, autocommit=True), Options(poll=0.2, index=False))
    failed: list[BaseException] = []

    def run() -> None:
        try:
            worker.run(once=True)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: any(one.model == "other" and "late 1" in one.contents for one in duets.requests))
    filled.execute("SELECT pgduet.retire('other')")
    drop_generation(filled, "other")
    thread.join(30)
    assert (failed, thread.is_alive()) == ([], False)
    assert scalar(filled, "SELECT count(*) FROM pgduet.code_embeddings") == 63
    assert scalar(filled, "SELECT count(*) FROM pgduet._pending") == 0
