"""The client's stream: the answers and errors of single calls, and a new stream wherever one ended."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import grpc
import numpy as np
import pytest

from fix_sidecar import open_directory
from fix_worker import wait_until
from pgduet.client import (
    BadReplyError,
    EmbeddingClient,
    EmbeddingStream,
    SidecarBusyError,
    SidecarError,
    SidecarUnavailableError,
    streaming,
)
from pgduet.v1 import embedding_pb2 as pb
from stub_sidecar import StubSidecar, stub_vector


@pytest.fixture
def client(stub: StubSidecar) -> Iterator[EmbeddingClient]:
    with EmbeddingClient(stub.address) as client:
        yield client


@pytest.fixture
def stream(client: EmbeddingClient) -> Iterator[EmbeddingStream]:
    with closing(EmbeddingStream(client)) as stream:
        yield stream


def embed(stream: EmbeddingStream, *texts: str, timeout: float = 10) -> pb.EmbedResponse:
    return stream.embed("small", texts, "document", "", timeout)


def check(reply: pb.EmbedResponse, *texts: str) -> None:
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(len(texts), -1)
    assert np.array_equal(rows, [stub_vector(text).astype("<f2") for text in texts])


def raised(stream: EmbeddingStream, timeout: float = 10) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        embed(stream, "x", timeout=timeout)
    assert caught.value.hint
    return caught.value


def test_many_requests_go_over_one_stream(stub: StubSidecar, stream: EmbeddingStream) -> None:
    for number in range(5):
        check(embed(stream, f"a {number}", f"b {number}"), f"a {number}", f"b {number}")
    assert (stub.opened, [seen.texts for seen in stub.requests]) == (1, [2] * 5)


def test_a_sidecar_without_streams_is_asked_by_single_calls_from_then_on(
    stub: StubSidecar, stream: EmbeddingStream
) -> None:
    stub.streams = False
    check(embed(stream, "a"), "a")
    stub.streams = True
    check(embed(stream, "b"), "b")
    assert (stub.opened, len(stub.requests)) == (0, 2)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.name not in ("OK", "UNIMPLEMENTED")])
def test_a_request_that_fails_has_the_error_of_a_single_call_and_the_stream_goes_on(
    stub: StubSidecar, client: EmbeddingClient, stream: EmbeddingStream, code: grpc.StatusCode
) -> None:
    stub.status = code
    error = raised(stream)
    with pytest.raises(SidecarError) as caught:
        client.embed("small", ["x"])
    assert (type(error), str(error), error.hint) == (type(caught.value), str(caught.value), caught.value.hint)
    assert (error.code, error.retry_after) == (code, caught.value.retry_after)
    assert isinstance(error, SidecarBusyError) == (error.retry_after == 0.1)
    stub.status = None
    check(embed(stream, "a"), "a")
    assert stub.opened == 1


def test_a_reply_with_a_row_too_few_is_refused(stub: StubSidecar, stream: EmbeddingStream) -> None:
    stub.drop = True
    with pytest.raises(BadReplyError):
        embed(stream, "a", "b")


def test_a_late_answer_ends_only_its_own_request(stub: StubSidecar, stream: EmbeddingStream) -> None:
    stub.hang = True
    assert raised(stream, timeout=0.2).code is grpc.StatusCode.DEADLINE_EXCEEDED
    stub.hang = False
    check(embed(stream, "a"), "a")
    assert stub.opened == 1


def test_a_sidecar_that_never_answers_is_left_and_asked_over_a_new_stream(
    stub: StubSidecar, stream: EmbeddingStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_SLACK", 0.1)
    stub.mute = True
    started = time.monotonic()
    assert raised(stream, timeout=0.2).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5
    stub.mute = False
    with suppress(SidecarError):  # the cancelled stream may not have ended yet
        embed(stream, "a")
    check(embed(stream, "a"), "a")
    assert stub.opened == 2


def test_what_is_in_flight_fails_with_its_sidecar_and_the_next_request_finds_it_again(
    stub: StubSidecar, stream: EmbeddingStream
) -> None:
    embed(stream, "a")
    stub.hang = True
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(embed, stream, "b")
        wait_until(lambda: len(stub.requests) == 2)
        stub.stop()
        error = call.exception(10)
    assert isinstance(error, SidecarUnavailableError)
    assert raised(stream).code is grpc.StatusCode.UNAVAILABLE
    stub.hang = False
    stub.start()

    def back() -> bool:
        with suppress(SidecarError):
            check(embed(stream, "c"), "c")
            return True
        return False

    wait_until(back)


@pytest.fixture
def named() -> Iterator[tuple[StubSidecar, EmbeddingClient]]:
    """Give a stub that tells its name, behind one of two addresses; nobody is at the other."""
    with open_directory() as folder, StubSidecar(f"unix:{folder}/a.sock") as stub:
        stub.name = "host at a"
        with EmbeddingClient(f"{stub.address},unix:{folder}/b.sock") as client:
            yield stub, client


def test_a_bad_reply_and_a_stream_that_breaks_name_the_sidecar_of_a_list(
    named: tuple[StubSidecar, EmbeddingClient],
) -> None:
    stub, client = named
    place = f"the sidecar on host at a, called at {client.address}, answered"
    with closing(EmbeddingStream(client)) as stream:
        stub.drop = True
        for asked in (client, stream):
            with pytest.raises(BadReplyError) as refused:
                asked.embed("small", ["a", "b"], "document", "", 10)
            assert str(refused.value).startswith(f"{place} (1, ")
        stub.drop, stub.hang = False, True
        assert str(raised(stream, timeout=0.2)).startswith(f"{place} DEADLINE_EXCEEDED: ")
        with ThreadPoolExecutor(1) as pool:
            asked_for = len(stub.requests)
            call = pool.submit(embed, stream, "b")
            wait_until(lambda: len(stub.requests) > asked_for)
            stub.stop()
            error = call.exception(10)
        assert str(error).startswith(f"{place} UNAVAILABLE: ")
        # Nobody is there to tell a name.
        assert f"the sidecar at {client.address} answered UNAVAILABLE: " in str(raised(stream))


def test_a_name_is_not_told_of_a_single_sidecar(stub: StubSidecar, client: EmbeddingClient) -> None:
    stub.name, stub.status = "host at a", grpc.StatusCode.INTERNAL
    with closing(EmbeddingStream(client)) as stream:
        for asked in (client, stream):
            with pytest.raises(SidecarError, match=f"^the sidecar at {stub.address} answered INTERNAL: "):
                asked.embed("small", ["a"], "document", "", 10)


def test_a_stream_that_ended_while_nobody_asked_is_no_failure_of_the_next_request(
    stub: StubSidecar, client: EmbeddingClient, stream: EmbeddingStream
) -> None:
    embed(stream, "a")
    stub.stop()
    stub.start()
    client.wait_ready(10)
    check(embed(stream, "b"), "b")
    assert stub.opened == 2


def test_a_stream_is_renewed_now_and_then(
    stub: StubSidecar, stream: EmbeddingStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_RENEWED_AFTER", 0.0)
    for text in "abc":
        check(embed(stream, text), text)
    assert stub.opened == 3


def test_closing_the_client_ends_what_is_in_flight_and_leaves_no_thread(
    stub: StubSidecar, client: EmbeddingClient, stream: EmbeddingStream
) -> None:
    stub.hang = True
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(embed, stream, "b", timeout=60)
        wait_until(lambda: len(stub.requests) == 1)
        client.close()
        error = call.exception(10)
    assert isinstance(error, SidecarUnavailableError)
    assert error.code is grpc.StatusCode.CANCELLED
    assert raised(stream).code is grpc.StatusCode.CANCELLED
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "embed-stream"])
