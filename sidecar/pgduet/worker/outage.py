"""Outages of sidecar or database: how long to pause, what to log, what the heartbeat says."""

import random
import threading

import structlog

from pgduet.errors import PgduetError

_FIRST_PAUSE = 0.5

log = structlog.get_logger("pgduet.worker")


class Outage:
    """Know whether the worker can work; shared by its lanes, so that one outage is one story in the log."""

    def __init__(self, longest_pause: float) -> None:
        self._longest_pause = longest_pause
        self._lock = threading.Lock()
        self._failures = 0
        self.detail: str | None = None

    def pause(self, error: PgduetError, at_least: float | None = None) -> float:
        """Note a failure; return the seconds to wait: half a second, doubled to the longest, spread by a quarter."""
        with self._lock:
            self._failures += 1
            count = self._failures
            self.detail = str(error)
        seconds = min(self._longest_pause, _FIRST_PAUSE * float(2 ** min(count - 1, 10)))
        # The first of an outage and then ever fewer: a log that fills up tells nobody anything.
        if count & (count - 1) == 0:
            log.warning("waiting", reason=str(error), hint=error.hint, failures=count)
        return max(at_least or 0.0, seconds * random.uniform(0.75, 1.25))  # noqa: S311

    def over(self) -> None:
        """Note that work goes on."""
        with self._lock:
            count, self._failures, self.detail = self._failures, 0, None
        if count:
            log.info("working again", failures=count)
