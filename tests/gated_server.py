"""A real server over a duet that computes only when it is let: for tests of what waits and of statuses."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fix_sidecar import open_directory
from pgduet.encoding import Part, Role, StoreError
from pgduet.serving.loading import Store
from pgduet.serving.server import Sidecar
from pgduet.serving.settings import read_settings
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1 import embedding_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True)
class Words:
    text: str
    code_ids: tuple[int, ...]
    text_ids: tuple[int, ...]
    code_tokens: int
    text_tokens: int
    code_truncated: bool = False
    text_truncated: bool = False


@dataclass
class GatedDuet:
    """Counts words, gives the text's length as its vector, and encodes only while `gate` is open."""

    name: str = "small"
    fingerprint: str = "print-1"
    width: int = 16
    encoders: tuple[Any, ...] = tuple(
        SimpleNamespace(slot=slot, name=slot, width=8, max_tokens=512, weight=0.5, dtype="float32")
        for slot in ("code", "text")
    )
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    batches: list[list[str]] = field(default_factory=list)
    tokenised: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    failure: Exception | None = None
    poison: str | None = None  # a batch with this word in a text fails
    room: int | None = None  # a batch of more texts runs out of memory

    def width_of(self, part: Part) -> int:
        return {Part.BOTH: self.width, Part.CODE: 10, Part.TEXT: 6}[part]

    def tokenise(self, texts: Sequence[str], role: Role, part: Part = Part.BOTH) -> list[Words]:
        self.tokenised += texts
        counted = [len(text.split()) for text in texts]
        halves = [(count * (part is not Part.TEXT), count * (part is not Part.CODE)) for count in counted]
        return [Words(t, (1,) * code, (1,) * text, code, text) for t, (code, text) in zip(texts, halves, strict=True)]

    def encode(
        self, tokens: Sequence[Words], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
    ) -> Any:
        self.entered.set()
        self.batches.append([token.text for token in tokens])
        self.parts.append(part)
        assert self.gate.wait(20)
        if self.failure:
            raise self.failure
        if self.poison and any(self.poison in token.text for token in tokens):
            raise RuntimeError(f"no kernel for {self.poison}")
        if self.room is not None and len(tokens) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        vectors = np.array([[len(token.text)] * self.width_of(part) for token in tokens], np.float32)
        finite = np.array(["nan" not in token.text for token in tokens])
        sketches = np.zeros((len(tokens), 2 if part is Part.BOTH else 0), np.uint8)
        return SimpleNamespace(embeddings=vectors, sketches=sketches, finite=finite)


class GatedStore(Store):
    """Holds the duets that `duets` names; `load` may wait or raise before it gives one."""

    def __init__(self, load: Callable[[GatedDuet], GatedDuet] | None, *names: str) -> None:
        self.duets = {name: GatedDuet(name, f"print-{number}") for number, name in enumerate(names, start=1)}
        self.prints = {duet.name: duet.fingerprint for duet in self.duets.values()}
        self.loads: list[str] = []
        self._load = load or (lambda duet: duet)

    def fingerprint(self, name: str) -> str:
        if name not in self.prints:
            raise StoreError(f"the duet {name!r} is not in the model store", hint="pull it")
        return self.prints[name]

    def weights_bytes(self, name: str) -> int:
        return 100

    def load(self, name: str, *, fetch: bool = False) -> Any:
        self.loads.append(name)
        return self._load(self.duets[name])


@dataclass
class Running:
    task: "asyncio.Task[int]"
    stub: Any
    health: Any
    store: GatedStore

    @property
    def duet(self) -> GatedDuet:
        return self.store.duets["small"]

    async def embed(self, *texts: str, role: int = pb.ROLE_DOCUMENT, **more: Any) -> pb.EmbedResponse:
        timeout = more.pop("timeout", 20)
        request = pb.EmbedRequest(**{"model": "small", "role": role, "texts": texts, **more})
        reply: pb.EmbedResponse = await self.stub.Embed(request, timeout=timeout)
        return reply

    async def state(self, service: str = "") -> int:
        reply = await self.health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
        return int(reply.status)

    async def until_serving(self) -> None:
        while await self.state() != SERVING:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(
    load: Callable[[GatedDuet], GatedDuet] | None = None, *names: str, also: Sequence[str] = (), **settings: Any
) -> AsyncIterator[Running]:
    """Serve `small`, with duets of those names beside it in the store, on a socket and `also` on other addresses."""
    store = GatedStore(load, "small", *names)
    with open_directory() as directory:
        address = f"unix:{directory}/s.sock"
        sidecar = Sidecar(read_settings(listen=(address, *also), **{"bulk_tokens": 0, **settings}), store)
        await sidecar.listen()
        task = asyncio.create_task(sidecar.run())
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                stub = embedding_pb2_grpc.EmbeddingServiceStub(channel)  # type: ignore[no-untyped-call]
                health = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
                yield Running(task, stub, health, store)
        finally:
            for duet in store.duets.values():
                duet.gate.set()
            if not task.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(task, 20)
        assert not list(Path(directory).glob("*.sock"))


async def status_of(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


async def eventually(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
