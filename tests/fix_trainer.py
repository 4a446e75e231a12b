"""Trainers in this process and in processes of their own, whose commands may be a stand-in."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fix_database import Connection, Database
from fix_worker import Running, running, wait_until
from pgduet.database.connection import connect
from pgduet.training.requests.options import Options
from pgduet.training.requests.trainer import Trainer

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in_command.py")))


@dataclass
class Bench:
    """A database with a model store; trainers work on it, one after the other or several at once."""

    database: Database
    session: Connection
    store: Path

    def ask(self, arguments: str = "") -> int:
        """Ask for a run; return its number."""
        ((run_id,),) = self.session.execute(f"SELECT pgduet.finetune({arguments})".encode()).fetchall()
        return int(run_id)

    def row(self, run_id: int = 1) -> dict[str, Any]:
        """Read the history of a run."""
        cursor = self.session.execute("SELECT * FROM pgduet.finetune_history WHERE run_id = %s", (run_id,))
        (found,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description or ()], found, strict=True))

    def calls(self) -> list[list[str]]:
        """Give the commands that the stand-in was given."""
        return [json.loads(line) for line in (self.store / "calls").read_text().splitlines()]

    def pid(self) -> int | None:
        """Give the process that the stand-in runs in, if it got so far."""
        path = self.store / "pid"
        return int(path.read_text()) if path.exists() and path.read_text() else None

    def command(self) -> int | None:
        """Wait until the stand-in is at work; return its process."""
        wait_until(lambda: is_alive(self.pid()), 30, "no command runs")
        return self.pid()

    def once(self, how: str, **options: Any) -> None:
        """Do what is due, as a member of pgduet_admin."""
        chosen = Options(**{"pause": 0.0, "grace": 0.3, "models_dir": self.store, "program": STAND_IN, **options})

        def open_connection() -> Connection:
            dsn = f"{self.database.conninfo} options='-c role=pgduet_admin'"
            return connect(dsn, autocommit=True, application_name="pgduet trainer")

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PGDUET_STAND_IN", how)
            Trainer(open_connection, chosen).run(once=True)

    @contextmanager
    def trainer(self, how: str, name: str = "trainer") -> Iterator[Running]:
        """Run a trainer in a process of its own, which looks often."""
        command = [sys.executable, str(Path(__file__).with_name("stand_in_trainer.py")), str(self.store), *STAND_IN]
        environment = {**self.database.environment, "PGDUET_STAND_IN": how}
        with running(command, self.store / f"{name}.log", environment) as trainer:
            yield trainer

    def wait(self, run_id: int = 1, **wanted: Any) -> dict[str, Any]:
        """Wait until the history of a run says this."""
        wait_until(lambda: wanted.items() <= self.row(run_id).items(), 30, f"not {wanted}: {self.row(run_id)}")
        return self.row(run_id)


def is_alive(pid: int | None) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def bench(database: Database, folder: Path) -> Iterator[Bench]:
    store = folder / "models"
    store.mkdir()
    with database.connect() as session:
        yield Bench(database, session, store)


@pytest.fixture
def tiny_bench(forked: Database, folder: Path, tiny_store: Path) -> Iterator[Bench]:
    """Give a database with code to learn from, whose active duet is `tiny`, in a store of its own."""
    shutil.copytree(tiny_store, folder / "models")
    with forked.connect() as session:
        session.execute("UPDATE pgduet.generations SET model = 'tiny', name = 'tiny'")
        yield Bench(forked, session, folder / "models")
