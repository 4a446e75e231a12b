"""Fixtures for the worker's embedder: a stub of the sidecar that fails for single texts, and checks of outcomes."""

import threading
from collections.abc import Iterator
from contextlib import closing

import grpc
import numpy as np
import pytest

from fix_sidecar import open_directory
from pgduet.client import EmbeddingClient, SidecarError
from pgduet.database.queue import Vector
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.embedding import Embedder, Failure, Outcome
from stub_sidecar import StubSidecar, stub_vector

FINGERPRINT = "stub-fingerprint-1"
TEXTS = [f"text {number}" for number in range(64)]


class ChoosyStub(StubSidecar):
    """A stub that fails for single texts in more ways, and notes the texts of each request."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.asked: list[list[str]] = []
        self.refused: dict[str, grpc.StatusCode] = {}  # a request with this text gets this status
        self.errors: dict[str, int] = {}  # this text gets an error of this kind
        self.odd: dict[str, float] = {}  # this text's vector is this number only
        self.stopper: str | None = None  # a request with this text is never answered
        self.told: str | None = None  # the fingerprint that replies name, whatever was expected
        self.after: dict[int, str] = {}  # from this request on the fingerprint is another

    def Embed(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> pb.EmbedResponse:  # noqa: N802
        texts = list(request.texts)
        self.asked.append(texts)
        self.fingerprint = self.after.get(len(self.asked), self.fingerprint)
        for text in texts:
            if text in self.refused:
                context.abort(self.refused[text], "this text is not to the stub's liking")
        if self.stopper in texts:
            ended = threading.Event()
            if not context.add_callback(ended.set):
                ended.set()
            ended.wait()
        reply = super().Embed(request, context)
        reply.fingerprint = self.told or reply.fingerprint
        numbers = np.frombuffer(reply.embeddings, "<f2").reshape(len(reply.results), reply.width).copy()
        for index, text in enumerate(texts[: len(reply.results)]):
            numbers[index] = self.odd.get(text, numbers[index])
            if text in self.errors:
                error = pb.EmbedError(kind=pb.EmbedErrorKind.Name(self.errors[text]), message=f"not {text}")
                reply.results[index].error.CopyFrom(error)
        reply.embeddings = numbers.tobytes()
        return reply


@pytest.fixture
def choosy() -> Iterator[ChoosyStub]:
    with open_directory() as directory:
        choosy = ChoosyStub(f"unix:{directory}/stub.sock")
        with choosy:
            yield choosy


@pytest.fixture(params=[True, False], ids=["stream", "calls"])
def embedder(choosy: ChoosyStub, request: pytest.FixtureRequest) -> Iterator[Embedder]:
    """Give an embedder for a sidecar that knows streams, and for an older one."""
    choosy.streams = request.param
    with EmbeddingClient(choosy.address) as client, closing(Embedder(client, deadline=20, most=256)) as embedder:
        yield embedder


def embed(embedder: Embedder, texts: list[str], fingerprint: str = FINGERPRINT) -> list[Outcome]:
    outcomes, found = embedder.embed("small", fingerprint, texts)
    assert len(outcomes) == len(texts)
    assert found == (FINGERPRINT if any(isinstance(one, Vector) for one in outcomes) else "")
    return outcomes


def check_vector(outcome: Outcome, text: str) -> None:
    assert isinstance(outcome, Vector)
    expected = stub_vector(text).astype("<f2")
    assert np.array_equal(np.frombuffer(outcome.embedding, ">f2"), expected)
    assert bytes(outcome.sketch) == np.packbits(stub_vector(text) > 0).tobytes()
    assert (outcome.code_tokens, outcome.text_tokens, outcome.truncated) == (len(text.split()) + 2,) * 2 + (False,)


def check_blame(outcomes: list[Outcome], texts: list[str], blamed: dict[str, str]) -> None:
    """Check that just these texts failed, each with its class, and that all others have their own vectors."""
    found = {text: one.error_class for text, one in zip(texts, outcomes, strict=True) if isinstance(one, Failure)}
    assert found == blamed
    for text, outcome in zip(texts, outcomes, strict=True):
        if text not in blamed:
            check_vector(outcome, text)


def raised(embedder: Embedder, texts: list[str], fingerprint: str = FINGERPRINT) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        embedder.embed("small", fingerprint, texts)
    assert caught.value.hint
    return caught.value
