"""The words in which the cases speak: `src` is code_chunks, a chunk's vector that of its content's hash."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fix_database import Connection, Database
from fix_worker import wait_until
from stub_sidecar import StubSidecar, stub_vector

PENDING = "SELECT sum(chunks)::bigint FROM pgduet.queue_status WHERE state <> 'failed'"
VECTOR = (
    "SELECT e.embedding::text FROM pgduet.code_chunks c JOIN pgduet.code_embeddings e"
    " ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash WHERE c.chunk_id = %s"
)
# Vectors that are not of their chunk's present content, of no chunk, or lacking.
WRONG = (
    "SELECT count(*) FROM pgduet.code_chunks c FULL JOIN pgduet.code_embeddings e USING (chunk_id)"
    " WHERE c.content_hash IS DISTINCT FROM e.content_hash"
)


class Case:
    """A database, a session, and the stub that it calls."""

    def __init__(self, database: Database, session: Connection, stub: StubSidecar) -> None:
        self.database, self.session, self.stub = database, session, stub

    def run(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement; give its rows, none where it has none."""
        cursor = self.session.execute(query, values or None)
        return cursor.fetchall() if cursor.description else []

    def scalar(self, query: str, *values: Any) -> Any:
        return self.run(query, *values)[0][0]

    def pending(self) -> int:
        return int(self.scalar(PENDING))

    def settle(self, seconds: float) -> None:
        """Wait until nothing is pending; fail after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.pending():
            if time.monotonic() > deadline:
                pytest.fail(f"not settled after {seconds} s: {self.run('SELECT * FROM pgduet.queue_status')}")
            time.sleep(0.1)

    def vector(self, chunk_id: int) -> str | None:
        rows = self.run(VECTOR, chunk_id)
        return rows[0][0] if rows else None

    def same(self, chunk_id: int, text: str) -> bool:
        """Tell whether a chunk has the vector that the stub makes of this text."""
        vector = self.vector(chunk_id)
        return vector is not None and is_vector_of(vector, text)

    def all_same(self, where: str = "true") -> bool:
        """Tell whether every chunk has the vector of its own content."""
        rows = self.run(
            "SELECT c.content, e.embedding::text FROM pgduet.code_chunks c LEFT JOIN pgduet.code_embeddings e"
            f" ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash WHERE {where}"
        )
        return all(vector is not None and is_vector_of(vector, content) for content, vector in rows)

    def wrong(self) -> int:
        return int(self.scalar(WRONG))

    def rpc(self) -> int:
        return len(self.stub.requests)

    def texts(self) -> Counter[str]:
        """Count how often each text was sent since the log was reset."""
        return Counter(text for request in self.stub.requests for text in request.contents)

    def wait_for_call(self) -> None:
        """Wait until the stub is at work."""
        wait_until(lambda: any(not request.finished for request in self.stub.requests), 30, "nobody called")

    def reset(self) -> None:
        self.stub.requests.clear()


def is_vector_of(vector: str, text: str) -> bool:
    return bool(np.array(vector.strip("[]").split(","), dtype=np.float32) @ stub_vector(text) > 0.999)


@pytest.fixture
def case(stub_database: Database, stub: StubSidecar) -> Iterator[Case]:
    """Give a case in the default mode."""
    with stub_database.connect() as session:
        yield Case(stub_database, session, stub)


@pytest.fixture(params=["queue", "auto", "sync"])
def any_mode(case: Case, request: pytest.FixtureRequest) -> Case:
    """Give a case in each mode in turn."""
    case.database.set("trigger_mode", request.param)
    return case


@pytest.fixture
def queued(case: Case) -> Case:
    """Give a case in queue mode."""
    case.database.set("trigger_mode", "queue")
    return case
