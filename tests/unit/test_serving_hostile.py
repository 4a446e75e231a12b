"""Callers who mean harm: each is refused with a status or bounded, others are answered, and memory stays."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

import pgduet.serving.streams as streams
from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from gated_server import running
from pgduet.client import EmbeddingClient, RequestRefusedError
from pgduet.v1 import embedding_pb2 as pb

PATH = "/pgduet.v1.EmbeddingService/"
METHODS = ["Embed", "Chunk", "ListModels", "LoadModel", "UnloadModel", "RecentQueries"]
# A field of a later version, twice; truncated; a length that is a lie; a group without an end; bytes that are no text.
RUBBISH = [b"\xff" * 50, b"\x0a", b"\x0a\xff\xff\xff\xff\x0f", b"\x0b\x0b\x0b", b"\x0a\x02\xff\xfe", b"\x80" * 11]
EMPTY_TEXT = b"\x1a\x00"
MESSAGE = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Sidecar]:
    program = str(Path(__file__).parent.parent / "gated_process.py")
    with open_directory() as folder, running_sidecar(folder, program=program) as sidecar:
        wait_serving(sidecar)
        yield sidecar


@pytest.fixture
def channel(server: Sidecar) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address, options=[("grpc.max_send_message_length", -1)]) as channel:
        yield channel


def memory(server: Sidecar) -> int:
    """Return what the process holds, in MiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


@contextmanager
def others_are_answered(server: Sidecar, within: float = 2.0) -> Iterator[list[float]]:
    """Ask as an ordinary caller does, all the while; fail where one answer takes too long."""
    taken: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        with EmbeddingClient(server.address) as client:
            while not ended.is_set():
                started = time.monotonic()
                client.embed("small", [f"text {started}"], timeout=20)
                taken.append(time.monotonic() - started)
                time.sleep(0.01)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield taken
    finally:
        ended.set()
        asking.join()
    assert taken
    assert max(taken) < within


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details() or ""


def send(channel: grpc.Channel, method: str, data: bytes) -> Any:
    make: Any = channel.unary_unary(PATH + method)
    return make(data, timeout=20)


def stream_of(channel: grpc.Channel, data: bytes) -> list[Any]:
    make: Any = channel.stream_stream(PATH + "EmbedStream")
    return list(make(iter([data]), timeout=20))


def test_rubbish_is_invalid_and_leaves_one_line_without_a_traceback(server: Sidecar, channel: grpc.Channel) -> None:
    before = len(server.log_text())
    for method in METHODS:
        for data in RUBBISH[: 4 if method in ("ListModels",) else None]:
            code, details = refusal(partial(send, channel, method, data))
            assert (code, "cannot be read" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True), (method, data)
    for data in RUBBISH[:3]:
        code, _ = refusal(partial(stream_of, channel, data))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(partial(send, channel, "DropAll", b""))[0] is grpc.StatusCode.UNIMPLEMENTED
    said = server.log_text()[before:]
    assert "Traceback" not in said
    assert '"call": "load_model"' in said
    assert '"call": "embed_stream"' in said


def test_a_message_over_the_limit_is_refused_before_it_is_read(server: Sidecar, channel: grpc.Channel) -> None:
    before = memory(server)
    for method in METHODS:
        code, details = refusal(partial(send, channel, method, bytes(MESSAGE + 1)))
        assert (code, "larger than max" in details) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)
    assert memory(server) < before + 100


@pytest.mark.parametrize("nested", [False, True])
def test_millions_of_empty_texts_are_counted_no_further_than_the_limit(
    server: Sidecar, channel: grpc.Channel, nested: bool
) -> None:
    texts = EMPTY_TEXT * 15_000_000
    length = len(texts)
    varint = bytes((length >> shift & 0x7F) | 0x80 for shift in (0, 7, 14)) + bytes([length >> 21])
    data = b"\x12" + varint + texts if nested else texts
    before = memory(server)
    with others_are_answered(server):
        for _ in range(4):
            call = partial(stream_of, channel, data) if nested else partial(send, channel, "Embed", data)
            code, details = refusal(call)
            assert (code, "more than 256 texts" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    # Two messages may be on their way at a time. Read, one of them takes half a gigabyte.
    assert memory(server) < before + 300


def test_too_many_texts_and_characters_are_refused_by_number(server: Sidecar) -> None:
    with EmbeddingClient(server.address) as client:
        for count in (257, 320, 1000):
            with pytest.raises(RequestRefusedError, match="256"):
                client.embed("small", ["x"] * count)
        with pytest.raises(RequestRefusedError, match="2000001 characters; the limit is 2000000"):
            client.chunk("x" * 2_000_001)
        reply = client.embed("small", ["x" * 2_000_001, "y"])
    assert [result.error.kind for result in reply.results] == [pb.EMBED_ERROR_KIND_TOO_LONG, 0]


class Loris:
    """A connection of HTTP/2 by hand, which sends a call's head and then a part of its message, or nothing."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(address.removeprefix("unix:"))
        # The preface and an empty frame of settings (RFC 9113, 3.4).
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(4, 0, 0, b""))

    def open(self, stream: int, method: str) -> None:
        fields = {":method": "POST", ":scheme": "http", ":path": PATH + method, ":authority": "here"}
        fields |= {"te": "trailers", "content-type": "application/grpc"}
        # Literals without indexing (RFC 7541, 6.2.2).
        block = b"".join(b"\x00" + self._text(name) + self._text(value) for name, value in fields.items())
        self._socket.sendall(self._frame(1, 4, stream, block))

    def trickle(self, stream: int, data: bytes) -> None:
        self._socket.sendall(self._frame(0, 0, stream, data))

    def close(self) -> None:
        self._socket.close()

    @staticmethod
    def _text(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    @staticmethod
    def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def test_connections_streams_and_messages_that_never_end_hold_up_nobody(server: Sidecar) -> None:
    before = memory(server)
    with ExitStack() as stack:
        lorises = [Loris(server.address) for _ in range(40)]
        for loris in lorises:
            stack.callback(loris.close)
            for stream in range(1, 41, 2):
                loris.open(stream, "EmbedStream" if stream % 4 == 1 else "Embed")
        with others_are_answered(server) as taken:
            # The head of a message of 60 MB, and of its bytes one now and then.
            data, deadline = b"\x00\x03\x93\x87\x00", time.monotonic() + 20
            while len(taken) < 20 and time.monotonic() < deadline:
                for loris in lorises:
                    for stream in range(1, 41, 2):
                        loris.trickle(stream, data)
                data = b"\x0a"
                time.sleep(0.1)
        assert len(taken) >= 20
        # 800 calls that are open; gRPC makes no room for bytes that have not come.
        assert memory(server) < before + 100
    with EmbeddingClient(server.address) as client:
        client.embed("small", ["still there"])


def test_a_stream_that_says_nothing_ends_and_one_that_waits_for_its_answer_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.3)

    async def scenario() -> None:
        async with running() as served:
            await served.until_serving()
            silent, waiting = served.stub.EmbedStream(timeout=20), served.stub.EmbedStream(timeout=20)
            request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=["waits"])
            await waiting.write(pb.EmbedStreamRequest(id=1, request=request))
            started = time.monotonic()
            assert await silent.read() is grpc.aio.EOF
            assert await silent.code() is grpc.StatusCode.OK
            assert 0.2 < time.monotonic() - started < 5
            await asyncio.sleep(0.7)
            served.duet.gate.set()
            assert (await waiting.read()).id == 1
            assert await waiting.read() is grpc.aio.EOF

    asyncio.run(scenario())


def test_one_connection_may_hold_so_many_calls_open_and_no_more(server: Sidecar) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
        raw.connect(server.address.removeprefix("unix:"))
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4))
        frame = b""
        while len(frame) < 9 + int.from_bytes(frame[:3] or b"\xff"):
            frame += raw.recv(4096)
    settings = {
        int.from_bytes(frame[at : at + 2]): int.from_bytes(frame[at + 2 : at + 6])
        for at in range(9, 9 + int.from_bytes(frame[:3]), 6)
    }
    # SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 6.5.2)
    assert settings[3] == 1000
