"""What waits for the model: texts, and the requests that want them."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pgduet.encoding import Part, Role
from pgduet.serving.cache import Row

if TYPE_CHECKING:
    from pgduet.encoding import Tokens


class ExpiredError(Exception):
    """The deadline passed before the model got to the work."""


class ModelGoneError(Exception):
    """The model thread has ended; nothing will be computed any more."""


@dataclass(frozen=True, slots=True)
class TextFailure:
    """The model failed on one text that it was given alone; `message` holds nothing of the text."""

    message: str


Outcome = Row | TextFailure


class Work:
    """One text to compute, for one request or for several that came while it was waiting or computed.

    The lock of the lanes guards all that changes.
    """

    def __init__(self, tokens: "Tokens", part: Part = Part.BOTH, role: Role = Role.DOCUMENT) -> None:
        self.tokens = tokens
        self.part = part
        self.role = role
        # Moments of time.monotonic().
        self.since = time.monotonic()
        self.taken_at = 0.0
        # Tokens that are read by the encoders that run.
        self.cost = len(tokens.code_ids) + len(tokens.text_ids)
        self.taken = False
        self.result: Outcome | Exception | None = None
        self._jobs: list[Job] = []

    def take(self) -> None:
        """Note that the model gets it now."""
        self.taken = True
        self.taken_at = time.monotonic()

    def join(self, job: "Job") -> None:
        """Let one more request have the outcome, at once where it is there."""
        if self.result is None:
            self._jobs.append(job)
        else:
            job.note(self.result)

    def end(self, result: Outcome | Exception) -> None:
        """Give all that wait the outcome, or the error that ends them."""
        self.result = result
        for job in self._jobs:
            job.note(result)
        self._jobs = []


class Job:
    """The works of one request; `done` gets their outcomes in order. Cancelling `done` drops what nobody else wants."""

    def __init__(self, works: Sequence[Work], deadline: float = inf) -> None:
        """Take the works and the moment (time.monotonic) after which nobody wants them."""
        self.done: Future[list[Outcome]] = Future()
        self.deadline = deadline
        self.part = works[0].part
        self._works = works
        self._waiting: deque[Work] = deque()
        self._missing = 0

    def start(self) -> None:
        """Join the works; those that nobody computes yet wait, shortest first, so that a batch is of like lengths."""
        works = dict.fromkeys(self._works)
        self._missing = len(works)
        self._waiting.extend(sorted((work for work in works if not work.taken), key=lambda work: work.cost))
        for work in works:
            work.join(self)

    def next(self) -> Work | None:
        """Give the shortest work that nobody has taken yet."""
        while self._waiting and self._waiting[0].taken:
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None

    def wanted(self) -> bool:
        """Tell whether somebody still waits; work past its deadline is failed here."""
        if time.monotonic() > self.deadline:
            self.fail(ExpiredError("the deadline passed before the model got to the request"))
        return not self.done.done()

    def note(self, result: Outcome | Exception) -> None:
        """Count one work as done; the last one completes the job, an error ends it."""
        if isinstance(result, Exception):
            self.fail(result)
            return
        self._missing -= 1
        if not self._missing:
            # An error of one work has ended the job before, so all are outcomes.
            outcomes = [work.result for work in self._works if isinstance(work.result, Outcome)]
            with suppress(InvalidStateError):  # cancelled while it was computed
                self.done.set_result(outcomes)

    def fail(self, error: Exception) -> None:
        """End the job with an error unless it ended before."""
        with suppress(InvalidStateError):
            self.done.set_exception(error)
