"""Cases of group E: workers that die or sleep with chunks in hand, many workers at once, a pooler in between."""

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_pooler import pooled
from fix_worker import running, running_worker, wait_until, worker_command

INSERT = "INSERT INTO pgduet.code_chunks (chunk_id, content)"
LEASE = 4
IN_WORK = "SELECT count(*) FROM pgduet._pending WHERE leased_until > clock_timestamp()"
LEFT_LYING = "SELECT count(*) FROM pgduet._pending WHERE leased_until < clock_timestamp() - interval '10 s'"


@pytest.mark.parametrize("record", ["kept", "removed"])
def test_c29_a_killed_workers_chunks_are_taken_again_after_the_lease(queued: Case, folder: Path, record: str) -> None:
    queued.stub.hang = True
    queued.run(f"{INSERT} SELECT g, 'row '||g FROM generate_series(1, 30) g")
    with running_worker(queued.database, folder, "--lease", str(LEASE), name="first") as first:
        queued.wait_for_call()
        wait_until(lambda: queued.scalar("SELECT count(*) FROM pgduet.worker_status") == 1)
        held = queued.scalar(IN_WORK)
        assert held > 0
        first.kill()
    killed = time.monotonic()
    if record == "removed":
        queued.run("DELETE FROM pgduet._worker")
    queued.reset()
    with running_worker(queued.database, folder, "--lease", str(LEASE), name="second"):
        # It hangs as well: attempts are to be seen while the second worker has the chunks in hand.
        wait_until(lambda: queued.scalar("SELECT max(attempts) FROM pgduet._pending") == 2, LEASE + 10)
        assert time.monotonic() - killed < LEASE + 10
        queued.stub.hang = False
        queued.stub.stop()
        queued.stub.start()
        queued.settle(LEASE + 60)
        assert queued.scalar(LEFT_LYING) == 0
        # The first worker's row says that it was last seen long ago; a worker started later has a name of its own.
        assert queued.scalar("SELECT count(DISTINCT pid) FROM pgduet.worker_status") == (2 if record == "kept" else 1)
    assert queued.wrong() == 0
    assert queued.all_same()
    assert queued.run("SELECT * FROM pgduet.failures") == []


def test_c29_a_late_answer_of_a_worker_that_slept_overwrites_nothing(queued: Case, folder: Path) -> None:
    queued.stub.delay = 1.0
    queued.run(f"{INSERT} SELECT g, 'old '||g FROM generate_series(1, 10) g")
    with running_worker(queued.database, folder, "--lease", str(LEASE), name="sleeper") as sleeper:
        queued.wait_for_call()
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            queued.stub.delay = 0.0
            queued.run("UPDATE pgduet.code_chunks SET content = 'new '||chunk_id WHERE chunk_id <= 5")
            with running_worker(queued.database, folder, "--lease", str(LEASE), name="other"):
                queued.settle(LEASE + 30)
                assert queued.all_same()
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        time.sleep(2)
        assert queued.wrong() == 0
        assert queued.all_same()
        # The sleeper is awake and well: it goes on with what comes.
        queued.run(f"{INSERT} VALUES (11, 'after all')")
        queued.settle(LEASE + 30)
        assert queued.same(11, "after all")
        assert sleeper.process.poll() is None


def test_c31_many_workers_embed_each_content_once_while_rows_are_changing(queued: Case, folder: Path) -> None:
    queued.stub.delay = 0.05
    log = queued.database.cluster.log
    before = len(log.read_bytes())
    waits: list[float] = []

    def timed(session: "psycopg.Connection[tuple[object, ...]]", query: str, *values: object) -> None:
        started = time.monotonic()
        session.execute(query, values)
        waits.append(time.monotonic() - started)

    def busy() -> None:
        with queued.database.connect() as session:
            for number in range(100):
                timed(session, "UPDATE pgduet.code_chunks SET content = %s WHERE chunk_id = 1", f"busy {number}")
                time.sleep(0.02)

    def descending() -> None:
        with queued.database.connect() as session, session.transaction():
            for number in range(2000, 1900, -1):
                timed(session, "UPDATE pgduet.code_chunks SET content = %s WHERE chunk_id = %s", f"d {number}", number)
                time.sleep(0.005)

    with ExitStack() as stack:
        for number in range(4):
            worker = stack.enter_context(running_worker(queued.database, folder, name=f"worker{number}"))
            worker.wait_for("connected")
        queued.run(f"{INSERT} SELECT g, 'row '||g FROM generate_series(1, 2000) g")
        threads = [threading.Thread(target=work) for work in (busy, descending)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        queued.settle(120)
    sent = queued.texts()
    assert {text: times for text, times in sent.items() if times > 1} == {}
    assert sum(text.startswith("busy") for text in sent) <= 5
    assert sent.total() <= 2000 + 5 + 100
    assert queued.same(1, "busy 99")
    assert queued.wrong() == 0
    assert queued.all_same("c.chunk_id % 20 = 0 OR c.chunk_id > 1900")
    assert max(waits) < 1
    assert b"deadlock detected" not in log.read_bytes()[before:]


@pytest.mark.parametrize("notify", ["on", "off"])
def test_c33_worker_and_application_behind_a_pooler_in_transaction_mode(
    queued: Case, folder: Path, notify: str
) -> None:
    queued.database.set("notify", notify)
    log = queued.database.cluster.log
    before = len(log.read_bytes())
    with pooled(queued.database, folder) as pooler:

        def client(number: int) -> None:
            with psycopg.connect(pooler.conninfo, autocommit=True, prepare_threshold=None) as session:
                for row in range(10):
                    name = f"def client_{number}_{row}(): pass\n"
                    session.execute(f"{INSERT} VALUES (%s, %s)", (number * 10 + row, name + "x = 1  # \n" * 2000))

        # As anybody starts it: the poll time is the default.
        with running(worker_command(), folder / "worker.log", pooler.environment) as worker:
            worker.wait_for("connected")
            clients = [threading.Thread(target=client, args=(number,)) for number in range(20)]
            for thread in clients:
                thread.start()
            for thread in clients:
                thread.join()
            assert queued.scalar("SELECT count(*) FROM pgduet.code_chunks") == 200
            queued.settle(60)
            assert "the index is not kept through a pooler" in worker.log_text()
        assert worker.process.returncode == 0
        assert worker.complaints() == []
        assert [line for line in pooler.log_text().splitlines() if " WARNING " in line or " ERROR " in line] == []
    assert queued.wrong() == 0
    assert queued.all_same("c.chunk_id % 10 = 3")
    assert b"ERROR" not in log.read_bytes()[before:]


def test_c33_a_notification_carries_no_text_so_that_none_is_too_long(queued: Case) -> None:
    with queued.database.connect() as listener:
        listener.execute("LISTEN pgduet_pending")
        queued.run(f"{INSERT} SELECT g, repeat('x = 1  # ', 3000) || g FROM generate_series(1, 3) g")
        queued.run("UPDATE pgduet.code_chunks SET content = 'y' || content, path = repeat('p', 9000)")
        queued.run("DELETE FROM pgduet.code_chunks")
        heard = [note.payload for note in listener.notifies(timeout=5, stop_after=3)]
    assert heard == ["", "", ""]
