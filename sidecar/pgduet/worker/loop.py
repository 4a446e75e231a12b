"""The worker's loop: embeds what lacks a vector and keeps the index, until it is told to stop."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.missing import embed_chunks, find_missing
from pgduet.errors import PgduetError
from pgduet.migrations.index import keep_index

_SLICE = 64
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0

log = structlog.get_logger("pgduet.worker")


class Worker:
    """Works in rounds, `interval` seconds apart: embed all that is pending, then look after the index.

    An outage of the sidecar or the database is waited out, with pauses that grow to a minute.
    """

    def __init__(self, connect: Callable[[], Connection], interval: float) -> None:
        self._connect = connect
        self._interval = interval
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the slice in work."""
        self._stopping.set()

    def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once` do one round and let its errors out."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    log.info("connected", database=connection.info.dbname)
                    while not self._stopping.is_set():
                        self._round(connection)
                        pause = _FIRST_PAUSE
                        if once:
                            return
                        self._stopping.wait(self._interval)
            except PgduetError as error:
                if once or (isinstance(error, DatabaseError) and not error.is_passing):
                    raise
                log.warning("waiting", reason=str(error), seconds=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _round(self, connection: Connection) -> None:
        self._embed_all(connection)
        if self._stopping.is_set():
            return
        try:
            with readable_errors():
                log.info("index", state=keep_index(connection))
        except DatabaseError as error:
            if error.sqlstate is None:
                raise
            # Vectors are worth more than the index: searches work without it.
            log.warning("the index was not looked after", reason=str(error), hint=error.hint)

    def _embed_all(self, connection: Connection) -> None:
        """Go once through all that is pending; what cannot be embedded waits for the next round."""
        last, embedded = 0, 0
        while not self._stopping.is_set() and (ids := find_missing(connection, last, _SLICE)):
            last = ids[-1]
            embedded += self._embed(connection, ids)
            log.info("embedded", chunks=embedded)

    def _embed(self, connection: Connection, ids: list[int]) -> int:
        """Embed a slice; where it fails for a reason that does not pass, each chunk by itself."""
        try:
            return embed_chunks(connection, ids)
        except DatabaseError as error:
            if error.is_passing:
                raise
            if len(ids) > 1:
                return sum(self._embed(connection, [chunk_id]) for chunk_id in ids)
            log.warning("a chunk cannot be embedded", chunk_id=ids[0], reason=str(error), hint=error.hint)
            return 0


@contextmanager
def stopping_on_signals(worker: Worker) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop a worker inside the block."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
