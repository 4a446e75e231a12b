"""Turns texts into vectors by requests of a size that suits the sidecar, and finds out whose failure a failure is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import numpy as np

from pgduet.client import (
    BadReplyError,
    EmbeddingClient,
    EmbeddingStream,
    RequestRefusedError,
    SidecarBusyError,
    SidecarError,
    SidecarUnavailableError,
)
from pgduet.database.queue import Vector
from pgduet.database.vectors import Bits, Halfs
from pgduet.v1 import embedding_pb2 as pb

_WIDTH = 2560
_FIRST_SIZE = 16
_QUICK_SECONDS = 0.5
_SLOW_SECONDS = 5.0
# What is left of a request's time where halving it was worthwhile.
_WORTHWHILE = 0.75
_PROBE_SECONDS = 10.0
_REQUEST_CHARACTERS = 8_000_000
# Any model embeds this; a text is blamed only while it does.
_PROBE = "def probe(): return 1"
_PERMANENT_KINDS = (pb.EMBED_ERROR_KIND_BLANK, pb.EMBED_ERROR_KIND_TOO_LONG)
# Statuses that say something about the sidecar and nothing about a text.
_SYSTEM = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
)

# How gRPC words a connection that ended under a request.
_BROKEN = ("Socket closed", "Connection reset", "Broken pipe", "Stream removed", "recvmsg", "sendmsg")
# And a request for which there was none.
_NEVER_THERE = ("failed to connect", "connections to all backends failing")

ROW_TEMPORARY = "row_temporary"
ROW_PERMANENT = "row_permanent"


@dataclass(frozen=True)
class Failure:
    """Say why one text has no vector."""

    error_class: str
    error: str


Outcome = Vector | Failure


def is_permanent(error: SidecarError) -> bool:
    """Tell whether a person has to mend something before the sidecar can work for this database."""
    return not isinstance(error, SidecarBusyError | SidecarUnavailableError)


class Embedder:
    """Embed documents through one sidecar; `size` is how many texts a request should hold now.

    A request doubles while it takes less than half a second and is halved when it takes more than five, so that a
    killed worker loses little and a quick sidecar is asked seldom. `deadline` limits each request, in seconds.
    """

    def __init__(self, client: EmbeddingClient, *, deadline: float, most: int) -> None:
        self.client = client
        self._stream = EmbeddingStream(client)
        self._deadline = deadline
        self._most = most
        self.size = min(_FIRST_SIZE, most)
        self._slowest: tuple[int, float] | None = None

    def parts(self, texts: Sequence[str]) -> list[slice]:
        """Cut texts into requests of the size that is right now, and well under the limit on one message."""
        cuts, start, characters = [], 0, 0
        for index, text in enumerate(texts):
            if index > start and (index - start >= self.size or characters + len(text) > _REQUEST_CHARACTERS):
                cuts.append(slice(start, index))
                start, characters = index, 0
            characters += len(text)
        return [*cuts, slice(start, len(texts))]

    def embed(self, model: str, fingerprint: str, texts: Sequence[str]) -> tuple[list[Outcome], str]:
        """Embed the texts of one request; return an outcome for each, and the fingerprint ("" where none has a vector).

        Halves a request that fails until the text that is at fault stands alone. Raises SidecarError where the
        sidecar is at fault: then nobody's attempt counts.
        """
        try:
            reply = self._request(model, fingerprint, texts)
        except SidecarError as error:
            if _lost_alone(error, texts):
                return [Failure(ROW_TEMPORARY, error.told)], ""
            late = error.code is grpc.StatusCode.DEADLINE_EXCEEDED and len(texts) > 1
            if late or not _may_be_a_text(error):
                # Too late for many texts: fewer are asked for next time, until one stands alone.
                raise
            self._probe(model, fingerprint, error)
            if len(texts) > 1:
                if error.code is grpc.StatusCode.INVALID_ARGUMENT:
                    # It may be a limit on the request and no text at all.
                    self._shrink(len(texts))
                middle = len(texts) // 2
                first, one = self.embed(model, fingerprint, texts[:middle])
                second, other = self.embed(model, fingerprint or one, texts[middle:])
                return first + second, one or other
            refused = error.code is grpc.StatusCode.INVALID_ARGUMENT
            return [Failure(ROW_PERMANENT if refused else ROW_TEMPORARY, error.told)], ""
        outcomes = self._outcomes(reply)
        if any(isinstance(one, Failure) and one.error_class == ROW_TEMPORARY for one in outcomes):
            self._probe(model, fingerprint, None)
        return outcomes, reply.fingerprint if any(isinstance(one, Vector) for one in outcomes) else ""

    def _request(self, model: str, fingerprint: str, texts: Sequence[str]) -> pb.EmbedResponse:
        started = time.monotonic()
        try:
            reply = self._current_stream().embed(model, texts, "document", fingerprint, self._deadline)
        except SidecarUnavailableError as error:
            if _broke(error) or error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
                # It may be that a text of this request ends or stops sidecars: ask for fewer, to find out which.
                self._shrink(len(texts))
            raise
        seconds = time.monotonic() - started
        if seconds > _SLOW_SECONDS:
            self._slow_down(len(texts), seconds)
        elif seconds < _QUICK_SECONDS and len(texts) >= self.size:
            self.size = min(self._most, self.size * 2)
        if reply.width != _WIDTH:
            raise BadReplyError(
                f"the sidecar {self._stream.place} answered with vectors of {reply.width} numbers, not {_WIDTH}",
                hint="the sidecar does not speak this version's protocol: upgrade both together",
                code=grpc.StatusCode.INTERNAL,
            )
        if fingerprint and reply.fingerprint != fingerprint:
            raise RequestRefusedError(
                f"the sidecar {self._stream.place} answered with vectors of fingerprint {reply.fingerprint}"
                f" instead of {fingerprint}",
                hint="make all sidecars run the model of the active generation",
                code=grpc.StatusCode.FAILED_PRECONDITION,
            )
        return reply

    def _current_stream(self) -> EmbeddingStream:
        if self._stream.client is not self.client:
            self.close()
            self._stream = EmbeddingStream(self.client)
        return self._stream

    def close(self) -> None:
        """End the stream to the sidecar; the client stays open."""
        self._stream.close()

    def _slow_down(self, texts: int, seconds: float) -> None:
        """Halve the size, but not where the last halving brought nothing: then it is not the texts that take time."""
        before, self._slowest = self._slowest, (texts, seconds)
        if before is not None and texts < before[0] and seconds > before[1] * _WORTHWHILE:
            self.size = min(self._most, before[0] * 2)
        else:
            self._shrink(texts)

    def _shrink(self, texts: int) -> None:
        self.size = max(1, min(self.size, texts) // 2)

    def _probe(self, model: str, fingerprint: str, error: SidecarError | None) -> None:
        """Raise where not even the plainest text can be embedded: `error`, or what came of the probe."""
        try:
            reply = self.client.embed(model, [_PROBE], "document", fingerprint, timeout=_PROBE_SECONDS)
            outcome = self._outcomes(reply)
        except SidecarError as other:
            if error is None:
                raise
            raise error from other
        if isinstance(outcome[0], Failure):
            raise error or SidecarError(
                f"the sidecar at {self.client.address} gives no usable vector for any text: {outcome[0].error}",
                hint="restart the sidecar and see its log",
                code=grpc.StatusCode.INTERNAL,
            )

    def _outcomes(self, reply: pb.EmbedResponse) -> list[Outcome]:
        numbers = np.frombuffer(reply.embeddings, "<f2").reshape(len(reply.results), -1)
        # Not finite in, not finite out: one figure a row tells NaN, infinity and zero.
        with np.errstate(all="ignore"):
            norms = np.sqrt(np.einsum("ij,ij->i", numbers, numbers, dtype=np.float32))
        usable = np.isfinite(norms) & (norms > 0.5)
        wire = numbers.astype(">f2").tobytes()
        row, sketch = reply.width * 2, reply.width // 8
        return [
            _failed(result.error)
            if result.HasField("error")
            else Vector(
                Halfs(wire[index * row : (index + 1) * row]),
                Bits(reply.sketches[index * sketch : (index + 1) * sketch]),
                result.code_tokens,
                result.text_tokens,
                result.truncated,
            )
            if usable[index]
            else Failure(ROW_TEMPORARY, "the sidecar answered with numbers that are no vector")
            for index, result in enumerate(reply.results)
        ]


def _failed(error: pb.EmbedError) -> Failure:
    return Failure(ROW_PERMANENT if error.kind in _PERMANENT_KINDS else ROW_TEMPORARY, error.message)


def _broke(error: SidecarError) -> bool:
    """Tell whether the connection broke during the request, as opposed to a sidecar that was never there or said no."""
    words = str(error)
    # A tunnel that hangs up because nobody is behind it breaks too, but before any request was sent.
    never_there = any(word in words for word in _NEVER_THERE)
    return error.code is grpc.StatusCode.UNAVAILABLE and not never_there and any(word in words for word in _BROKEN)


def _lost_alone(error: SidecarError, texts: Sequence[str]) -> bool:
    """Tell whether the sidecar ended while it had this one text: the text may be what ends sidecars."""
    return len(texts) == 1 and _broke(error)


def _may_be_a_text(error: SidecarError) -> bool:
    if isinstance(error, SidecarBusyError | BadReplyError) or error.code in _SYSTEM:
        return False
    return error.code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
