"""A worker's sign of life in the database, every few seconds, whatever its lanes are doing."""

import os
import socket
import threading
from collections.abc import Callable
from importlib.metadata import version

from pgduet.database.connection import Connection
from pgduet.database.queue import Queue
from pgduet.errors import PgduetError
from pgduet.worker.metrics import Metrics
from pgduet.worker.outage import Outage


class Heart(threading.Thread):
    """Beat on a connection of its own until stopped; the database's outages are left to the lanes to tell of."""

    def __init__(
        self, connect: Callable[[], Connection], worker: str, seconds: float, metrics: Metrics, outage: Outage
    ) -> None:
        super().__init__(name="heart", daemon=True)
        self._seconds = seconds
        self._connect = connect
        self._worker = worker
        self._metrics = metrics
        self._outage = outage
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Beat no more, and leave."""
        self._stopping.set()

    def run(self) -> None:
        """Beat until stopped, then take the row away."""
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    queue = Queue(connection, self._worker)
                    while not self._stopping.is_set():
                        self._beat(queue)
                        self._stopping.wait(self._seconds)
                    queue.leave()
            except PgduetError:
                self._stopping.wait(self._seconds)

    def _beat(self, queue: Queue) -> None:
        detail = self._outage.detail
        queue.beat(
            socket.gethostname(),
            os.getpid(),
            version("pgduet"),
            "waiting" if detail else "working",
            detail,
            self._metrics.embedded_total,
            self._metrics.failed_total,
        )
