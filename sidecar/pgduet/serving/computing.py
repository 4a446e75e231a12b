"""One batch through the model: where it fails, the batch is halved until the text at fault stands alone."""

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from pgduet.encoding import Role
from pgduet.serving.cache import Row
from pgduet.serving.lanes import Batch, Lanes
from pgduet.serving.metrics import ModelMetrics
from pgduet.serving.speed import Speed
from pgduet.serving.work import ModelGoneError, TextFailure

if TYPE_CHECKING:
    from pgduet.encoding import Duet

# One bad batch is the caller's misfortune; several in a row mean that the model can no longer be trusted.
MAX_FAILURES = 3
# How torch and the C library word it where the error has no class of its own.
_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")

_log = structlog.stdlib.get_logger("pgduet.serving.computing")


class ComputeError(Exception):
    """The model raised on a batch, and on every text of it that was tried alone."""


@dataclass(frozen=True)
class _Fault:
    name: str
    is_memory: bool


class Computing:
    """Compute the batches of one duet, on its model thread."""

    def __init__(self, duet: "Duet", speed: Speed, lanes: Lanes, metrics: ModelMetrics) -> None:
        self._duet = duet
        self._speed = speed
        self._lanes = lanes
        self._metrics = metrics
        self._failures = 0
        self._told = False
        # What queries took that were let in between two passes of documents.
        self._let_in_seconds = 0.0

    def compute(self, batch: Batch) -> None:
        """Give every text of a batch its row, or the failure that is its own.

        Raises ModelGoneError after several batches in a row of which no text could be computed.
        """
        self._told = False
        for work in batch:
            self._metrics.waited(work.role, work.taken_at - work.since)
        parts, lone_failures, succeeded = [batch], 0, False
        while parts:
            part = parts.pop()
            fault = self._try(part)
            if fault is None:
                succeeded = True
            elif len(part) > 1:
                self._metrics.split(out_of_memory=fault.is_memory)
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                self._lanes.end(part[0], TextFailure(f"the model failed on this text: {fault.name}"))
                lone_failures += 1
                if lone_failures == MAX_FAILURES and not succeeded:
                    # Not the texts but the model: what is left would only fail as often, one by one.
                    self._give_up(parts, fault)
                    break
        self._failures = 0 if succeeded else self._failures + 1
        if self._failures == MAX_FAILURES:
            raise ModelGoneError(f"the model failed {MAX_FAILURES} times in a row")

    def _try(self, part: Batch) -> _Fault | None:
        fault = self._pass(part)
        if fault and fault.is_memory and len(part) == 1:
            # It cannot be halved, but memory was given back since.
            fault = self._pass(part)
        return fault

    def _pass(self, part: Batch) -> _Fault | None:
        tokens = [work.tokens for work in part]
        let_in_before = self._let_in_seconds
        started = time.perf_counter()
        try:
            if part[0].role is Role.DOCUMENT:
                encoded = self._duet.encode(tokens, part[0].part, self._let_queries_in)
            else:
                encoded = self._duet.encode(tokens, part[0].part)
        except (RuntimeError, MemoryError) as error:  # what torch and numpy raise
            fault = _Fault(type(error).__name__, _is_memory(error))
            # One traceback for a batch: the parts of it fail in the same way.
            _log.error("batch failed", texts=len(part), out_of_memory=fault.is_memory, exc_info=not self._told)
            self._told = True
        else:
            seconds = time.perf_counter() - started - (self._let_in_seconds - let_in_before)
            self._speed.note(sum(work.cost for work in part), seconds)
            lengths = [(len(work.tokens.code_ids), len(work.tokens.text_ids)) for work in part]
            self._metrics.computed(part[0].role, seconds, lengths, self._speed.batch_tokens)
            halfs = encoded.embeddings.astype("<f2")
            for i, work in enumerate(part):
                text = work.tokens
                row = Row(
                    embedding=halfs[i].tobytes(),
                    sketch=encoded.sketches[i].tobytes(),
                    code_tokens=text.code_tokens,
                    text_tokens=text.text_tokens,
                    code_truncated=text.code_truncated,
                    text_truncated=text.text_truncated,
                    finite=bool(encoded.finite[i]),
                )
                self._lanes.end(work, row)
            return None
        # Only here: until the error is let go of, its traceback holds the tensors of the failed pass.
        _free_caches()
        return fault

    def _let_queries_in(self) -> None:
        """Compute the queries that came since, so that none waits for all passes of a batch of documents."""
        started, told = time.perf_counter(), self._told
        while batch := self._lanes.interrupt():
            self.compute(batch)
        self._told = told
        seconds = time.perf_counter() - started
        self._let_in_seconds += seconds
        self._lanes.postpone(seconds)

    def _give_up(self, parts: list[Batch], fault: _Fault) -> None:
        error = ComputeError(f"the model failed on every text that was tried: {fault.name}")
        for part in parts:
            for work in part:
                self._lanes.end(work, error)


def _is_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def _free_caches() -> None:
    """Give what torch keeps of the GPU's memory back; this room must not import torch, a loaded duet has."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
