"""Fixtures with real worker processes, ended by pid."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fix_database import Connection, Database
from fix_sidecar import open_directory
from pgduet.database.connection import connect
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

_CALM = re.compile(r"\[(debug|info) *\]")


@dataclass
class Running:
    """A process of ours with its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        """Wait until these words stand in the log."""
        wait_until(lambda: words in self.log_text(), 60, f"no {words!r} in the log")

    def complaints(self) -> list[str]:
        """Give the lines of the log that are warnings or worse."""
        return [line for line in self.log_text().splitlines() if not _CALM.search(line)]


@contextmanager
def running(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[Running]:
    """Run a command; end it by its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
    try:
        yield Running(process, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_worker(database: Database, folder: Path, *options: str, name: str = "worker") -> Iterator[Running]:
    """Run `pgduet worker` on a database, looking often."""
    command = worker_command("--no-index", "--poll", "0.5", *options)
    with running(command, folder / f"{name}.log", database.environment) as worker:
        yield worker


def worker_command(*options: str) -> list[str]:
    return [str(Path(sys.executable).with_name("pgduet")), "worker", *options]


@contextmanager
def running_stub(address: str, folder: Path, *options: str) -> Iterator[Running]:
    """Run the stub of the sidecar as a process of its own, which can be killed."""
    command = [sys.executable, str(Path(__file__).with_name("stub_sidecar.py")), "--listen", address, *options]
    with running(command, folder / "stub.log") as stub:
        deadline = time.monotonic() + 60
        while "listening" not in stub.log_text():
            if stub.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the stub did not start:\n{stub.log_text()}")
            time.sleep(0.05)
        yield stub


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a short-named folder that every OS user can pass through."""
    with open_directory() as directory:
        yield directory


def wait_until(condition: Callable[[], Any], seconds: float = 30, message: str = "not within the time") -> None:
    """Wait until a condition holds; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(message)
        time.sleep(0.05)


def add_chunks(session: Connection, rows: int, word: str = "r") -> None:
    """Insert so many chunks with different contents."""
    session.execute(
        "INSERT INTO pgduet.code_chunks (content) SELECT %s || g FROM generate_series(1, %s) g", (word, rows)
    )


def make_worker(database: Database, **options: Any) -> Worker:
    """Make a worker in this process that is quick to look and to try again."""
    quick = {"poll": 0.2, "longest_pause": 1.0, "heartbeat": 0.5}
    return Worker(lambda: connect(database.conninfo, autocommit=True), Options(**{**quick, **options}))


def scalar(session: Connection, query: str) -> Any:
    """Return the one value that a query gives."""
    row = session.execute(query).fetchone()
    assert row is not None
    return row[0]
