"""Fixtures: the stub of the sidecar (one per test) and the real sidecar with `small` (one per run)."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pgduet.client import EmbeddingClient
from stub_sidecar import StubSidecar

START_TIMEOUT = 300.0  # the first start on a machine fetches and converts the weights


@dataclass
class Sidecar:
    """A running `pgduet serve`."""

    address: str
    log: Path
    process: "subprocess.Popen[bytes]"
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_text(self) -> str:
        return self.log.read_text()


@contextmanager
def open_directory() -> Iterator[Path]:
    """Make a short-named directory that every OS user can pass through (a socket path has 107 bytes)."""
    with tempfile.TemporaryDirectory(prefix="pgduet-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextmanager
def running_sidecar(directory: Path, name: str = "sidecar", program: str = "", **settings: str) -> Iterator[Sidecar]:
    """Start `pgduet serve` on a unix socket in `directory`; end it by its pid. Settings as PGDUET_* without prefix.

    `program` is a Python file to run instead.
    """
    address = f"unix:{directory}/{name}.sock"
    log = directory / f"{name}.log"
    environment = {
        **os.environ,
        "PGDUET_ENGINE": "auto",
        "PGDUET_LISTEN": address,
        "PGDUET_SOCKET_MODE": "0666",
        "PGDUET_LOG_FORMAT": "json",
        "PGDUET_LOG_LEVEL": "debug",
        **{f"PGDUET_{key.upper()}": value for key, value in settings.items()},
    }
    command = [str(Path(sys.executable).with_name("pgduet")), "serve"]
    if program:
        command = [sys.executable, program]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield Sidecar(address=address, log=log, process=process, environment=environment)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_serving(sidecar: Sidecar, timeout: float = START_TIMEOUT) -> None:
    """Wait until health is SERVING; fail with the log when the process ends first."""
    deadline = time.monotonic() + timeout
    with EmbeddingClient(sidecar.address) as client:
        while not client.healthy():
            if sidecar.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the sidecar did not get ready:\n{sidecar.log_text()}")
            time.sleep(0.05)


@pytest.fixture
def stub() -> Iterator[StubSidecar]:
    """Give a stub of the sidecar on a unix socket that other OS users (postgres) may use."""
    with open_directory() as directory, StubSidecar(f"unix:{directory}/stub.sock") as running:
        yield running


@pytest.fixture(scope="session")
def sidecar() -> Iterator[Sidecar]:
    """Give the real sidecar with the real weights of `small`, ready to answer."""
    with open_directory() as directory, running_sidecar(directory) as running:
        wait_serving(running)
        yield running
