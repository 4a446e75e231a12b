"""Outages of sidecar or database: how long to pause, what to log, what the heartbeat says."""

import random
import threading

import structlog

from pgduet.client import SidecarError
from pgduet.errors import PgduetError

_FIRST_PAUSE = 0.5

log = structlog.get_logger("pgduet.worker")


class Outage:
    """Know whether the worker can work; shared by its lanes, so that one outage is one story in the log."""

    def __init__(self, longest_pause: float) -> None:
        self._longest_pause = longest_pause
        self._lock = threading.Lock()
        self._failures = 0
        self._error: PgduetError | None = None

    @property
    def detail(self) -> str | None:
        """Say what keeps the worker from working, None where nothing does."""
        error = self._error
        return None if error is None else str(error)

    def pause(self, error: PgduetError, at_least: float | None = None) -> float:
        """Note a failure; return the seconds to wait: half a second, doubled to the longest, spread by a quarter."""
        with self._lock:
            self._failures += 1
            count = self._failures
            if isinstance(error, SidecarError) or not isinstance(self._error, SidecarError):
                self._error = error
        seconds = min(self._longest_pause, _FIRST_PAUSE * float(2 ** min(count - 1, 10)))
        # The first of an outage and then ever fewer: a log that fills up tells nobody anything.
        if count & (count - 1) == 0:
            reason = error.told if isinstance(error, SidecarError) else str(error)
            log.warning("waiting", reason=reason, hint=error.hint, failures=count)
        return max(at_least or 0.0, seconds * random.uniform(0.75, 1.25))  # noqa: S311

    def over(self, *, sidecar: bool) -> None:
        """Note that the sidecar has answered, or only the database: that ends no outage of the sidecar."""
        with self._lock:
            if self._error is None or (isinstance(self._error, SidecarError) and not sidecar):
                return
            count, self._failures, self._error = self._failures, 0, None
        log.info("working again", failures=count)
