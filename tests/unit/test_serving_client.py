"""The client against the stub, and the stub's own switches."""

import time
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from pgduet.client import (
    BadReplyError,
    EmbeddingClient,
    RequestRefusedError,
    SidecarBusyError,
    SidecarError,
    SidecarUnavailableError,
)
from stub_sidecar import StubSidecar, stub_vector


@pytest.fixture
def client(stub: StubSidecar) -> Iterator[EmbeddingClient]:
    with EmbeddingClient(stub.address) as connected:
        yield connected


def test_vectors_arrive_in_order_and_the_stub_notes_the_request(stub: StubSidecar, client: EmbeddingClient) -> None:
    reply = client.embed("small", ["a", "b"], "query")
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(2, reply.width).astype(np.float32)
    for row, text in zip(rows, "ab", strict=True):
        assert np.allclose(row, stub_vector(text, "query"), atol=1e-4)
    signs = np.unpackbits(np.frombuffer(reply.sketches, np.uint8)).reshape(2, reply.width)
    assert (signs == (rows > 0)).mean() > 0.999
    assert [(seen.role, seen.texts) for seen in stub.requests] == [("query", 2)]
    assert not np.allclose(stub_vector("a", "query"), stub_vector("a", "document"))


@pytest.mark.parametrize(("part", "width"), [("code", 1536), ("text", 1024)])
def test_a_half_arrives_without_sketches(stub: StubSidecar, client: EmbeddingClient, part: str, width: int) -> None:
    reply = client.embed("small", ["a", "b"], part=part)
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(2, width).astype(np.float32)
    assert np.allclose(rows[1], stub_vector("b", part=part), atol=1e-4)
    assert (reply.width, reply.sketches) == (width, b"")
    assert [seen.part for seen in stub.requests] == [part]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("UNAVAILABLE", SidecarUnavailableError),
        ("DEADLINE_EXCEEDED", SidecarUnavailableError),
        ("RESOURCE_EXHAUSTED", SidecarBusyError),
        ("INVALID_ARGUMENT", RequestRefusedError),
        ("NOT_FOUND", RequestRefusedError),
        ("FAILED_PRECONDITION", RequestRefusedError),
        ("INTERNAL", SidecarError),
    ],
)
def test_every_status_becomes_an_error_with_a_hint(
    stub: StubSidecar, client: EmbeddingClient, status: str, kind: type[SidecarError]
) -> None:
    stub.status = grpc.StatusCode[status]
    with pytest.raises(SidecarError, match=f"{stub.address} answered {status}: the stub was told") as caught:
        client.embed("small", ["a"])
    assert type(caught.value) is kind
    assert caught.value.code is stub.status
    assert caught.value.hint
    assert caught.value.retry_after == (0.1 if status == "RESOURCE_EXHAUSTED" else None)


def test_a_reply_with_a_row_too_few_is_refused(stub: StubSidecar, client: EmbeddingClient) -> None:
    stub.drop = True
    with pytest.raises(BadReplyError, match=r"where .* were due"):
        client.embed("small", ["a", "b"])


def test_a_deadline_ends_the_call_and_the_stub_sees_it(stub: StubSidecar, client: EmbeddingClient) -> None:
    stub.hang = True
    started = time.monotonic()
    with pytest.raises(SidecarUnavailableError, match="DEADLINE_EXCEEDED"):
        client.embed("small", ["a"], timeout=0.2)
    assert time.monotonic() - started < 5
    while not stub.requests[0].finished:
        time.sleep(0.01)
    assert stub.requests[0].cancelled


def test_health_follows_the_sidecar_and_an_absent_one_is_not_healthy(
    stub: StubSidecar, client: EmbeddingClient
) -> None:
    assert client.healthy()
    stub.set_serving(False)
    assert not client.healthy()
    with pytest.raises(SidecarUnavailableError, match=r"was not ready within 0\.1 s"):
        client.wait_ready(timeout=0.1)
    stub.stop()
    assert not client.healthy()


def test_a_client_finds_a_sidecar_that_starts_later_or_again(stub: StubSidecar, client: EmbeddingClient) -> None:
    stub.die_after = 1
    client.embed("small", ["a"])
    stub.wait_until_dead()
    while client.healthy():
        time.sleep(0.01)
    stub.die_after = None
    stub.start()
    client.wait_ready(timeout=10)
    assert len(client.embed("small", ["a"]).results) == 1


def test_the_address_comes_from_the_environment_and_proxies_are_ignored(
    stub: StubSidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDUET_SIDECAR", stub.address)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with EmbeddingClient() as client:
        assert client.address == stub.address
        assert client.list_models().models[0].name == "small"
    with StubSidecar("127.0.0.1:0") as tcp, EmbeddingClient(tcp.address) as client:
        assert client.healthy()
    monkeypatch.delenv("PGDUET_SIDECAR")
    with EmbeddingClient() as client:
        assert client.address == "127.0.0.1:50517"
