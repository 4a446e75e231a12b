"""The queue of pending chunks as a worker sees it; each call is one statement, no call keeps a transaction open."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries
from pgduet.database.vectors import Bits, Halfs, register_vectors
from pgduet.errors import PgduetError

_START = -(2**63)
_SLICE = 20_000


class Claimed(NamedTuple):
    """Hold a chunk in this worker's hands with its queue rows; without an id: look at all chunks."""

    chunk_id: int | None
    seqs: list[int]
    attempts: int


class Needed(NamedTuple):
    """Hold what a model is needed for: a chunk's content in one generation; fingerprint "" where it has none yet."""

    generation_id: int
    model: str
    fingerprint: str
    is_active: bool
    chunk_id: int
    content_hash: bytes
    content: str


class Vector(NamedTuple):
    """Hold what the sidecar made of one text."""

    embedding: Halfs
    sketch: Bits
    code_tokens: int
    text_tokens: int
    truncated: bool


class Queue:
    """Work on the queue under a worker's name, on one connection in autocommit mode.

    Raises PgduetError where the role's default isolation level would show it stale rows. Every method raises
    DatabaseError. Nothing here needs a session: it works through a pooler in transaction mode.
    """

    def __init__(self, connection: Connection, worker: str) -> None:
        self._connection = connection
        self._worker = worker
        connection.prepare_threshold = None
        self._require_read_committed()
        register_vectors(connection)

    def claim(self, batch: int, lease: float) -> list[Claimed]:
        """Lease up to `batch` chunks for `lease` seconds."""
        rows = self._rows("claim", worker=self._worker, batch=batch, lease=lease)
        return [Claimed(*row) for row in rows]

    def resolve(self, chunk_ids: Sequence[int]) -> list[Needed]:
        """Do all that needs no model for these chunks; return what does, the active generation's first.

        Megabytes of content come in parts: what is left out here is still needed afterwards.
        """
        needed = self._rows("resolve", chunk_ids=list(chunk_ids))
        asked = sorted({row[4] for row in needed})
        contents = {row[:2]: row[2] for row in self._rows("contents", chunk_ids=asked)} if asked else {}
        # A content that changed in between has another hash; the change has queued the chunk again.
        return [Needed._make((*row, contents[row[4:6]])) for row in needed if row[4:6] in contents]

    def complete(
        self, needed: Sequence[Needed], vectors: Sequence[Vector], fingerprint: str, settled: Sequence[Claimed]
    ) -> int:
        """Write vectors of one generation and settle these chunks, in one statement; return how many were stored."""
        rows = self._rows(
            "complete",
            generation_id=needed[0].generation_id,
            fingerprint=fingerprint,
            chunk_ids=[one.chunk_id for one in needed],
            hashes=[one.content_hash for one in needed],
            embeddings=[vector.embedding for vector in vectors],
            sketches=[vector.sketch for vector in vectors],
            code_tokens=[vector.code_tokens for vector in vectors],
            text_tokens=[vector.text_tokens for vector in vectors],
            truncated=[vector.truncated for vector in vectors],
            worker=self._worker,
            **_queue_rows(settled),
        )
        return int(rows[0][0])

    def settle(self, settled: Sequence[Claimed]) -> None:
        """Take chunks off the queue that are current now, and give the rest back for later."""
        self._rows("settle", worker=self._worker, **_queue_rows(settled))

    def release_all(self) -> None:
        """Give back what this name still holds, as after a lost connection."""
        self._rows("release_all", worker=self._worker)

    def finish(self, seqs: Sequence[int]) -> None:
        """Take rows off the queue."""
        self._rows("finish", seqs=list(seqs))

    def release(self, seqs: Sequence[int], seconds: float, detail: str | None = None) -> None:
        """Give rows back untried, due in so many seconds."""
        self._rows("release", worker=self._worker, seqs=list(seqs), seconds=seconds, detail=detail)

    def fail(self, seqs: Sequence[int], error_class: str, error: str) -> None:
        """Give rows back after a failure of theirs; they come back after a pause that doubles each time."""
        self._rows("fail", worker=self._worker, seqs=list(seqs), error_class=error_class, error=error)

    def bury(self, needed: Needed, error_class: str, error: str, attempts: int, seqs: Sequence[int]) -> None:
        """Give a chunk up until its content changes."""
        self._rows(
            "bury",
            generation_id=needed.generation_id,
            chunk_id=needed.chunk_id,
            content_hash=needed.content_hash,
            error_class=error_class,
            error=error,
            attempts=attempts,
            seqs=list(seqs),
        )

    def reconcile(self, stopping: Callable[[], bool] = lambda: False) -> tuple[int, int]:
        """Compare all chunks with all vectors, a slice at a time; return how many were queued and removed."""
        after: int | None = _START
        enqueued = removed = 0
        while after is not None and not stopping():
            after, more_enqueued, more_removed = self._rows("reconcile_slice", after=after, slice=_SLICE)[0]
            enqueued, removed = enqueued + more_enqueued, removed + more_removed
        return enqueued, removed

    def next_due(self) -> float | None:
        """Give the seconds until something is due, None for an empty queue."""
        found = self._rows("next_due")[0][0]
        return None if found is None else float(found)

    def waiting(self) -> int:
        """Count the chunks in the queue."""
        return int(self._rows("waiting")[0][0])

    def beat(
        self, host: str, pid: int, version: str, state: str, detail: str | None, embedded: int, failed: int
    ) -> None:
        """Say that this worker lives, what it does and what it did."""
        self._rows(
            "beat",
            worker=self._worker,
            host=host,
            pid=pid,
            version=version,
            state=state,
            detail=detail,
            embedded=embedded,
            failed=failed,
        )

    def leave(self) -> None:
        """Say that this worker ends."""
        self._rows("leave", worker=self._worker)

    def setting(self, key: str) -> str:
        """Read one of the admin's settings."""
        return str(self._rows("setting", key=key)[0][0])

    def _require_read_committed(self) -> None:
        level = self._rows("isolation")[0][0]
        if level != "read committed":
            raise PgduetError(
                f"a worker cannot work under the default isolation level {level!r}: it would judge by rows of the past",
                hint="ALTER ROLE of the worker SET default_transaction_isolation = 'read committed'",
            )

    def _rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        # PostgreSQL's text holds no NUL; what a sidecar says may.
        clean = {key: value.replace("\0", "") if isinstance(value, str) else value for key, value in values.items()}
        with readable_errors():
            return self._connection.execute(load_queries("queue")[query], clean).fetchall()


def _queue_rows(settled: Sequence[Claimed]) -> dict[str, list[int]]:
    rows = [(one.chunk_id, seq) for one in settled if one.chunk_id is not None for seq in one.seqs]
    return {"settled_ids": [chunk_id for chunk_id, _ in rows], "settled_seqs": [seq for _, seq in rows]}
