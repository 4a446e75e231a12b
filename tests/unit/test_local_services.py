import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgduet.errors import PgduetError
from pgduet.local.services import Service

SLEEPER = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]
FAILING = [sys.executable, "-c", "import sys; sys.exit('no weights today')"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Service]:
    service = Service("sleeper", tmp_path, SLEEPER)
    yield service
    service.stop()


def is_ready(service: Service) -> bool:
    return service.log.exists() and "ready" in service.log.read_text()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; an ended one that nobody collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_service_runs_once_and_ends_by_its_pid(sleeper: Service) -> None:
    assert sleeper.start()
    sleeper.wait(lambda: is_ready(sleeper), 20)
    pid = sleeper.pid
    assert pid is not None
    assert sleeper.pid_file.read_text() == f"{pid}\n"
    assert os.getsid(pid) == pid
    assert not sleeper.start()
    assert sleeper.pid == pid
    assert sleeper.stop()
    assert not is_alive(pid)
    assert not sleeper.pid_file.exists()
    assert not sleeper.stop()


def test_another_process_finds_the_service_by_name_and_folder_alone(sleeper: Service) -> None:
    sleeper.start()
    same = Service("sleeper", sleeper.folder)
    assert same.pid == sleeper.pid
    assert same.stop()
    assert sleeper.pid is None


def test_a_stranger_with_the_number_in_the_pid_file_is_left_alone(sleeper: Service) -> None:
    sleeper.pid_file.write_text(f"{os.getpid()}\n")
    assert sleeper.pid is None
    assert not sleeper.stop()
    assert not sleeper.pid_file.exists()


def test_an_unreadable_pid_file_counts_as_not_running(sleeper: Service) -> None:
    sleeper.pid_file.write_text("")
    assert sleeper.pid is None
    assert sleeper.start()
    assert sleeper.pid is not None


def test_waiting_for_a_service_that_ends_shows_its_last_words(tmp_path: Path) -> None:
    service = Service("sidecar", tmp_path, FAILING)
    service.start()
    with pytest.raises(PgduetError, match=r"ended before it was ready(.|\n)*no weights today"):
        service.wait(lambda: False, 20)


def test_a_service_that_is_not_ready_in_time_is_stopped(sleeper: Service) -> None:
    sleeper.start()
    with pytest.raises(PgduetError, match="not ready after 0 s"):
        sleeper.wait(lambda: False, 0.3)
    assert sleeper.pid is None


def test_a_program_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    service = Service("worker", tmp_path, ["/nonexistent/pgduet"])
    service.start()
    with pytest.raises(PgduetError, match="not found"):
        service.wait(lambda: False, 20)


def test_a_service_deaf_to_the_polite_signal_is_killed(tmp_path: Path) -> None:
    service = Service("stubborn", tmp_path, STUBBORN)
    service.start()
    service.wait(lambda: is_ready(service), 20)
    pid = service.pid
    assert pid is not None
    started = time.monotonic()
    assert service.stop(seconds=0.3)
    assert time.monotonic() - started < 5
    assert not is_alive(pid)


def test_a_service_gets_its_environment(tmp_path: Path) -> None:
    show = [sys.executable, "-c", "import os, time; print('ready', os.environ['COLOUR'], flush=True); time.sleep(60)"]
    service = Service("painter", tmp_path, show, {"COLOUR": "teal"})
    service.start()
    try:
        service.wait(lambda: is_ready(service), 20)
        assert service.log.read_text() == "ready teal\n"
    finally:
        service.stop()
