"""From inserted code to answers of a duet that learned from it, and back, while others search and write."""

import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fix_database import Connection, Database
from fix_generations import scalar
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from fix_worker import wait_until
from pgduet.chunking import chunk_code
from pgduet.encoding import Duet
from pgduet.encoding.store.layout import duet_folder
from pgduet.training.mining.documented import documented
from pgduet.training.mining.sides import side_of

PGDUET = str(Path(sys.executable).with_name("pgduet"))
# Documented functions of installed packages, one package for each side.
PACKAGES = {"jinja2": ("train", 110), "click": ("dev", 30), "structlog": ("test", 30)}
SEARCHES = (
    "SELECT chunk_id, similarity FROM pgduet.similar_code('compile a template', repo => 'jinja2', k => 10)",
    "SELECT chunk_id, similarity FROM pgduet.similar_to(1, repo => 'jinja2', k => 10)",
)
ADD = "INSERT INTO pgduet.code_chunks (repo, path, language, content) VALUES (%s, %s, 'python', %s)"
PENDING = "SELECT sum(pending) FROM pgduet.coverage"

Rows = list[tuple[Any, ...]]


@pytest.fixture
def models(duet: Duet, tmp_path: Path) -> Path:
    """Give a model store with `small` in it."""
    store = tmp_path / "models"
    store.mkdir()
    (store / duet.name).symlink_to(duet_folder(duet.name))
    return store


@pytest.fixture
def serving(models: Path) -> Iterator[Sidecar]:
    with open_directory() as directory, running_sidecar(directory, models_dir=str(models)) as own:
        wait_serving(own)
        yield own


def functions(package: str, most: int) -> Iterator[tuple[str, str]]:
    """Yield path and text of documented functions of an installed package."""
    root = Path(sysconfig.get_path("purelib"))
    for file in sorted((root / package).rglob("*.py")):
        for chunk in chunk_code(file.read_text(), "python", file.name):
            short = chunk.kind in ("function", "method") and len(chunk.content) < 1200
            if short and most and documented(chunk.content, "python"):
                most -= 1
                yield str(file.relative_to(root)), chunk.content


class Clients:
    """Two who search and two who write until the block ends; what they found and what failed."""

    def __init__(self, database: Database) -> None:
        self._database, self._ended = database, threading.Event()
        self.found: list[list[Rows]] = [[] for _ in SEARCHES]
        self.written = [0, 0]
        self.errors: list[Exception] = []
        jobs = [partial(self._search, place) for place in range(2)] + [partial(self._write, place) for place in (0, 1)]
        self._threads = [threading.Thread(target=self._run, args=(job,)) for job in jobs]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, job: Any) -> None:
        try:
            with self._database.connect() as session:
                while not self._ended.wait(0.7):
                    job(session)
        except Exception as error:
            self.errors.append(error)

    def _search(self, place: int, session: Connection) -> None:
        rows = session.execute(SEARCHES[place].encode()).fetchall()
        if rows not in self.found[place]:
            self.found[place].append(rows)

    def _write(self, place: int, session: Connection) -> None:
        self.written[place] += 1
        session.execute(ADD, ("new", "new.py", f"def written_{place}_{self.written[place]}(): pass"))


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen([PGDUET, "worker", "--poll", "0.2"], env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_what_is_learned_from_the_table_answers_searches_and_can_be_taken_back(
    database: Database, serving: Sidecar, models: Path, tmp_path: Path
) -> None:
    database.set("sidecar_address", serving.address)
    environment = {**os.environ, **database.environment, "PGDUET_MODELS_DIR": str(models)}
    environment["PGDUET_SIDECAR"] = serving.address

    def pgduet(*arguments: str) -> str:
        done = subprocess.run([PGDUET, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    assert {name: side_of(name) for name in PACKAGES} == {name: side for name, (side, _) in PACKAGES.items()}
    with database.connect() as session, worker(environment, tmp_path / "worker.log"):
        session.execute("SET pgduet.trigger_mode = 'queue'")
        for package, (_, most) in PACKAGES.items():
            for path, code in functions(package, most):
                session.execute(ADD, (package, path, code))
        wait_until(lambda: scalar(session, PENDING) == 0, 600, "the worker did not embed all chunks")
        before = [session.execute(query.encode()).fetchall() for query in SEARCHES]
        with Clients(database) as clients:
            report = json.loads(pgduet("mine", "--least", "60", "--json"))
            assert all(report["triplets"]["docstring"][side] >= 20 for side in ("train", "dev", "test"))
            plan = ("--steps", "6", "--batch", "16", "--check-every", "3", "--rate", "2e-4", "--max-tokens", "48")
            assert "held out" in pgduet("finetune", "small-1", *plan)
            # Given again, it finds everything done.
            assert "by an earlier run" in pgduet("finetune", "small-1", *plan)
            pgduet("models", "load", "small-1")
            # All but the chunks just written have a vector of the new duet.
            lacking = "SELECT lacking FROM pgduet.generation_status WHERE name = 'small-1'"
            wait_until(lambda: scalar(session, lacking) < 20, 600, "the new generation was not filled")
            gate = scalar(session, "SELECT metrics -> 'gate' FROM pgduet.generations WHERE name = 'small-1'")
            assert (gate["metric"], gate["questions"] >= 20, "passed" in gate) == ("ndcg@10", True, True)
            assert scalar(session, "SELECT fingerprint FROM pgduet.generations WHERE name = 'small-1'")
            # Chunks are being written, and six steps may not have passed the gate: both are overruled, and recorded.
            session.execute("SELECT pgduet.promote('small-1', true, 'to see it switch')")
            after = [session.execute(query.encode()).fetchall() for query in SEARCHES]
            written = sum(clients.written)
            assert scalar(session, "SELECT name FROM pgduet.generations WHERE state = 'active'") == "small-1"
            threading.Event().wait(2)
            session.execute("SELECT pgduet.rollback()")
            again = [session.execute(query.encode()).fetchall() for query in SEARCHES]
            threading.Event().wait(2)
        assert clients.errors == []
        assert after != before
        assert again == before
        # Nobody ever saw another answer than that of one of the two, and everybody saw both.
        assert all(found in ([one, other],) for found, one, other in zip(clients.found, before, after, strict=True))
        assert sum(clients.written) > written > 0
        pgduet("generation", "wait", "small-1")
        status = session.execute("SELECT name, lacking FROM pgduet.generation_status ORDER BY 1").fetchall()
        assert status == [("small", 0), ("small-1", 0)]
        recorded = "SELECT kind, forced FROM pgduet._promotion WHERE reason = 'to see it switch'"
        assert session.execute(recorded).fetchall() == [("promote", True)]
