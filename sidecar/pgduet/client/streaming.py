"""Requests for bulk over one stream, where the sidecar knows streams."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import count
from queue import SimpleQueue

import grpc

from pgduet.client.embedding import EmbeddingClient, new_request_id
from pgduet.client.errors import SidecarError, SidecarUnavailableError, sidecar_error
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.dialing import answered_by

# A stream stays with one sidecar: so often another one gets its chance, such as one that has come back.
_RENEWED_AFTER = 60.0
# The sidecar tells that it was too late; a while after that nobody is there to tell.
_SLACK = 1.0
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class EmbeddingStream:
    """Embed over one stream of a client, by single calls where the sidecar knows none. For one thread.

    A stream that ended is opened again with the next request; those in flight fail as single calls would.
    """

    def __init__(self, client: EmbeddingClient) -> None:
        self.client = client
        self._open: _Open | None = None
        self._is_known = True

    @property
    def place(self) -> str:
        """Say who answers: the address, and of several sidecars the one at the other end."""
        return self.client.place() if self._open is None else self._open.place

    def close(self) -> None:
        """End the stream; what is in flight is cancelled."""
        if self._open is not None:
            self._open.cancel()
            self._open = None

    def embed(
        self, model: str, texts: Sequence[str], role: str, expected_fingerprint: str, timeout: float
    ) -> pb.EmbedResponse:
        """Embed texts in order, as EmbeddingClient.embed does and with its errors."""
        if self._is_known:
            request = self.client.embed_request(model, texts, role, expected_fingerprint)
            try:
                return self._current().ask(request, timeout)
            except SidecarError as error:
                if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                    raise
                self._is_known = False
        return self.client.embed(model, texts, role, expected_fingerprint, timeout)

    def _current(self) -> "_Open":
        if self._open is None or not self._open.is_fresh():
            self.close()
            self._open = _Open(self.client)
        return self._open


class _Open:
    """One call of EmbedStream, with a thread that reads its answers."""

    def __init__(self, client: EmbeddingClient) -> None:
        self._client = client
        self._born = time.monotonic()
        self._name = new_request_id()
        self._ids = count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[pb.EmbedStreamResponse]] = {}
        self._end: SidecarError | None = None
        self._sidecar = ""
        self._outgoing: SimpleQueue[pb.EmbedStreamRequest | None] = SimpleQueue()
        self._call = client.open_stream(iter(self._outgoing.get, None), self._name)
        threading.Thread(target=self._read, name="embed-stream", daemon=True).start()

    def is_fresh(self) -> bool:
        """Tell whether one more request may be sent."""
        return self._end is None and time.monotonic() - self._born < _RENEWED_AFTER

    @property
    def place(self) -> str:
        return self._client.place(self._sidecar)

    def cancel(self) -> None:
        self._call.cancel()

    def ask(self, request: pb.EmbedRequest, timeout: float) -> pb.EmbedResponse:
        """Send one request and wait for its answer. Raises SidecarError where that is one, or the stream ends first."""
        number, future = next(self._ids), Future[pb.EmbedStreamResponse]()
        with self._lock:
            if self._end is not None:
                raise self._end
            self._waiting[number] = future
        message = pb.EmbedStreamRequest(id=number, request=request, timeout_ms=max(1, round(timeout * 1000)))
        self._outgoing.put(message)
        try:
            return self._reply(future.result(timeout + _SLACK), len(request.texts))
        except TimeoutError:
            # Nothing else tells the sidecar that nobody waits any more.
            self.cancel()
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            text = "no answer came in time"
            raise sidecar_error(code, text, self.place, request_id=self._request_id(number)) from None

    def _request_id(self, number: int) -> str:
        """Name one request as the sidecar's log does."""
        return f"{self._name}.{number}"

    def _reply(self, answer: pb.EmbedStreamResponse, texts: int) -> pb.EmbedResponse:
        if answer.HasField("error"):
            error, request_id = answer.error, self._request_id(answer.id)
            code = _CODES.get(error.code, grpc.StatusCode.UNKNOWN)
            retry_after = error.retry_after_ms / 1000 or None
            raise sidecar_error(code, error.message, self.place, retry_after, request_id)
        self._client.check_reply(answer.response, texts, self.place)
        return answer.response

    def _read(self) -> None:
        # It comes before the first answer, and is nothing where the call ends without.
        self._sidecar = answered_by(self._call.initial_metadata())
        end: SidecarError = SidecarUnavailableError(
            f"the sidecar {self.place} ended the stream", "try again", grpc.StatusCode.UNAVAILABLE
        )
        try:
            for answer in self._call:
                with self._lock:
                    future = self._waiting.pop(answer.id, None)
                if future is not None:
                    future.set_result(answer)
        except grpc.RpcError as error:
            end = self._client.translated(error, self._name)
        with self._lock:
            self._end = end
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(end)
        # Lets go of gRPC's own thread, which waits for the next request to send.
        self._outgoing.put(None)
