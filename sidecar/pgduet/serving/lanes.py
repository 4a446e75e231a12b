"""Work that waits for the model: queries in one lane, documents in another."""

import time
from collections import deque

from pgduet.serving.turns import Turns
from pgduet.serving.work import Job, ModelGoneError, Outcome, Work

Batch = list[Work]

# A request with less time than this is waited for: an INSERT, not a worker's load.
HURRY_SECONDS = 20.0
# After this long without a query or such a request nobody is expected to wait.
QUIET_SECONDS = 10.0


class Lanes:
    """Two queues that one duet's model thread takes batches from, in turn with the threads of other duets.

    A batch never mixes queries with documents, nor whole vectors with halves. Where lately nobody was in a hurry,
    documents go in batches of up to `bulk_tokens`: larger ones are faster, and nobody waits behind them.
    """

    def __init__(self, batch_tokens: int, turns: Turns | None = None, bulk_tokens: int = 0) -> None:
        """Take `turns` that several duets share; without them the lanes always have the turn."""
        self._batch_tokens = batch_tokens
        self._bulk_tokens = max(batch_tokens, bulk_tokens)
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

    def running(self) -> Batch:
        """Return the batch that was taken last; what of it is done has its result."""
        return self._running

    def put(self, job: Job, *, query: bool) -> None:
        """Add a job at the end of its lane, unless others compute all of it; raises ModelGoneError after `close`."""
        with self._turns.changed:
            if self._closed:
                raise ModelGoneError("the model has stopped")
            if query or job.deadline - time.monotonic() < HURRY_SECONDS:
                self._turns.hurried_at = time.monotonic()
            job.start()
            if job.next():
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
                asked = self.has_work(query=True)
                self._running = self._cut(self._queries, self._batch_tokens)
                if not self._running and not asked:
                    self._running = self._cut(self._documents, self._document_tokens())
                if self._running:
                    self._turns.begin(self)
                    return self._running
                # All that waited had been given up: whose turn it is has changed.
                self._turns.changed.notify_all()
        return []

    def interrupt(self) -> Batch:
        """Between two passes of documents: let queries of any duet go first, and cut a batch of this one's.

        Where none is left it is empty, and the documents have their turn again.
        """
        with self._turns.changed:
            if not self._closed:
                self._turns.pause(self)
            while not self._closed:
                if not self._turns.is_next(self):
                    self._turns.changed.wait()
                    continue
                asked = self.has_work(query=True)
                batch = self._cut(self._queries, self._batch_tokens)
                if batch or not asked:
                    self._running = [*batch, *(work for work in self._running if work.result is None)]
                    self._turns.begin(self)
                    return batch
                # As in `take`: what this one had the turn for is gone.
                self._turns.changed.notify_all()
        return []

    def postpone(self, seconds: float) -> None:
        """Note that nothing was computed for so long of what the model has in hand."""
        for work in self._running:
            if work.result is None:
                work.taken_at += seconds

    def end(self, work: Work, result: Outcome | Exception) -> None:
        """Give the requests that wait for a work its outcome, or an error that ends them."""
        with self._turns.changed:
            work.end(result)

    def close(self) -> None:
        """Take no more work and fail what waits or runs, so that no caller waits for ever."""
        with self._turns.changed:
            self._closed = True
            gone = ModelGoneError("the model has stopped")
            for job in (*self._queries, *self._documents):
                job.fail(gone)
            for work in self._running:
                if work.result is None:
                    work.end(gone)
            self._turns.leave(self)
            self._turns.changed.notify_all()

    def _document_tokens(self) -> int:
        is_quiet = time.monotonic() - self._turns.hurried_at > QUIET_SECONDS
        return self._bulk_tokens if is_quiet else self._batch_tokens

    def _cut(self, lane: deque[Job], room: int) -> Batch:
        batch: Batch = []
        while alike := [job for job in lane if not batch or job.part is batch[0].part]:
            # Who must have an answer first goes first: one text of an SQL function before a worker's many.
            job = min(alike, key=lambda job: job.deadline)
            lane.remove(job)
            if not job.wanted():
                continue
            # A text larger than the whole budget goes alone.
            while (work := job.next()) and (not batch or work.cost <= room):
                work.take()
                room -= work.cost
                batch.append(work)
            if work:
                # To the back: small requests do not wait until a large one is through.
                lane.append(job)
                break
        return batch
