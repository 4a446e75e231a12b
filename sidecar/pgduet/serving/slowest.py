"""The searches that took longest: when, for how long and under which id, never what they asked."""

import heapq
import threading
import time
from dataclasses import dataclass

KEPT = 50
_DAY = 86_400.0


@dataclass(frozen=True, order=True)
class SlowQuery:
    """Hold one answered query: seconds it took, time of the answer since 1970, id, tokens computed."""

    seconds: float
    at: float
    request_id: str
    tokens: int


class Slowest:
    """Keep the slowest queries of the last day; any thread may note one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A heap: the fastest of them is the first to go.
        self._heap: list[SlowQuery] = []

    def note(self, seconds: float, request_id: str, tokens: int) -> None:
        """Take a query in where it is among the slowest."""
        with self._lock:
            self._forget()
            heapq.heappush(self._heap, SlowQuery(seconds, time.time(), request_id, tokens))
            if len(self._heap) > KEPT:
                heapq.heappop(self._heap)

    def all(self) -> list[SlowQuery]:
        """Return them, the slowest first."""
        with self._lock:
            self._forget()
            return sorted(self._heap, reverse=True)

    def _forget(self) -> None:
        oldest = time.time() - _DAY
        if any(one.at < oldest for one in self._heap):
            self._heap = [one for one in self._heap if one.at >= oldest]
            heapq.heapify(self._heap)
