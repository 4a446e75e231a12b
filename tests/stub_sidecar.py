"""A test double of the sidecar: the real proto over real gRPC, with vectors drawn from a hash instead of a model.

In a test: `with StubSidecar("unix:/tmp/x/stub.sock") as stub: stub.delay = 0.2`.
As a process of its own: `python tests/stub_sidecar.py --listen 127.0.0.1:50600 --delay 0.2`.
"""

import argparse
import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from statistics import NormalDist
from typing import Any

import grpc
import numpy as np
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc
from pgduet.v1.dialing import SIDECAR_KEY
from stub_stream import AbortedError, MessageContext

WIDTH = 2560
PARTS = {pb.PART_BOTH: "both", pb.PART_CODE: "code", pb.PART_TEXT: "text"}
HALVES = {"code": 1536, "text": 1024}
SERVICE = "pgduet.v1.EmbeddingService"
MESSAGE_LIMIT = 64 * 1024 * 1024

# A byte picks one of 256 steps of the normal distribution: much cheaper than drawing, and as independent.
_STEPS = np.array([NormalDist().inv_cdf((step + 0.5) / 256) for step in range(256)])


def stub_vector(text: str, role: str = "document", part: str = "both") -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Give the unit vector that the stub answers for a text: normal numbers drawn from a hash of role and text.

    A half is its share of the fused vector, stretched to length 1.
    """
    picked = _picked(text, role, part, HALVES.get(part, WIDTH))
    return np.asarray(_unit_steps(picked)[picked], dtype=np.float32)


def _picked(text: str, role: str, part: str, width: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    start = HALVES["code"] if part == "text" else 0
    digest = hashlib.shake_128(f"{role}\0{text}".encode()).digest(start + width)
    return np.frombuffer(digest, np.uint8)[start:]


def _unit_steps(picked: "np.ndarray[Any, np.dtype[np.uint8]]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Scale the steps so that the numbers picked have length 1."""
    scaled: np.ndarray[Any, np.dtype[np.float64]] = _STEPS / np.linalg.norm(_STEPS[picked])
    return scaled


@dataclass
class SeenRequest:
    """One Embed call as the stub saw it."""

    role: str
    texts: int
    model: str
    contents: tuple[str, ...] = ()
    part: str = "both"
    cancelled: bool = False
    seconds: float = 0.0
    finished: bool = False
    request_id: str = ""
    traceparent: str | None = None


class StubSidecar(embedding_pb2_grpc.EmbeddingServiceServicer):
    """Serve the stub on a thread; every public attribute is a switch that acts on the next call."""

    def __init__(self, address: str, model: str = "small") -> None:
        self.address = address
        self.model = model
        self.name = ""  # what its answers name it by
        self.delay = 0.0
        self.seconds_a_text = 0.0
        self.hang = False
        self.status: grpc.StatusCode | None = None
        self.details = "the stub was told to answer this"
        self.nan = False
        self.width = WIDTH
        self.drop = False
        self.fingerprint = "stub-fingerprint-1"
        self.die_after: int | None = None  # calls
        self.die_after_texts: int | None = None  # a process of its own ends within the request of that text
        self.streams = True  # without, EmbedStream is unknown here
        self.opened = 0  # streams
        self.mute = False  # requests of streams are read and never answered
        self.poison: str | None = None  # a request with this text fails as a whole
        self.blank_for_stub: str | None = None  # this text gets an error of its own
        self.failing: str | None = None  # the model fails on this text alone
        self.recent: list[str] = []  # texts whose query vectors RecentQueries gives, newest first
        self.times: pb.TimingsResponse | None = pb.TimingsResponse()  # what Timings gives; None: it is unknown here
        self.requests: list[SeenRequest] = []
        self._texts = 0
        self._died = threading.Event()
        self._process_dies = False
        self._health = health.HealthServicer()  # type: ignore[no-untyped-call]
        self._server: grpc.Server | None = None

    def __enter__(self) -> "StubSidecar":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; a unix socket becomes readable and writable for every OS user."""
        options = [
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.so_reuseport", 0),
            # As the real sidecar does: callers ping every 2 s.
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
        self._server = grpc.server(ThreadPoolExecutor(16, thread_name_prefix="stub"), options=options)
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)  # type: ignore[no-untyped-call]
        self.set_serving(True)
        port = self._bind(self._server)
        if self.address.startswith("unix:"):
            os.chmod(self.address.removeprefix("unix:"), 0o666)
        elif self.address.endswith(":0"):
            self.address = f"{self.address.removesuffix(':0')}:{port}"
        self._server.start()

    def _bind(self, server: grpc.Server) -> int:
        return server.add_insecure_port(self.address)

    def stop(self) -> None:
        """Stop at once; calls in flight are cut off."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def set_serving(self, serving: bool) -> None:
        """Turn grpc.health.v1 green or red."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        self._health.set("", state)  # type: ignore[no-untyped-call]
        self._health.set(SERVICE, state)  # type: ignore[no-untyped-call]

    def wait_until_dead(self) -> None:
        """Block until `die_after` calls were answered."""
        self._died.wait()

    def Embed(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> pb.EmbedResponse:  # noqa: N802
        role = "query" if request.role == pb.ROLE_QUERY else "document"
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        seen = SeenRequest(
            role=role,
            texts=len(request.texts),
            model=request.model,
            part=PARTS.get(request.part, "unknown"),
            request_id=metadata.get("x-request-id", ""),
            traceparent=metadata.get("traceparent"),
        )
        if not self._process_dies:
            seen.contents = tuple(request.texts)
        self.requests.append(seen)
        context.set_trailing_metadata(self._signature)
        self._maybe_die_halfway(seen)
        ended = threading.Event()
        if not context.add_callback(ended.set):
            ended.set()
        started = time.monotonic()
        try:
            if delay := self.delay + self.seconds_a_text * seen.texts or self.hang:
                ended.wait(None if self.hang else delay)
            seen.cancelled = not context.is_active()
            self._refuse(request, context)
            return self._answer(request, role)
        finally:
            seen.seconds = time.monotonic() - started
            seen.finished = True
            self._maybe_die()

    def EmbedStream(  # noqa: N802
        self, requests: Iterator[pb.EmbedStreamRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.EmbedStreamResponse]:
        if not self.streams:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "this stub is too old for streams")
        self.opened += 1
        if self.name:
            context.send_initial_metadata(self._signature)
        replies: SimpleQueue[pb.EmbedStreamResponse | None] = SimpleQueue()

        def read() -> None:
            with suppress(Exception):  # gRPC's word for a stream that was cancelled
                for message in requests:
                    if self.mute:
                        continue
                    threading.Thread(target=lambda m: replies.put(self._message(m, context)), args=(message,)).start()
            replies.put(None)

        threading.Thread(target=read, daemon=True).start()
        yield from iter(replies.get, None)

    def _message(self, message: pb.EmbedStreamRequest, context: grpc.ServicerContext) -> pb.EmbedStreamResponse:
        own = MessageContext(context, message.id, message.timeout_ms / 1000)
        try:
            response = self.Embed(message.request, own)  # type: ignore[arg-type]
            if not own.is_active():
                own.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the request was not done in time")
            return pb.EmbedStreamResponse(id=message.id, response=response)
        except AbortedError as error:
            told = pb.EmbedStreamError(code=error.code.value[0], message=str(error), retry_after_ms=own.retry_after_ms)
            return pb.EmbedStreamResponse(id=message.id, error=told)

    def Chunk(self, request: pb.ChunkRequest, context: grpc.ServicerContext) -> pb.ChunkResponse:  # noqa: N802
        self._refuse_status(context)
        last = max(1, len(request.content.splitlines()))
        chunk = pb.CodeChunk(
            kind="block", language=request.language, start_line=1, end_line=last, content=request.content
        )
        return pb.ChunkResponse(chunks=[chunk] if request.content.strip() else [])

    def ListModels(self, request: pb.ListModelsRequest, context: grpc.ServicerContext) -> pb.ListModelsResponse:  # noqa: N802
        self._refuse_status(context)
        halves = [
            pb.Encoder(slot=slot, name=f"stub-{slot}", width=width, max_tokens=512, weight=0.5, dtype="float32")
            for slot, width in HALVES.items()
        ]
        model = pb.Model(
            name=self.model,
            fingerprint=self.fingerprint,
            width=self.width,
            encoders=halves,
            max_texts=256,
            max_characters=2_000_000,
        )
        return pb.ListModelsResponse(models=[model], version="stub")

    def RecentQueries(  # noqa: N802
        self, request: pb.RecentQueriesRequest, context: grpc.ServicerContext
    ) -> pb.RecentQueriesResponse:
        texts = self.recent[: request.most or None]
        asked = pb.EmbedRequest(model=request.model, expected_fingerprint=request.expected_fingerprint, texts=texts)
        self._refuse_status(context)
        self._refuse_model(asked, context)
        answer = self._answer(asked, "query")
        return pb.RecentQueriesResponse(
            fingerprint=answer.fingerprint,
            width=answer.width,
            embeddings=answer.embeddings,
            sketches=answer.sketches,
        )

    def Timings(self, request: pb.TimingsRequest, context: grpc.ServicerContext) -> pb.TimingsResponse:  # noqa: N802
        self._refuse_status(context)
        if self.times is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "this stub is too old for times")
        return self.times

    @property
    def _signature(self) -> tuple[tuple[str, str], ...]:
        return ((SIDECAR_KEY, self.name),) if self.name else ()

    def _refuse_status(self, context: grpc.ServicerContext) -> None:
        if self.status is not None:
            if self.status is grpc.StatusCode.RESOURCE_EXHAUSTED:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", "100"), *self._signature))
            context.abort(self.status, self.details)

    def _refuse(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> None:
        self._refuse_status(context)
        if self.poison in request.texts:
            context.abort(grpc.StatusCode.INTERNAL, "the model failed")
        self._refuse_model(request, context)
        if request.part not in PARTS or request.role == pb.ROLE_UNSPECIFIED or not 1 <= len(request.texts) <= 256:
            found = f"{len(request.texts)} texts, role {request.role}, part {request.part}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, found)

    def _refuse_model(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> None:
        if request.model != self.model:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.model!r} here; served: {self.model}")
        if request.expected_fingerprint not in ("", self.fingerprint):
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"expected fingerprint {request.expected_fingerprint}, this sidecar has {self.fingerprint}",
            )

    def _answer(self, request: pb.EmbedRequest, role: str) -> pb.EmbedResponse:
        part = PARTS[request.part]
        width = HALVES.get(part, self.width)
        texts: Sequence[str] = list(request.texts)[: -1 if self.drop else None]
        rows, sketches, results = [], [], []
        for text in texts:
            picked = _picked(text, role, part, width)
            halfs = _unit_steps(picked).astype("<f2")[picked]
            sketch = np.packbits(picked >= 128)
            error = self._error(text)
            if error:
                halfs, sketch = np.zeros_like(halfs), np.zeros_like(sketch)
            if self.nan:
                halfs = np.full_like(halfs, np.nan)
            rows.append(halfs.tobytes())
            sketches.append(sketch.tobytes())
            words = len(text.split()) + 2
            results.append(_result(words, part, error))
        return pb.EmbedResponse(
            fingerprint=self.fingerprint,
            width=width,
            embeddings=b"".join(rows),
            sketches=b"".join(sketches) if part == "both" else b"",
            results=results,
        )

    def _error(self, text: str) -> pb.EmbedError | None:
        if not text.strip() or text == self.blank_for_stub:
            return pb.EmbedError(kind=pb.EMBED_ERROR_KIND_BLANK, message="the text is blank")
        if text == self.failing:
            return pb.EmbedError(kind=pb.EMBED_ERROR_KIND_FAILED, message="the model failed on this text")
        return None

    def _maybe_die_halfway(self, seen: SeenRequest) -> None:
        self._texts += seen.texts
        if self._process_dies and self.die_after_texts is not None and self._texts >= self.die_after_texts:
            os._exit(1)

    def _maybe_die(self) -> None:
        if self.die_after is not None and len(self.requests) >= self.die_after:
            self._died.set()
            if self._process_dies:
                # After the reply has left: a timer, because the reply is sent when this handler returns.
                threading.Timer(0.05, os._exit, args=(1,)).start()
            elif self._server is not None:
                threading.Timer(0.05, self._server.stop, args=(None,)).start()


def _result(words: int, part: str, error: pb.EmbedError | None) -> pb.EmbedResult:
    """Count words as tokens of both halves; a half reads 512."""
    code, text = (words if part in ("both", slot) else 0 for slot in HALVES)
    return pb.EmbedResult(
        code_tokens=code,
        text_tokens=text,
        truncated=words > 512,
        code_truncated=code > 512,
        text_truncated=text > 512,
        error=error,
    )


def main() -> None:
    """Run the stub as a process until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="ADDRESS")
    parser.add_argument("--model", default="small")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--hang", action="store_true")
    parser.add_argument("--nan", action="store_true")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--status", choices=[code.name for code in grpc.StatusCode])
    parser.add_argument("--no-streams", dest="streams", action="store_false")
    parser.add_argument("--fingerprint", default="stub-fingerprint-1")
    parser.add_argument("--die-after", type=int)
    parser.add_argument("--die-after-texts", type=int)
    asked = vars(parser.parse_args())
    stub = StubSidecar(asked.pop("listen"), asked.pop("model"))
    asked["status"] = grpc.StatusCode[asked["status"]] if asked["status"] else None
    for name, value in asked.items():
        setattr(stub, name, value)
    stub._process_dies = True
    with stub:
        print(f"listening on {stub.address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
