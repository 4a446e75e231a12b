"""Cases of group C: a sidecar that is away, that is killed at work, and that many sessions call at once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_database import Connection, Database
from fix_sidecar import Sidecar
from fix_worker import running_stub, running_worker, wait_until

pytestmark = pytest.mark.alone

INSERT = "INSERT INTO pgduet.code_chunks (chunk_id, content)"
# How many threads and MB the sidecar may gain under load.
GROWN = (20, 500)
STARTED = "SELECT pg_postmaster_start_time()"


@pytest.mark.parametrize("away", [4.0, pytest.param(180.0, marks=pytest.mark.slow)])
def test_c17_the_sidecar_is_not_there_and_then_it_is(any_mode: Case, folder: Path, away: float) -> None:
    case = any_mode
    in_sync = case.scalar("SELECT pgduet._trigger_mode()") == "sync"
    case.stub.stop()
    started = case.scalar(STARTED)
    with running_worker(case.database, folder) as worker:
        worker.wait_for("connected")
        for number in range(3):
            before = time.monotonic()
            if in_sync:
                # The policy of this mode: a statement whose vectors cannot be made fails, and changes nothing.
                with pytest.raises(psycopg.errors.IoError, match="cannot be reached"):
                    case.run(f"{INSERT} VALUES (%s, %s)", number, f"fn {number}")
                case.run("SET pgduet.trigger_mode = queue")
                before = time.monotonic()
                case.run(f"{INSERT} VALUES (%s, %s)", number, f"fn {number}")
                case.run("RESET pgduet.trigger_mode")
            else:
                case.run(f"{INSERT} VALUES (%s, %s)", number, f"fn {number}")
            assert time.monotonic() - before < 1
        for query in ("SELECT pgduet.embed('x')", "SELECT * FROM pgduet.similar_code('sort a list')"):
            before = time.monotonic()
            with pytest.raises(psycopg.errors.IoError, match="cannot be reached") as caught:
                case.run(query)
            assert time.monotonic() - before < 6
            assert caught.value.sqlstate == "58030"
            assert "pgduet serve" in str(caught.value.diag.message_hint)
        time.sleep(away)
        assert case.pending() == 3
        assert case.run("SELECT * FROM pgduet.failures") == []
        case.stub.start()
        up = time.monotonic()
        while not answers(case.session):
            assert time.monotonic() - up < 30
            time.sleep(0.1)
        case.settle(60)
        assert worker.process.poll() is None
    assert all(case.same(number, f"fn {number}") for number in range(3))
    assert case.scalar(STARTED) == started
    assert "terminated by signal" not in case.database.cluster.log.read_text(errors="replace")


def test_c19_the_sidecar_dies_in_the_middle_of_a_request_and_comes_back(queued: Case, folder: Path) -> None:
    address = f"unix:{folder}/dying.sock"
    queued.database.set("sidecar_address", address)
    with running_worker(queued.database, folder) as worker:
        with running_stub(address, folder, "--die-after-texts", "37", "--delay", "0.1") as stub:
            queued.run(f"{INSERT} SELECT g, 'row '||g FROM generate_series(1, 500) g")
            assert stub.process.wait(30) == 1
        assert 0 < queued.scalar("SELECT count(*) FROM pgduet.code_embeddings") < 37
        time.sleep(2)
        with running_stub(address, folder):
            queued.settle(180)
    assert_all_500_are_whole(queued, worker.complaints())


@pytest.mark.parametrize(("kills", "pause"), [(6, 1.0), pytest.param(6, 5.0, marks=pytest.mark.slow)])
def test_c19_the_sidecar_is_killed_again_and_again(queued: Case, folder: Path, kills: int, pause: float) -> None:
    address = f"unix:{folder}/dying.sock"
    queued.database.set("sidecar_address", address)
    queued.run(f"{INSERT} SELECT g, 'row '||g FROM generate_series(1, 500) g")
    with running_worker(queued.database, folder) as worker:
        for _ in range(kills):
            with running_stub(address, folder, "--delay", "0.8") as stub:
                time.sleep(pause * random.uniform(0.7, 1.3))
                stub.kill()
        with running_stub(address, folder):
            queued.settle(180)
    assert_all_500_are_whole(queued, worker.complaints())


class Asking:
    """Sessions that call embed() at once, again and again; `start` is called when all are warm."""

    def __init__(self, database: Database, sessions: int, calls: int, start: Callable[[], None]) -> None:
        self.vectors: dict[str, str] = {}
        self.errors: Counter[str] = Counter()
        self._database, self._calls = database, calls
        self._warm = threading.Barrier(sessions, start, 120)
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(sessions)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        with self._database.connect() as session:
            session.execute("SELECT pgduet.embed('warm')")
            self._warm.wait()
            for call in range(self._calls):
                text = f"text {number * self._calls + call}"
                try:
                    (self.vectors[text],) = session.execute("SELECT pgduet.embed(%s)::text", (text,)).fetchone() or (
                        "",
                    )
                except psycopg.Error as error:
                    self.errors[error.sqlstate or "lost"] += 1


@pytest.mark.parametrize(
    ("sessions", "calls", "workers", "rows"),
    [(50, 2, 4, 60), pytest.param(50, 40, 4, 2000, marks=pytest.mark.slow)],
)
def test_c21_many_sessions_at_once_get_what_each_would_have_got_alone(
    live_database: Database, sidecar: Sidecar, folder: Path, sessions: int, calls: int, workers: int, rows: int
) -> None:
    live_database.set("trigger_mode", "queue")
    # Loading the client library in fifty backends at once takes two cores longer than a call may take.
    live_database.set("deadline_ms", "60000")

    def start() -> None:
        live_database.set("deadline_ms", "5000")
        with live_database.connect() as session:
            session.execute(
                f"{INSERT} SELECT g, 'def f'||g||'(): return '||repeat(g||' + ', g %% 40)||g"
                " FROM generate_series(1, %s) g",
                (rows,),
            )

    with live_database.connect() as watcher, ExitStack() as stack:
        names = [f"worker{number}" for number in range(workers)]
        running = [stack.enter_context(running_worker(live_database, folder, name=name)) for name in names]
        for worker in running:
            worker.wait_for("connected")
        asking = Asking(live_database, sessions, calls, start)
        wait_until(lambda: asking.vectors or asking.errors, 120)
        before = sidecar_size(sidecar.pid)
        asking.wait()
        done = "SELECT count(*) FROM pgduet.code_embeddings"
        wait_until(lambda: watcher.execute(done).fetchone() == (rows,), 60 + rows)
        sizes = zip(before, sidecar_size(sidecar.pid), GROWN, strict=True)
        assert all(after - first <= grown for first, after, grown in sizes)
        assert watcher.execute("SELECT count(*) FROM pgduet.failures").fetchone() == (0,)
        assert_as_alone(watcher, asking.vectors, 20 if rows < 1000 else 200)
        assert "Already borrowed" not in sidecar.log_text()
        assert not any("Already borrowed" in one.log_text() for one in running)
        # Nothing but "busy", and of that less than one in a hundred.
        assert set(asking.errors) <= {"53000"}, asking.errors
        assert asking.errors.total() <= sessions * calls / 100
        assert answers(watcher)


def assert_as_alone(session: Connection, vectors: dict[str, str], most: int) -> None:
    """Compare vectors with those of a lone call; a space keeps it out of the sidecar's cache and adds no token."""
    query = "SELECT %s::public.halfvec OPERATOR(public.<=>) pgduet.embed(%s)"
    for text in random.Random(0).sample(sorted(vectors), min(len(vectors), most)):
        (distance,) = session.execute(query, (vectors[text], f"{text} ")).fetchone() or (1,)
        assert distance < 0.001


def assert_all_500_are_whole(case: Case, complaints: list[str]) -> None:
    assert case.wrong() == 0
    assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings") == 500
    assert case.all_same()
    assert case.run("SELECT * FROM pgduet.failures") == []
    assert len(complaints) <= 60


def answers(session: Connection) -> bool:
    try:
        session.execute("SELECT pgduet.embed('x')")
        session.execute("SELECT * FROM pgduet.similar_code('sort a list')")
    except psycopg.errors.IoError:
        return False
    return True


def sidecar_size(pid: int) -> tuple[int, int]:
    """Give the threads and the memory in MB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("Threads:")[1].split()[0]), int(status.split("VmRSS:")[1].split()[0]) // 1024
