"""Changed rows of watched tables: read, cut by the sidecar with no transaction open, written as chunks."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence

import grpc
import structlog

from pgduet.client import EmbeddingClient, RequestRefusedError, SidecarBusyError, SidecarError, SidecarUnavailableError
from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError
from pgduet.database.sources import ClaimedRow, SourceChunk, SourceQueue, SourceRow, list_watches, rescan
from pgduet.v1 import embedding_pb2 as pb

BATCH = 64
# Rows of a table are queued so many at a time: the queue stays short, and so does each statement.
SLICE = 20_000
MAX_ATTEMPTS = 8
# A row that somebody is just changing, or whose table is locked, is looked at again soon.
_BUSY_SECONDS = 1.0
_LONGEST_CALL = 30.0
_PROBE_SECONDS = 5.0
_PROBE = "def probe(): return 1"
# SQLSTATE classes that say something about a row's values: bad data, a constraint, a limit such as an index entry's.
_ROW_CLASSES = ("22", "23", "54")

log = structlog.get_logger("pgduet.worker")


def work_sources(
    connection: Connection,
    client: EmbeddingClient,
    worker: str,
    lease: float,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Take a batch of changed rows and bring their chunks up to date; return how many queue entries were taken.

    `lease` in seconds. Raises SidecarError, after giving back what was not done, where the sidecar is at fault;
    DatabaseError.
    """
    # A name of its own for each claim: the queue tells a late answer by it, even from another lane of this worker.
    queue = SourceQueue(connection, f"{worker}/{uuid.uuid4().hex[:8]}")
    claimed = queue.claim(BATCH, lease)
    if not claimed:
        return 0
    batch = _Batch(connection, client, queue, time.monotonic() + lease / 2, stopping)
    try:
        batch.work(claimed)
    finally:
        if not connection.closed:
            queue.release(_BUSY_SECONDS if batch.met_a_lock else 0)
    return len(claimed)


def reconcile_sources(connection: Connection) -> int:
    """Queue rows of all watched tables that no trigger told of, a slice of each; return how many. Raises DatabaseError.

    Where a table has more, the queue holds a request to go on after the slice.
    """
    queued = 0
    for watch_id in list_watches(connection):
        try:
            queued += _rescan(connection, watch_id)
        except DatabaseError as error:
            if not _is_lock(error):
                raise
            log.info("a watched table is locked and waits", watch=watch_id)
    return queued


def _rescan(connection: Connection, watch_id: int) -> int:
    queued = rescan(connection, watch_id, SLICE)
    if queued:
        log.info("looked through a watched table", watch=watch_id, queued=queued, more=queued == SLICE)
    return queued


def _is_lock(error: DatabaseError) -> bool:
    """Tell a lock that was not to be had in time, or a deadlock: nobody's failure, and other tables go on."""
    return error.sqlstate == "55P03" or (error.sqlstate or "").startswith("40")


class _Batch:
    """What one claim holds, worked off until `until` (monotonic seconds)."""

    def __init__(
        self,
        connection: Connection,
        client: EmbeddingClient,
        queue: SourceQueue,
        until: float,
        stopping: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._client = client
        self._queue = queue
        self._until = until
        self._stopping = stopping
        self._attempts: dict[tuple[int, str], int] = {}
        self.met_a_lock = False

    def work(self, claimed: Iterable[ClaimedRow]) -> None:
        """Bring rows up to date, table by table; a table that is locked holds up no other."""
        by_watch: dict[int, list[str]] = {}
        looks: set[int] = set()
        for one in claimed:
            keys = by_watch.setdefault(one.watch_id, [])
            if one.row_key is None:
                looks.add(one.watch_id)
            else:
                keys.append(one.row_key)
                self._attempts[one.watch_id, one.row_key] = one.attempts
        for watch_id, keys in by_watch.items():
            try:
                if watch_id in looks:
                    _rescan(self._connection, watch_id)
                self._work_table(watch_id, keys)
            except DatabaseError as error:
                if not _is_lock(error):
                    raise
                self.met_a_lock = True
                log.info("changed rows wait for a lock", watch=watch_id, reason=str(error))

    def _work_table(self, watch_id: int, keys: Sequence[str]) -> None:
        for row in self._queue.resolve(watch_id, keys) if keys else ():
            if self._stopping() or time.monotonic() > self._until:
                return
            self._bring(watch_id, row)

    def _bring(self, watch_id: int, row: SourceRow) -> None:
        """Cut one row and write its chunks; where the row is at fault say so, where the sidecar is raise."""
        attempts = self._attempts[watch_id, row.row_key]
        try:
            chunks = self._cut(row) if row.content is not None else []
            written = self._queue.write(watch_id, row, chunks)
            if not written:
                log.debug("a row is in other hands by now", row_key=row.row_key)
        except SidecarError as error:
            if self._is_outage(error):
                raise
            self._blame(watch_id, row, error.told, final=_refuses(error) or attempts >= MAX_ATTEMPTS)
        except DatabaseError as error:
            if (error.sqlstate or "")[:2] not in _ROW_CLASSES:
                raise
            self._blame(watch_id, row, str(error), final=True)

    def _blame(self, watch_id: int, row: SourceRow, reason: str, *, final: bool) -> None:
        log.warning("a row cannot be cut into chunks", row_key=row.row_key, reason=reason, given_up=final)
        if final:
            self._queue.write(watch_id, row, [], reason)
        else:
            self._queue.fail(watch_id, row.row_key, reason)

    def _cut(self, row: SourceRow) -> list[SourceChunk]:
        content = row.content or ""
        timeout = max(1.0, min(_LONGEST_CALL, self._until - time.monotonic()))
        try:
            reply = self._client.chunk(content, row.language, row.path, timeout)
        except RequestRefusedError as error:
            if not row.language or not _refuses(error):
                raise
            # Perhaps no language that is known: the path tells one, else it is cut by lines.
            reply = self._client.chunk(content, "", row.path, timeout)
        return [_chunk(chunk, row.language) for chunk in reply.chunks]

    def _is_outage(self, error: SidecarError) -> bool:
        """Tell whether the sidecar and not the row is at fault: another text decides where the status does not."""
        if _refuses(error):
            return False
        slow = error.code is grpc.StatusCode.DEADLINE_EXCEEDED
        if isinstance(error, SidecarBusyError | RequestRefusedError) or (
            isinstance(error, SidecarUnavailableError) and not slow
        ):
            return True
        if error.code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return True
        try:
            self._client.chunk(_PROBE, "python", timeout=_PROBE_SECONDS)
        except SidecarError:
            return True
        return False


def _refuses(error: SidecarError) -> bool:
    return error.code is grpc.StatusCode.INVALID_ARGUMENT


def _chunk(chunk: pb.CodeChunk, language: str) -> SourceChunk:
    return SourceChunk(
        chunk.symbol or None,
        chunk.kind or None,
        chunk.language or language.lower() or None,
        chunk.start_line,
        chunk.end_line,
        chunk.content,
    )
