"""Work that waits for the model: queries in one lane, documents in another."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pgduet.encoding import Part
from pgduet.serving.cache import Row
from pgduet.serving.turns import Turns

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


class Job:
    """The texts of one request; `done` gets their outcomes in order. Cancelling `done` drops what has not started."""

    def __init__(self, tokens: "Sequence[Tokens]", part: Part = Part.BOTH, deadline: float | None = None) -> None:
        """Take tokenised texts, what is wanted of them, and the moment (time.monotonic) after which nobody wants it."""
        self.tokens = tokens
        self.part = part
        self.done: Future[list[Outcome]] = Future()
        self.deadline = inf if deadline is None else deadline
        self._outcomes: dict[int, Outcome] = {}
        # Shortest first, so that the texts of a batch are of like length.
        self.waiting = deque(sorted(range(len(tokens)), key=self.cost))

    def cost(self, position: int) -> int:
        """Count the tokens that are read of one text by the encoders that run."""
        return len(self.tokens[position].code_ids) + len(self.tokens[position].text_ids)

    def wanted(self) -> bool:
        """Tell whether somebody still waits; work past its deadline is failed here."""
        if time.monotonic() > self.deadline:
            self.fail(ExpiredError("the deadline passed before the model got to the request"))
        return not self.done.done()

    def add(self, position: int, outcome: Outcome) -> None:
        """Note the outcome of one text; the last one completes the job."""
        self._outcomes[position] = outcome
        if len(self._outcomes) == len(self.tokens):
            with suppress(InvalidStateError):  # cancelled while it was computed
                self.done.set_result([self._outcomes[i] for i in range(len(self.tokens))])

    def fail(self, error: Exception) -> None:
        """End the job with an error unless it ended before."""
        with suppress(InvalidStateError):
            self.done.set_exception(error)


Batch = list[tuple[Job, int]]


class Lanes:
    """Two queues that one duet's model thread takes batches from, in turn with the threads of other duets.

    A batch never mixes queries with documents, nor whole vectors with halves.
    """

    def __init__(self, batch_tokens: int, turns: Turns | None = None) -> None:
        """Take `turns` that several duets share; without them the lanes always have the turn."""
        self._batch_tokens = batch_tokens
        self._queries: deque[Job] = deque()
        self._documents: deque[Job] = deque()
        self._running: Batch = []
        self._closed = False
        self._turns = turns or Turns()
        with self._turns.changed:
            self._turns.join(self)

    def has_work(self, *, query: bool) -> bool:
        """Tell whether queries, or documents, wait; among them may be some that were given up."""
        return bool(self._queries if query else self._documents)

    def put(self, job: Job, *, query: bool) -> None:
        """Add a job at the end of its lane; raises ModelGoneError after `close`."""
        with self._turns.changed:
            if self._closed:
                raise ModelGoneError("the model has stopped")
            (self._queries if query else self._documents).append(job)
            self._turns.changed.notify_all()

    def take(self) -> Batch:
        """End the turn of the batch before, wait for the next and cut a batch, queries first; empty after `close`.

        The batch is cut when the turn comes, so that a query which came meanwhile is in it.
        """
        with self._turns.changed:
            self._turns.end(self)
            while not self._closed:
                if not self._turns.is_next(self):
                    self._turns.changed.wait()
                    continue
                self._running = self._cut(self._queries) or self._cut(self._documents)
                if self._running:
                    self._turns.begin(self)
                    return self._running
                # All that waited had been given up: whose turn it is has changed.
                self._turns.changed.notify_all()
        return []

    def close(self) -> None:
        """Take no more work and fail what waits or runs, so that no caller waits for ever."""
        with self._turns.changed:
            self._closed = True
            for job in (*self._queries, *self._documents, *(job for job, _ in self._running)):
                job.fail(ModelGoneError("the model has stopped"))
            self._turns.leave(self)
            self._turns.changed.notify_all()

    def _cut(self, lane: deque[Job]) -> Batch:
        batch: Batch = []
        room = self._batch_tokens
        while alike := [job for job in lane if not batch or job.part is batch[0][0].part]:
            # Who must have an answer first goes first: one text of an SQL function before a worker's many.
            job = min(alike, key=lambda job: job.deadline)
            lane.remove(job)
            if not job.wanted():
                continue
            # A text larger than the whole budget goes alone.
            while job.waiting and (not batch or job.cost(job.waiting[0]) <= room):
                position = job.waiting.popleft()
                room -= job.cost(position)
                batch.append((job, position))
            if job.waiting:
                # To the back: small requests do not wait until a large one is through.
                lane.append(job)
                break
        return batch
