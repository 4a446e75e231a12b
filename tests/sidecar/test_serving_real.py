"""The real sidecar with the real weights, over a unix socket."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from fix_sidecar import Sidecar, open_directory, running_sidecar, wait_serving
from pgduet.client import EmbeddingClient, RequestRefusedError, SidecarUnavailableError
from pgduet.encoding import Duet, Part, Role, load_duet
from pgduet.encoding.engines import TORCH_ON_CPU
from pgduet.v1 import dialing, embedding_pb2_grpc
from pgduet.v1 import embedding_pb2 as pb

SERVE = [str(Path(sys.executable).with_name("pgduet")), "serve"]
TEXTS = ["def add(a, b):\n    return a + b", "SELECT count(*) FROM orders", "retry an http call with backoff"]


@pytest.fixture
def client(sidecar: Sidecar) -> Iterator[EmbeddingClient]:
    with EmbeddingClient(sidecar.address) as connected:
        yield connected


@pytest.fixture(scope="module")
def duet() -> Duet:
    return load_duet("small", runtime=TORCH_ON_CPU)


def rows(reply: pb.EmbedResponse) -> npt.NDArray[np.float16]:
    return np.frombuffer(reply.embeddings, "<f2").reshape(len(reply.results), reply.width)


def log_lines(sidecar: Sidecar, **wanted: Any) -> list[dict[str, Any]]:
    """Read the log as JSON: every line of it must be JSON."""
    lines = [json.loads(line) for line in sidecar.log_text().splitlines()]
    return [line for line in lines if all(line.get(key) == value for key, value in wanted.items())]


def bulk(count: int) -> list[str]:
    chosen = random.Random(time.time_ns())
    return [" ".join(chosen.choices(["int", "value", "return", "self", "("], k=150)) for _ in range(count)]


@pytest.mark.parametrize("role", list(Role))
def test_vectors_over_the_wire_are_those_of_the_duet_to_half_precision(
    client: EmbeddingClient, duet: Duet, role: Role
) -> None:
    reply = client.embed("small", TEXTS, role, expected_fingerprint=duet.fingerprint)
    tokens = duet.tokenise(TEXTS, role)
    encoded = duet.encode(tokens)
    assert (reply.fingerprint, reply.width) == (duet.fingerprint, 2560)
    assert np.allclose(rows(reply).astype(np.float32), encoded.embeddings, atol=1e-4)
    assert np.allclose(np.linalg.norm(rows(reply).astype(np.float64), axis=1), 1, atol=1e-3)
    bits = np.unpackbits(np.frombuffer(reply.sketches, np.uint8)) != np.unpackbits(encoded.sketches)
    assert bits.mean() < 0.001
    assert [(r.code_tokens, r.text_tokens) for r in reply.results] == [(t.code_tokens, t.text_tokens) for t in tokens]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("part", "place"), [(Part.CODE, slice(1536)), (Part.TEXT, slice(1536, 2560))])
def test_a_half_over_the_wire_is_a_unit_vector_along_its_share_of_the_whole_one(
    client: EmbeddingClient, role: Role, part: Part, place: slice
) -> None:
    whole = rows(client.embed("small", TEXTS, role)).astype(np.float64)[:, place]
    reply = client.embed("small", TEXTS, role, part=part)
    half = rows(reply).astype(np.float64)
    assert half.shape == whole.shape
    assert reply.sketches == b""
    assert np.allclose(np.linalg.norm(half, axis=1), 1, atol=1e-3)
    cosines = (half * whole).sum(axis=1) / np.linalg.norm(half, axis=1) / np.linalg.norm(whole, axis=1)
    assert cosines.min() >= 0.9999
    counted = [(result.code_tokens > 0, result.text_tokens > 0) for result in reply.results]
    assert counted == [(part is Part.CODE, part is Part.TEXT)] * len(TEXTS)


def test_what_each_half_could_not_read_is_told_per_text(client: EmbeddingClient) -> None:
    texts = ["value " * words for words in (10, 300, 1000)]
    results = client.embed("small", texts).results
    assert [(r.code_truncated, r.text_truncated) for r in results] == [(False, False), (True, False), (True, True)]
    assert [r.truncated for r in results] == [False, True, True]
    assert [r.truncated for r in client.embed("small", texts, part="text").results] == [False, False, True]


def test_an_unknown_part_is_refused(sidecar: Sidecar) -> None:
    request = pb.EmbedRequest(model="small", role=pb.ROLE_QUERY, texts=["x"], part=9)  # type: ignore[arg-type]
    with (
        grpc.insecure_channel(sidecar.address) as channel,
        pytest.raises(grpc.RpcError, match="the part is 9") as caught,
    ):
        embedding_pb2_grpc.EmbeddingServiceStub(channel).Embed(request, timeout=10)  # type: ignore[no-untyped-call]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_answers_stand_in_the_order_of_the_texts_whatever_their_length(client: EmbeddingClient) -> None:
    texts = ["a " * 100, "b", "c " * 40, "b", "d " * 10]
    together = rows(client.embed("small", texts)).astype(np.float32)
    alone = np.vstack([rows(client.embed("small", [text + " "])) for text in texts]).astype(np.float32)
    assert ((together @ alone.T).argmax(axis=1) == [0, 1, 2, 1, 4]).all()
    assert (together[1] == together[3]).all()


def test_a_cache_hit_gives_identical_bytes_and_is_told_in_the_log(sidecar: Sidecar, client: EmbeddingClient) -> None:
    text = f"def cached_{time.time_ns()}(): pass"
    first = client.embed("small", [text])
    again = client.embed("small", [text, text])
    assert again.embeddings == first.embeddings * 2
    assert again.sketches == first.sketches * 2
    assert again.results[0] == first.results[0]
    line = log_lines(sidecar, event="answered", call="embed")[-1]
    assert (line["cache_hits"], line["texts"], line["role"]) == (1, 2, "document")
    assert "cached_" not in sidecar.log_text()


def test_texts_that_fail_do_not_take_the_others_with_them(client: EmbeddingClient) -> None:
    reply = client.embed("small", ["x = 1", "\ufeff \r\n", "y" * 2_000_001, "x = 1"])
    kinds = [result.error.kind for result in reply.results]
    assert kinds == [0, pb.EMBED_ERROR_KIND_BLANK, pb.EMBED_ERROR_KIND_TOO_LONG, 0]
    assert not rows(reply)[1:3].any()
    assert (rows(reply)[0] == rows(reply)[3]).all()
    assert len(reply.sketches) == 4 * 320
    assert "2000001 characters" in reply.results[2].error.message


def test_strange_texts_get_unit_vectors(client: EmbeddingClient) -> None:
    characters = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x110000))]
    texts = [
        "x" * 1_000_000,
        "".join(random.Random(7).choices(characters, k=5000)),
        "🙂👩‍👩‍👧‍👦🏳️‍🌈",
        "שלום = 'مرحبا'",
        "\ufeffdef f():\r\n    return 1\r\n",
        "[CLS] </s> <pad> [SEP]",
    ]
    reply = client.embed("small", texts)
    assert np.allclose(np.linalg.norm(rows(reply).astype(np.float64), axis=1), 1, atol=1e-3)
    assert [result.truncated for result in reply.results] == [True, True, False, False, False, False]
    assert reply.results[0].text_tokens > 100_000


def test_requests_that_do_not_fit_are_refused(client: EmbeddingClient, sidecar: Sidecar) -> None:
    with pytest.raises(RequestRefusedError, match="0 texts; 1 to 256 are allowed"):
        client.embed("small", [])
    with pytest.raises(RequestRefusedError, match="257 texts; 1 to 256 are allowed"):
        client.embed("small", ["x"] * 257)
    with pytest.raises(RequestRefusedError, match="NOT_FOUND: no model 'qodo-jina' is served here; served: small"):
        client.embed("qodo-jina", ["x"])
    with pytest.raises(RequestRefusedError, match="FAILED_PRECONDITION: vectors of fingerprint 'another'"):
        client.embed("small", ["x"], expected_fingerprint="another")
    with grpc.insecure_channel(sidecar.address) as channel, pytest.raises(grpc.RpcError, match="ROLE_DOCUMENT"):
        embedding_pb2_grpc.EmbeddingServiceStub(channel).Embed(  # type: ignore[no-untyped-call]
            pb.EmbedRequest(model="small", texts=["x"]), timeout=10
        )


def test_a_query_overtakes_documents_and_giving_up_on_them_is_logged(sidecar: Sidecar, client: EmbeddingClient) -> None:
    with grpc.insecure_channel(sidecar.address) as channel:
        stub = embedding_pb2_grpc.EmbeddingServiceStub(channel)  # type: ignore[no-untyped-call]
        request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=bulk(256))
        documents = stub.Embed.future(request, timeout=300, metadata=(("x-request-id", "bulk-1"),))
        time.sleep(0.5)
        client.embed("small", [f"find {time.time_ns()}"], "query")
        assert not documents.done()
        documents.cancel()
    deadline = time.monotonic() + 30
    while not (lines := log_lines(sidecar, event="cancelled", request_id="bulk-1")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [(line["level"], line["texts"], line["role"]) for line in lines] == [("info", 256, "document")]
    assert lines[0]["ms"] >= 400
    # Nothing of the rest stands before this one.
    client.embed("small", [f"after {time.time_ns()}"])


def test_models_and_services_are_listed(client: EmbeddingClient, sidecar: Sidecar, duet: Duet) -> None:
    (model,) = client.list_models().models
    assert (model.name, model.fingerprint, model.width) == ("small", duet.fingerprint, 2560)
    assert (model.max_texts, model.max_characters) == (256, 2_000_000)
    assert [half.slot for half in model.encoders] == ["code", "text"]
    assert sum(half.weight for half in model.encoders) == pytest.approx(1)
    with grpc.insecure_channel(sidecar.address) as channel:
        ask = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[no-untyped-call]
        (reply,) = reflection.ServerReflectionInfo(ask, timeout=10)
    names = {service.name for service in reply.list_services_response.service}
    assert {"pgduet.v1.EmbeddingService", "grpc.health.v1.Health"} <= names


def test_a_file_is_cut_into_chunks_and_an_unknown_language_is_refused(client: EmbeddingClient) -> None:
    content = "class Client:\n    def fetch(self):\n        return 1\n\n\ndef main():\n    pass\n"
    symbols = [chunk.symbol for chunk in client.chunk(content, path="src/client.py").chunks]
    assert symbols[-1] == "main"
    assert any(symbol.startswith("Client") for symbol in symbols)
    with pytest.raises(RequestRefusedError, match=r"INVALID_ARGUMENT: .*klingon"):
        client.chunk(content, language="klingon")
    with pytest.raises(RequestRefusedError, match="2000001 characters; the limit is 2000000"):
        client.chunk("x" * 2_000_001)


def test_callers_may_ping_as_often_as_they_do(sidecar: Sidecar) -> None:
    states: list[grpc.ChannelConnectivity] = []
    options = {**dict(dialing.options()), "grpc.keepalive_time_ms": 1100}
    with grpc.insecure_channel(sidecar.address, options=list(options.items())) as channel:
        channel.subscribe(states.append, try_to_connect=True)
        while grpc.ChannelConnectivity.READY not in states:
            time.sleep(0.01)
        # A server that takes pings for an attack hangs up after three.
        time.sleep(5)
        assert states[-1] is grpc.ChannelConnectivity.READY
        assert states.count(grpc.ChannelConnectivity.READY) == 1


def test_a_sidecar_is_red_then_green_and_a_stop_finishes_what_is_in_flight() -> None:
    with (
        open_directory() as directory,
        running_sidecar(directory, grace_seconds="60") as own,
        EmbeddingClient(own.address, direct=True) as client,
    ):
        socket = Path(own.address.removeprefix("unix:"))
        while not socket.exists():
            assert own.process.poll() is None, own.log_text()
            time.sleep(0.01)
        assert not client.healthy()
        with pytest.raises(SidecarUnavailableError, match="small is loading"):
            client.embed("small", ["x"])
        wait_serving(own)
        assert socket.stat().st_mode & 0o777 == 0o666
        second = subprocess.run(SERVE, env=own.environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert f"another server is listening on {socket}" in second.stderr
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(client.embed, "small", bulk(4))
            time.sleep(0.3)
            own.process.terminate()
            assert len(call.result(60).results) == 4
        assert own.process.wait(30) == 0
        assert not socket.exists()
        assert log_lines(own)[-1]["event"] == "stopped"


def test_a_model_that_is_not_in_the_store_ends_the_sidecar_with_1_and_a_hint() -> None:
    with open_directory() as directory, running_sidecar(directory, model="nothing") as own:
        assert own.process.wait(60) == 1
        (line,) = log_lines(own, level="error")
    assert "nothing" in line["error"]
    assert line["hint"]


def test_help_shows_examples_and_the_environment() -> None:
    shown = subprocess.run([*SERVE, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "PGDUET_SOCKET_MODE" in shown
    assert "--listen unix:/run/pgduet/sidecar.sock" in shown
