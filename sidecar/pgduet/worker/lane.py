"""One lane of a worker: takes chunks, has them embedded with no transaction open, writes what still holds."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby

import structlog

from pgduet.client import SidecarError
from pgduet.database.errors import DatabaseError
from pgduet.database.queue import Claimed, Needed, Queue, Vector
from pgduet.errors import PgduetError
from pgduet.worker.embedding import ROW_PERMANENT, ROW_TEMPORARY, Embedder, Failure, Outcome
from pgduet.worker.metrics import Metrics
from pgduet.worker.options import Options
from pgduet.worker.outage import Outage

# So many times more than its attempts a chunk may have been in the hands of a worker that ended.
_LAST_TRIES = 2
# How long a generation beside the active one is left alone after a failure.
_REST_SECONDS = 60.0

log = structlog.get_logger("pgduet.worker")


class Lane:
    """Work off the queue on one connection; `embedder` is this lane's, `metrics` and `outage` are all lanes'."""

    def __init__(
        self,
        queue: Queue,
        embedder: Embedder,
        options: Options,
        metrics: Metrics,
        outage: Outage,
        stopping: Callable[[], bool],
    ) -> None:
        self._queue = queue
        self._embedder = embedder
        self._options = options
        self._metrics = metrics
        self._outage = outage
        self._stopping = stopping
        self._hand: dict[int, Claimed] = {}
        self._resting: dict[int, float] = {}

    def turn(self) -> bool:
        """Take what one request holds and bring it to an end; tell whether there was anything.

        Raises SidecarError, after giving back what was not done, where the sidecar is at fault; DatabaseError.
        """
        claimed = self._queue.claim(self._embedder.size, self._options.lease)
        self._hand = {one.chunk_id: one for one in claimed if one.chunk_id is not None}
        try:
            for one in claimed:
                if one.chunk_id is None:
                    self._look_at_all(one.seqs)
            self._work()
        except PgduetError as error:
            with suppress(DatabaseError):
                self._queue.release(self._seqs(self._hand), 0, str(error))
            raise
        return bool(claimed)

    def _look_at_all(self, seqs: Sequence[int]) -> None:
        enqueued, removed = self._queue.reconcile(self._stopping)
        log.info("looked at all chunks", queued=enqueued, removed=removed)
        if not self._stopping():
            self._queue.finish(seqs)

    def _work(self) -> None:
        attempts = {chunk_id: one.attempts for chunk_id, one in self._hand.items()}
        needed = self._queue.resolve(list(self._hand))
        asked = {one.chunk_id for one in needed}
        self._settle([chunk_id for chunk_id in self._hand if chunk_id not in asked])
        for _, generation in groupby(needed, key=lambda one: one.generation_id):
            wanted = list(generation)
            if time.monotonic() < self._resting.get(wanted[0].generation_id, 0):
                continue
            try:
                self._embed([one for one in wanted if attempts[one.chunk_id] <= self._options.max_attempts])
                for one in wanted:
                    if attempts[one.chunk_id] > self._options.max_attempts:
                        self._embed_last(one, attempts[one.chunk_id])
            except SidecarError as error:
                if wanted[0].is_active:
                    raise
                # What a generation lacks that nobody searches yet is found by the next reconcile.
                self._resting[wanted[0].generation_id] = time.monotonic() + _REST_SECONDS
                log.warning("a generation beside the active one waits", reason=str(error), hint=error.hint)
        self._settle(list(self._hand))

    def _embed(self, needed: Sequence[Needed]) -> None:
        """Embed chunks of one generation request by request; each content is sent once."""
        copies: dict[bytes, list[Needed]] = {}
        for one in needed:
            copies.setdefault(one.content_hash, []).append(one)
        contents = list(copies.values())
        texts = [chunks[0].content for chunks in contents]
        for part in self._embedder.parts(texts) if texts else ():
            if self._stopping():
                return
            with self._metrics.request(len(texts[part])):
                outcomes, fingerprint = self._embedder.embed(needed[0].model, needed[0].fingerprint, texts[part])
            self._outage.over(sidecar=True)
            pairs = zip(contents[part], outcomes, strict=True)
            self._write([(one, outcome) for chunks, outcome in pairs for one in chunks], fingerprint)

    def _embed_last(self, needed: Needed, attempts: int) -> None:
        """Try a chunk alone that workers ended with in hand, and give it up when that happens again and again."""
        if attempts > self._options.max_attempts + _LAST_TRIES:
            reason = f"{attempts - 1} attempts brought no end: workers stopped while they had this chunk in hand"
            self._write([(needed, Failure(ROW_TEMPORARY, reason))], "")
        else:
            self._embed([needed])

    def _write(self, pairs: Sequence[tuple[Needed, Outcome]], fingerprint: str) -> None:
        made = [(needed, outcome) for needed, outcome in pairs if isinstance(outcome, Vector)]
        if made:
            chunks, vectors = [needed for needed, _ in made], [vector for _, vector in made]
            done = [one.chunk_id for one in chunks] if chunks[0].is_active else []
            stored = self._queue.complete(chunks, vectors, fingerprint, [self._hand[chunk_id] for chunk_id in done])
            self._forget(done)
            self._metrics.embedded(stored)
        for needed, outcome in pairs:
            if isinstance(outcome, Failure):
                self._blame(needed, outcome)

    def _blame(self, needed: Needed, failure: Failure) -> None:
        held = self._hand.get(needed.chunk_id) if needed.is_active else None
        seqs, attempts = (held.seqs, held.attempts) if held else ([], 1)
        final = failure.error_class == ROW_PERMANENT or attempts >= self._options.max_attempts
        self._metrics.failed(failure.error_class)
        log.warning("a chunk cannot be embedded", chunk_id=needed.chunk_id, reason=failure.error, given_up=final)
        if final:
            self._queue.bury(needed, failure.error_class, failure.error, attempts, seqs)
        elif held:
            self._queue.fail(seqs, failure.error_class, failure.error)
        if held:
            del self._hand[needed.chunk_id]

    def _settle(self, chunk_ids: Sequence[int]) -> None:
        """Take off the queue what is current now, give back the rest: it changed meanwhile, or is being changed."""
        if chunk_ids:
            self._queue.settle([self._hand[chunk_id] for chunk_id in chunk_ids])
            self._forget(chunk_ids)

    def _forget(self, chunk_ids: Sequence[int]) -> None:
        for chunk_id in chunk_ids:
            del self._hand[chunk_id]

    def _seqs(self, chunk_ids: Iterable[int]) -> list[int]:
        return [seq for chunk_id in chunk_ids for seq in self._hand[chunk_id].seqs]
