"""How much work may wait, and who would wait in vain."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf

from pgduet.encoding import Role
from pgduet.serving.speed import Speed
from pgduet.serving.work import Work

MIN_PUSHBACK = 0.1
MAX_PUSHBACK = 10.0
# Why a request is refused: no room in the lane, or no time.
FULL = "full"
LATE = "late"


class BusyError(Exception):
    """The request would wait too long; `retry_after` is the time in seconds to stay away, `reason` FULL or LATE."""

    def __init__(self, message: str, reason: str, retry_after: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = min(max(retry_after, MIN_PUSHBACK), MAX_PUSHBACK)


class Claim:
    """What one request has still to be computed: an estimate in tokens, and once they are known its own works."""

    def __init__(self, estimate: int, deadline: float) -> None:
        self.works: list[Work] | None = None
        self.deadline = deadline
        self.estimate = estimate

    def left(self) -> list[Work]:
        """Return the works that are not done."""
        return [work for work in self.works or () if work.result is None]

    def tokens(self) -> int:
        """Count what is not done."""
        return self.estimate if self.works is None else sum(work.cost for work in self.left())


class Admission:
    """Know what both lanes have promised to compute. Not thread-safe: the event loop owns it.

    `running` gives the works that the model has in hand.
    """

    def __init__(self, limit: int, speed: Speed, running: Callable[[], Iterable[Work]]) -> None:
        self._limit = limit
        self._speed = speed
        self._running = running
        self._claims: dict[Role, list[Claim]] = {role: [] for role in Role}

    def tokens(self, role: Role) -> int:
        """Count what a lane has still to compute."""
        return sum(claim.tokens() for claim in self._claims[role])

    @contextmanager
    def admit(self, role: Role, estimate: int, deadline: float = inf) -> Iterator[Claim]:
        """Hold room for so many tokens while the block runs; `deadline` is a moment of time.monotonic().

        Raises BusyError when the lane is full, or what goes first would leave too little time. An idle lane takes any
        request: a large one would never get in, and only trying tells how fast the machine is by now.
        """
        queued = self.tokens(role)
        # Nothing is computed for a request whose texts others wait for.
        if queued and estimate:
            self._refuse_full(queued, estimate)
            self._refuse_late(role, estimate, deadline)
        claim = Claim(estimate, deadline)
        self._claims[role].append(claim)
        try:
            yield claim
        finally:
            self._claims[role].remove(claim)

    def ahead(self, role: Role, deadline: float = inf) -> int:
        """Count the tokens that are computed before a request with that deadline gets its turn."""
        first = [claim for claim in self._claims[role] if claim.deadline <= deadline]
        if role is Role.DOCUMENT:
            first += self._claims[Role.QUERY]
        running = {work for work in self._running() if work.result is None}
        waiting = {work for claim in first for work in claim.left()} - running
        estimated = sum(claim.estimate for claim in first if claim.works is None)
        documents = {work for work in running if work.role is Role.DOCUMENT}
        loaded = self._left(documents)
        if role is Role.QUERY:
            # It is let in between two passes: each has no more than an ordinary batch, or one text that is longer.
            most = max((work.cost for work in documents), default=0)
            loaded = min(loaded, max(most, self._speed.batch_tokens))
        return _cost(waiting) + estimated + loaded + self._left(running - documents)

    def _left(self, batch: set[Work]) -> int:
        """Guess how much of a batch in hand is not done by now."""
        since = max((work.taken_at for work in batch), default=0.0)
        return max(0, _cost(batch) - int((time.monotonic() - since) * self._speed.value))

    def _refuse_full(self, queued: int, estimate: int) -> None:
        if queued + estimate > self._limit:
            message = f"{queued} tokens are queued and {estimate} more would pass the limit of {self._limit}"
            raise BusyError(message, FULL, queued / self._speed.value)

    def _refuse_late(self, role: Role, estimate: int, deadline: float) -> None:
        if deadline == inf or not self._speed.is_measured:
            return
        wait = self.ahead(role, deadline) / self._speed.value
        own, left = estimate / self._speed.value, deadline - time.monotonic()
        if wait + own > left:
            message = (
                f"{wait:.2g} s of work go first and the request takes {own:.2g} s, but its deadline is in {left:.2g} s"
            )
            # Once so much less waits, the same request has time enough; one that never has gets in when all is done.
            raise BusyError(message, LATE, min(wait, wait + own - left))


def _cost(works: Iterable[Work]) -> int:
    return sum(work.cost for work in works)
