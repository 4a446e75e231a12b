"""A worker that is told to stop ends soon, gives back what it does not finish, and leaves no mess."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_database import Connection, Database
from fix_worker import add_chunks, make_worker, scalar, wait_until
from stub_sidecar import StubSidecar

STATES = "SELECT state, chunks FROM pgduet.queue_status WHERE chunks > 0 ORDER BY state"


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "queue")
    with stub_database.connect() as connection:
        yield connection


def test_sigterm_gives_back_what_hangs_and_leaves(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.hang = True
    add_chunks(session, 40)
    command = [str(Path(sys.executable).with_name("pgduet")), "worker", "--no-index"]
    process = subprocess.Popen(command, env=stub_database.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_until(lambda: len(stub.requests) >= 2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()
    assert session.execute(STATES).fetchall() == [("waiting", 40)]
    assert scalar(session, "SELECT count(leased_until) + max(attempts) FROM pgduet._pending") == 0
    assert scalar(session, "SELECT count(*) FROM pgduet.worker_status") == 0


def test_a_worker_that_waits_for_a_lock_of_the_database_ends_all_the_same(
    session: Connection, stub_database: Database
) -> None:
    add_chunks(session, 5)
    with session.transaction():
        session.execute("LOCK TABLE pgduet.code_chunks IN ACCESS EXCLUSIVE MODE")
        worker = make_worker(stub_database, index=False, reconcile=3600)
        thread = threading.Thread(target=worker.run)
        thread.start()
        time.sleep(2)
        worker.stop()
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()
    assert session.execute(STATES).fetchall() == [("waiting", 5)]


def test_a_statement_that_a_stop_finds_under_way_may_end_by_itself(
    session: Connection, stub_database: Database
) -> None:
    log = stub_database.cluster.log
    before = len(log.read_bytes())
    with session.transaction():
        # The first round waits for it.
        session.execute("LOCK TABLE pgduet._snapshot IN ACCESS EXCLUSIVE MODE")
        worker = make_worker(stub_database, index=False, reconcile=3600)
        thread = threading.Thread(target=worker.run)
        thread.start()
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)
        worker.stop()
        time.sleep(0.1)
    thread.join(10)
    assert not thread.is_alive()
    assert b"canceling statement" not in log.read_bytes()[before:]
