"""The engine of one duet: tokenising on two threads, the model on one, callers on the event loop."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AsyncExitStack
from math import inf
from typing import TYPE_CHECKING

from pgduet.encoding import Part, Role
from pgduet.serving.admission import Admission
from pgduet.serving.cache import Row
from pgduet.serving.computing import Computing
from pgduet.serving.lanes import Lanes
from pgduet.serving.metrics import ModelMetrics
from pgduet.serving.sharing import Sharing, TextKey
from pgduet.serving.speed import Speed
from pgduet.serving.turns import Turns
from pgduet.serving.work import Job, Outcome, Work

if TYPE_CHECKING:
    from pgduet.encoding import Duet, Tokens

# Tokenised in one go; between two such pieces a cancelled request is dropped and others get their turn.
PIECE_CHARACTERS = 100_000
# What the names of the engine's threads begin with.
ENGINE_THREADS = ("pgduet-model", "pgduet-tokenise")


class Engine:
    """Own the model: load it on its thread, feed it batches, drop work that nobody waits for.

    `loaded` gets the duet once it may be used. Engines that share `turns` compute one at a time; loading and its
    self-test take no turn, since for a large model that would stop the others for many seconds.
    """

    def __init__(
        self, *, batch_tokens: int, queue_tokens: int, turns: Turns, metrics: ModelMetrics, bulk_tokens: int = 0
    ) -> None:
        self.loaded: Future[Duet] = Future()
        self._lanes = Lanes(batch_tokens, turns, bulk_tokens)
        self._sharing = Sharing()
        self._metrics = metrics
        self._speed = Speed(batch_tokens)
        self._admission = Admission(queue_tokens, self._speed, self._lanes.running)
        metrics.watch_queue(self._admission.tokens)
        # Documents use one tokenising thread at a time, so a query always finds the other one free.
        self._tokenisers = ThreadPoolExecutor(2, thread_name_prefix="pgduet-tokenise")
        self._document_turn = asyncio.Lock()
        self._model = ThreadPoolExecutor(1, thread_name_prefix="pgduet-model")

    def start(self, load: "Callable[[], Duet]") -> Future[None]:
        """Start the model thread; the future completes when it ends, with the error that ended it."""
        return self._model.submit(self._run, load)

    async def embed(
        self,
        texts: Sequence[str],
        role: Role,
        part: Part = Part.BOTH,
        deadline: float = inf,
        keep: Callable[[str, Row], None] = lambda _text, _row: None,
    ) -> list[Outcome]:
        """Compute the rows of texts, in order; cancelling the call drops the work that has not started.

        Texts that other requests wait for are not computed again. A text that the model fails on has its failure in
        place of a row. `keep` gets every row that is there at the end, however the call ends. `deadline` is a moment
        of time.monotonic(). Raises BusyError, ExpiredError, ComputeError or ModelGoneError.
        """
        duet = self.loaded.result()
        keys: dict[str, TextKey] = {text: (role, part, text) for text in texts}
        found = {key: work for key in keys.values() if (work := self._sharing.find(key))}
        missing = [text for text, key in keys.items() if key not in found]
        works = dict(found)
        self._metrics.shared(len(found))
        try:
            estimate = _estimate(duet, missing, part)
            with self._sharing.using(found), self._admission.admit(role, estimate, deadline) as claim:
                made = await self._make(duet, missing, role, part)
                works |= made
                with self._sharing.using(made):
                    claim.works = list(made.values())
                    job = Job([works[keys[text]] for text in texts], deadline)
                    self._lanes.put(job, query=role is Role.QUERY)
                    return await asyncio.wrap_future(job.done)
        finally:
            for (_, _, text), work in works.items():
                if isinstance(work.result, Row):
                    keep(text, work.result)

    @property
    def pools(self) -> tuple[Executor, ...]:
        """The threads of this engine."""
        return self._model, self._tokenisers

    def close(self) -> None:
        """End the model thread after the batch that runs; work that waits fails."""
        self._lanes.close()
        self._metrics.forget_queue()
        self._model.shutdown(wait=False)
        self._tokenisers.shutdown(wait=False, cancel_futures=True)

    async def _make(self, duet: "Duet", texts: Sequence[str], role: Role, part: Part) -> dict[TextKey, Work]:
        tokens = await self._tokenise(duet, texts, role, part)
        keys: list[TextKey] = [(role, part, text) for text in texts]
        # Another request may have been faster with the same text.
        return {key: self._sharing.find(key) or Work(one, part, role) for key, one in zip(keys, tokens, strict=True)}

    async def _tokenise(self, duet: "Duet", texts: Sequence[str], role: Role, part: Part) -> "list[Tokens]":
        loop = asyncio.get_running_loop()
        tokens: list[Tokens] = []
        for piece in _pieces(texts):
            async with AsyncExitStack() as turn:
                if role is Role.DOCUMENT:
                    await turn.enter_async_context(self._document_turn)
                with self._metrics.tokenising(role):
                    tokens += await loop.run_in_executor(self._tokenisers, duet.tokenise, piece, role, part)
        return tokens

    def _run(self, load: "Callable[[], Duet]") -> None:
        try:
            duet = load()
            computing = Computing(duet, self._speed, self._lanes, self._metrics)
            self.loaded.set_result(duet)
            while batch := self._lanes.take():
                computing.compute(batch)
        finally:
            self._lanes.close()


def _estimate(duet: "Duet", texts: Sequence[str], part: Part) -> int:
    """Guess the tokens of texts: about four characters each."""
    limits = [half.max_tokens for half in duet.encoders if part in (Part.BOTH, half.slot)]
    return sum(min(len(text) // 4 + 1, limit) for text in texts for limit in limits)


def _pieces(texts: Sequence[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    room = PIECE_CHARACTERS
    for text in texts:
        if piece and len(text) > room:
            yield piece
            piece, room = [], PIECE_CHARACTERS
        piece.append(text)
        room -= len(text)
    if piece:
        yield piece
