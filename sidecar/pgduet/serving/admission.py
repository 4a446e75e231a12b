"""How much work may wait."""

from collections.abc import Iterator
from contextlib import contextmanager

MIN_PUSHBACK = 0.1
MAX_PUSHBACK = 10.0


class BusyError(Exception):
    """Too many tokens are queued; `retry_after` is the time in seconds that they are expected to take."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Admission:
    """Count the tokens that one lane has promised to compute. Not thread-safe: the event loop owns it."""

    def __init__(self, limit: int) -> None:
        self.tokens = 0
        self._limit = limit

    @contextmanager
    def reserve(self, tokens: int, speed: float) -> Iterator[None]:
        """Hold room for `tokens` while the block runs; `speed` in tokens per second tells how long to stay away.

        Raises BusyError when the lane is full. An idle lane takes any request, or a large one would never get in.
        """
        if self.tokens and self.tokens + tokens > self._limit:
            wait = min(max(self.tokens / speed, MIN_PUSHBACK), MAX_PUSHBACK)
            raise BusyError(
                f"{self.tokens} tokens are queued and {tokens} more would pass the limit of {self._limit}", wait
            )
        self.tokens += tokens
        try:
            yield
        finally:
            self.tokens -= tokens
