"""Several sidecars behind one setting: one dies, one hangs, and nobody who asks has to know."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_database import Database
from fix_sidecar import open_directory
from fix_worker import Running, running_stub, running_worker, wait_until
from stub_sidecar import StubSidecar

pytestmark = pytest.mark.alone

# What docs/scaling.md promises: a sidecar that hangs is noticed within so many seconds.
NOTICED = 4.0
INSERT = "INSERT INTO pgduet.code_chunks (chunk_id, content)"


class Clients:
    """Sessions that ask one text after the other; `asked` notes when each call began, how long it took, its error."""

    def __init__(self, database: Database, sessions: int) -> None:
        self.asked: list[tuple[float, float, str]] = []
        self._database = database
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(sessions)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def since(self, moment: float) -> list[tuple[float, str]]:
        """Give seconds and error of the calls that began after a moment."""
        return [(seconds, error) for began, seconds, error in self.asked if began > moment]

    def _ask(self, number: int) -> None:
        with self._database.connect() as session:
            while not self._ending.is_set():
                began, error = time.monotonic(), ""
                try:
                    session.execute("SELECT pgduet.embed(%s)", (f"text {number} {began}",))
                except psycopg.Error as raised:
                    error = f"{raised.sqlstate}: {raised}"
                self.asked.append((began, time.monotonic() - began, error))
                time.sleep(0.02)


@contextmanager
def stubs(folder: Path, names: str) -> Iterator[list[Running]]:
    """Run stubs as processes of their own; one that was stopped by a signal ends too."""
    with ExitStack() as stack:
        running = []
        for name in names:
            (folder / name).mkdir(exist_ok=True)
            running.append(stack.enter_context(running_stub(f"unix:{folder}/{name}.sock", folder / name)))
        try:
            yield running
        finally:
            for one in running:
                if one.process.poll() is None:
                    os.kill(one.process.pid, signal.SIGCONT)


def test_one_dies_and_one_hangs_and_the_third_answers_everything(queued: Case, folder: Path) -> None:
    case = queued
    case.database.set("sidecar_address", ",".join(f"unix:{folder}/{name}.sock" for name in "abc"))
    with (
        stubs(folder, "abc") as (dying, hanging, third),
        running_worker(case.database, folder) as worker,
        Clients(case.database, 4) as clients,
    ):
        worker.wait_for("connected")
        wait_until(lambda: len(clients.asked) > 40, 60, "nobody was answered")
        start = time.monotonic()
        case.run(
            "INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT g, 'row '||g FROM generate_series(1, 400) g"
        )
        time.sleep(0.2)
        dying.kill()
        os.kill(hanging.process.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        case.settle(30)
        time.sleep(max(0.0, stopped + NOTICED + 2 - time.monotonic()))
        # Whoever was being answered by one of the two has its answer from the third, a little later.
        assert [error for _, error in clients.since(start) if error] == []
        assert max(seconds for seconds, _ in clients.since(start)) < 5
        after = clients.since(stopped + NOTICED + 0.5)
        assert len(after) > 20
        assert max(seconds for seconds, _ in after) < 1
        slowest, usual = max(clients.since(start)), sorted(after)[len(after) // 2]
        print(f"{len(clients.since(start))} calls, the slowest took {slowest[0]:.2f} s, the usual one {usual[0]:.4f} s")
        # Both are back and have to do all the work.
        os.kill(hanging.process.pid, signal.SIGCONT)
        with stubs(folder, "a"):
            time.sleep(2)
            third.kill()
            alone = time.monotonic()
            case.run(f"{INSERT} SELECT g, 'row '||g FROM generate_series(401, 500) g")
            case.settle(30)
            wait_until(lambda: len(clients.since(alone)) > 20)
            assert [error for _, error in clients.since(alone) if error] == []
    assert case.wrong() == 0
    assert case.all_same()
    assert case.run("SELECT * FROM pgduet.failures") == []


@pytest.fixture
def pair(database: Database) -> Iterator[tuple[StubSidecar, StubSidecar]]:
    """Give two stubs that a database calls in turn."""
    with open_directory() as folder, ExitStack() as stack:
        one, other = (stack.enter_context(StubSidecar(f"unix:{folder}/{name}.sock")) for name in "ab")
        database.set("sidecar_address", f"{one.address} {other.address}")
        yield one, other


def test_one_with_another_duet_under_the_name_is_refused_and_never_mixed_in(
    database: Database, pair: tuple[StubSidecar, StubSidecar]
) -> None:
    database.set("trigger_mode", "sync")
    with database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('first')")
        pair[1].fingerprint = "another"
        states = []
        for number in range(12):
            try:
                session.execute("INSERT INTO pgduet.code_chunks (content) VALUES (%s)", (f"row {number}",))
                states.append("stored")
            except psycopg.Error as error:
                states.append(f"{error.sqlstate} {error.diag.message_hint}")
        assert states.count("stored") == 6
        assert {state[:5] for state in states} == {"store", "55000"}
        assert any("another version of the model" in state for state in states)
        found = session.execute("SELECT count(*) FROM pgduet.code_embeddings").fetchone()
        assert found == (7,)
        details = session.execute("SELECT status, detail FROM pgduet.health() WHERE component = 'model'").fetchall()
        assert [status for status, _ in details] == ["ok", "fail"]
        assert pair[1].address in details[1][1]


def test_one_statement_never_mixes_vectors_where_no_fingerprint_is_known_yet(
    database: Database, pair: tuple[StubSidecar, StubSidecar]
) -> None:
    pair[1].fingerprint = "another"
    database.set("batch_texts", "1")
    with database.connect() as session:
        with pytest.raises(psycopg.Error) as caught:
            session.execute("SELECT * FROM pgduet.embed_batch(ARRAY['a', 'b', 'c', 'd'])")
        assert caught.value.sqlstate == "55000"
        assert session.execute("SELECT pgduet.embed('the next statement') IS NOT NULL").fetchone() == (True,)


def test_health_tells_of_each_sidecar_by_its_address(database: Database, pair: tuple[StubSidecar, StubSidecar]) -> None:
    pair[0].stop()
    with database.connect() as session:
        rows = session.execute(
            "SELECT status, detail FROM pgduet.health() WHERE component = 'sidecar' ORDER BY status"
        ).fetchall()
        assert session.execute("SELECT pgduet.embed('x') IS NOT NULL").fetchone() == (True,)
    assert [status for status, _ in rows] == ["fail", "ok"]
    for (_, detail), stub in zip(rows, pair, strict=True):
        assert stub.address in detail


def test_a_list_that_cannot_be_called_says_what_to_write(database: Database) -> None:
    database.set("sidecar_address", "unix:/a.sock,127.0.0.1:50517")
    with database.connect() as session:
        with pytest.raises(psycopg.Error, match="unix sockets and TCP addresses in one list") as caught:
            session.execute("SELECT pgduet.embed('x')")
        assert caught.value.sqlstate == "22023"
        assert "pgduet db set sidecar_address" in (caught.value.diag.message_hint or "")
        rows = session.execute("SELECT status FROM pgduet.health() WHERE component = 'backend'").fetchall()
        assert ("fail",) in rows
