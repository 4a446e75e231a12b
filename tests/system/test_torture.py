"""Clients change rows for minutes while sidecar and workers are killed: afterwards every row has its own vector."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database
from fix_sidecar import open_directory
from pgduet.client import EmbeddingClient
from stub_sidecar import stub_vector

ROWS = 20_000
CLIENTS = 8
WORKERS = 2
SETTLE_SECONDS = 120

WRONG = """
    SELECT
      count(*) FILTER (WHERE c.content_hash IS NOT NULL AND e.chunk_id IS NULL) AS without_a_vector,
      count(*) FILTER (WHERE c.content_hash IS NULL AND e.chunk_id IS NOT NULL) AS orphans,
      count(*) FILTER (WHERE c.content_hash <> e.content_hash) AS stale,
      count(*) FILTER (WHERE (c.repo, c.path, c.language) IS DISTINCT FROM (e.repo, e.path, e.language)
        AND c.content_hash IS NOT NULL) AS misfiled
    FROM pgduet.code_chunks c FULL JOIN pgduet.code_embeddings e USING (chunk_id)
"""


class Killed:
    """Run a command again and again, each time killed after a few seconds."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self.kills = 0
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=output, stderr=output)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)


class Client(threading.Thread):
    """Insert, update and delete in small transactions on rows that no other client touches."""

    def __init__(self, database: Database, number: int, isolation: str, until: float) -> None:
        super().__init__(name=f"client {number}")
        self._database, self._number, self._isolation, self._until = database, number, isolation, until
        self._random = random.Random(number)
        self.errors: Counter[str] = Counter()
        self.longest = 0.0
        self.statements = 0

    def run(self) -> None:
        with self._database.connect() as session:
            session.execute(f"SET default_transaction_isolation = '{self._isolation}'")
            while time.monotonic() < self._until:
                try:
                    with session.transaction():
                        for _ in range(self._random.randint(1, 4)):
                            self._step(session)
                except psycopg.Error as error:
                    self.errors[error.sqlstate or "lost"] += 1
                time.sleep(self._random.random() * 0.02)

    def _step(self, session: Connection) -> None:
        started = time.monotonic()
        session.execute(*self._statement())
        self.longest = max(self.longest, time.monotonic() - started)
        self.statements += 1

    def _statement(self) -> tuple[str, dict[str, object]]:
        first = self._random.randrange(ROWS) // CLIENTS * CLIENTS + self._number
        ids = [first + CLIENTS * step for step in range(self._random.choice((1, 1, 1, 5, 40)))]
        self._random.shuffle(ids)
        values = {"ids": ids, "text": f"version {self._random.random()} of", "blank": self._random.random() < 0.05}
        change = self._random.random()
        if change < 0.5:
            return (
                "UPDATE pgduet.code_chunks SET content = CASE WHEN %(blank)s THEN ' ' ELSE %(text)s || chunk_id END"
                " WHERE chunk_id = ANY (%(ids)s)",
                values,
            )
        if change < 0.6:
            return "UPDATE pgduet.code_chunks SET path = %(text)s WHERE chunk_id = ANY (%(ids)s)", values
        if change < 0.75:
            return "DELETE FROM pgduet.code_chunks WHERE chunk_id = ANY (%(ids)s)", values
        return (
            "INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT u, %(text)s || u"
            " FROM unnest(%(ids)s::bigint[]) u"
            " ON CONFLICT (chunk_id) DO UPDATE SET content = excluded.content",
            values,
        )


@contextmanager
def victims(database: Database, folder: Path) -> Iterator[list[Killed]]:
    """Run the sidecar's stub and the workers."""
    address = f"unix:{folder}/stub.sock"
    stub = [sys.executable, str(Path(__file__).parent.parent / "stub_sidecar.py"), "--listen", address]
    worker = [str(Path(sys.executable).with_name("pgduet")), "worker", "--lease", "15", "--poll", "1"]
    environment = {**os.environ, **database.environment, "PGDUET_SIDECAR": address}
    database.set("sidecar_address", address)
    running = [Killed(stub, environment, folder / "stub.log")]
    running += [Killed(worker, environment, folder / f"worker{number}.log") for number in range(WORKERS)]
    try:
        yield running
    finally:
        for victim in running:
            victim.end()


def kill_now_and_then(running: list[Killed], until: float, chance: random.Random) -> None:
    while time.monotonic() < until:
        time.sleep(chance.uniform(5, 10) / len(running))
        victim = chance.choice(running)
        victim.kill()
        time.sleep(chance.uniform(0, 1))
        victim.start()


def wait_until_empty(session: Connection) -> float:
    started = time.monotonic()
    while session.execute("SELECT EXISTS (SELECT FROM pgduet._pending)").fetchone() == (True,):
        if time.monotonic() - started > SETTLE_SECONDS:
            left = session.execute("SELECT state, chunks, last_error FROM pgduet.queue_status").fetchall()
            pytest.fail(f"the queue was not empty after {SETTLE_SECONDS} s: {left}")
        time.sleep(0.2)
    return time.monotonic() - started


def wrong_vectors(session: Connection) -> int:
    """Count vectors that are not the stub's for their chunk's content; every twentieth row is compared."""
    wrong = 0
    rows = session.execute(
        "SELECT c.content, e.embedding::text FROM pgduet.code_chunks c JOIN pgduet.code_embeddings e USING (chunk_id)"
        " WHERE c.chunk_id % 20 = 0"
    )
    for content, text in rows:
        vector = np.array(text.strip("[]").split(","), dtype=np.float32)
        wrong += bool(vector @ stub_vector(content) < 0.999)
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "isolation", "seconds"),
    [("queue", "read committed", 180), ("queue", "repeatable read", 180), ("auto", "read committed", 60)],
)
def test_nothing_is_lost_or_mixed_up_while_everything_is_killed(
    database: Database, mode: str, isolation: str, seconds: int
) -> None:
    with open_directory() as folder, victims(database, folder) as running, database.connect() as session:
        with EmbeddingClient(f"unix:{folder}/stub.sock") as client:
            client.wait_ready(60)
        database.set("trigger_mode", "queue")
        session.execute(
            "INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT g, 'row ' || g FROM generate_series(0, %s) g",
            (ROWS - 1,),
        )
        database.set("trigger_mode", mode)
        until = time.monotonic() + seconds
        clients = [Client(database, number, isolation, until) for number in range(CLIENTS)]
        for client_thread in clients:
            client_thread.start()
        kill_now_and_then(running, until, random.Random(seconds))
        for client_thread in clients:
            client_thread.join()
        settled = wait_until_empty(session)
        errors = sum((one.errors for one in clients), Counter())
        print(
            f"{sum(one.statements for one in clients)} statements, {sum(one.kills for one in running)} kills,"
            f" longest statement {max(one.longest for one in clients):.2f} s, settled in {settled:.1f} s"
        )
        assert errors == {}
        if mode == "queue":
            assert max(one.longest for one in clients) < 1
        assert session.execute(WRONG).fetchone() == (0, 0, 0, 0)
        assert session.execute("SELECT count(*) FROM pgduet.failures").fetchone() == (0,)
        assert wrong_vectors(session) == 0
        log = database.cluster.log.read_text(errors="replace")
        assert "deadlock detected" not in log
