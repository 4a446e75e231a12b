"""Wakes idle lanes when something was queued. Polling is the net: nothing is lost where no wake-up comes through."""

import threading
import time
from collections.abc import Callable

from pgduet.database.connection import Connection, is_pooled, wait_for_notify
from pgduet.database.errors import readable_errors
from pgduet.errors import PgduetError

_CHANNEL = "pgduet_pending"
_INDEX_CHANNEL = "pgduet_index"
_RETRY_SECONDS = 10.0
_SLICE_SECONDS = 0.5


class Waker(threading.Thread):
    """Listen on a connection of its own; behind a pooler not at all, and polling does."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        super().__init__(name="waker", daemon=True)
        self._connect = connect
        self._condition = threading.Condition()
        self._calls = 0
        # Set when pgduet.reindex() was called: the index is looked at before its time.
        self.index_asked = threading.Event()
        self._stopping = threading.Event()

    @property
    def calls(self) -> int:
        """Count the calls so far: who looks at the queue remembers it, and hears what comes while it looks."""
        return self._calls

    def wait(self, calls: int, seconds: float) -> None:
        """Wait so long at most, less when something was queued since so many calls, or the worker stops."""
        deadline = time.monotonic() + seconds
        with self._condition:
            while self._calls == calls and not self._stopping.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                self._condition.wait(left)

    def wake(self) -> None:
        """Wake all that wait."""
        with self._condition:
            self._calls += 1
            self._condition.notify_all()

    def stop(self) -> None:
        """Wake all that wait, for the last time."""
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        """Listen until stopped; a lost connection is made again."""
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    if is_pooled(connection):
                        # The pooler's connection would go on listening, for whoever has it next.
                        return
                    with readable_errors():
                        # Refused by a standby, until it is promoted.
                        connection.execute(f"LISTEN {_CHANNEL}; LISTEN {_INDEX_CHANNEL}")
                    # What came before LISTEN took effect was not heard.
                    self.wake()
                    while not self._stopping.is_set():
                        channels = wait_for_notify(connection, _SLICE_SECONDS)
                        if _CHANNEL in channels:
                            self.wake()
                        if _INDEX_CHANNEL in channels:
                            self.index_asked.set()
            except PgduetError:
                self._stopping.wait(_RETRY_SECONDS)
