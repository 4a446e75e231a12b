"""Duets that leave to make room for others, and come back when they are asked for."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import torch
from safetensors.torch import load_file, save_file

from gated_server import Running, eventually, running, status_of
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.store.layout import MANIFEST, duet_folder
from pgduet.encoding.store.weighing import weights_bytes
from pgduet.v1 import embedding_pb2 as pb

# Every duet of these tests weighs 100 bytes.
TWO, THREE = 250, 300


async def load(server: Running, name: str) -> bool:
    reply: pb.LoadModelResponse = await server.stub.LoadModel(pb.LoadModelRequest(name=name), timeout=20)
    return reply.loaded


async def served(server: Running) -> list[str]:
    reply = await server.stub.ListModels(pb.ListModelsRequest(), timeout=20)
    return [model.name for model in reply.models]


def open_all(server: Running) -> None:
    for duet in server.store.duets.values():
        duet.gate.set()


@pytest.mark.parametrize("limit", [{"model_bytes": THREE}, {"model_bytes": 10_000, "max_models": 3}])
def test_the_one_used_longest_ago_leaves_and_comes_back_when_asked_for(limit: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with running(None, "one", "two", "three", **limit) as server:
            open_all(server)
            await server.until_serving()
            assert await load(server, "one")
            assert await load(server, "two")
            await server.embed("a", model="one")
            assert await load(server, "three")
            assert await served(server) == ["small", "one", "three"]
            code, details = await status_of(server.embed("a", model="two"))
            assert (code, "two is loading" in details) == (grpc.StatusCode.UNAVAILABLE, True)
            await eventually(lambda: server.store.loads.count("two") == 2)
            while "two" not in await served(server):
                await asyncio.sleep(0.01)
            assert (await server.embed("a", model="two")).fingerprint == "print-3"
            # "three" was loaded after "one" was used; whoever is used stays.
            assert await served(server) == ["small", "three", "two"]

    asyncio.run(scenario())


def test_one_that_is_named_at_the_start_or_in_use_stays_and_the_load_is_refused() -> None:
    async def scenario() -> None:
        async with running(None, "one", "two", model_bytes=TWO) as server:
            server.store.duets["small"].gate.set()
            await server.until_serving()
            assert await load(server, "one")
            call = asyncio.create_task(server.embed("a", model="one"))
            await eventually(server.store.duets["one"].entered.is_set)
            code, details = await status_of(server.stub.LoadModel(pb.LoadModelRequest(name="two"), timeout=20))
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert details.startswith(
                "the weights of two take 0 MB, too much beside what cannot leave now (small 0 MB, one"
            )
            assert "PGDUET_MODEL_BYTES is 250" in details
            open_all(server)
            assert (await call).fingerprint == "print-2"
            assert await load(server, "two")
            assert await served(server) == ["small", "two"]

    asyncio.run(scenario())


def test_two_loads_at_once_leave_what_fits() -> None:
    async def scenario() -> None:
        async with running(None, "one", "two", "three", model_bytes=THREE) as server:
            open_all(server)
            await server.until_serving()
            assert await load(server, "one")
            assert await load(server, "two")
            loads = [load(server, "three"), load(server, "three"), load(server, "one")]
            assert await asyncio.gather(*loads) in ([True, True, False], [True, True, True])
            assert len(await served(server)) == 3
            assert server.store.loads.count("three") == 1

    asyncio.run(scenario())


def test_what_left_and_is_unloaded_or_gone_from_the_store_does_not_come_back() -> None:
    async def scenario() -> None:
        async with running(None, "one", "two", model_bytes=TWO) as server:
            open_all(server)
            await server.until_serving()
            assert await load(server, "one")
            assert await load(server, "two")
            reply = await server.stub.UnloadModel(pb.UnloadModelRequest(name="one"), timeout=20)
            assert list(reply.served) == ["small", "two"]
            code, _ = await status_of(server.embed("a", model="one"))
            assert code is grpc.StatusCode.NOT_FOUND
            assert await load(server, "one")
            del server.store.prints["two"]
            code, _ = await status_of(server.embed("a", model="two"))
            assert code is grpc.StatusCode.UNAVAILABLE
            while (await status_of(server.embed("a", model="two")))[0] is not grpc.StatusCode.NOT_FOUND:
                await asyncio.sleep(0.01)
            assert await served(server) == ["small", "one"]

    asyncio.run(scenario())


def test_without_a_limit_of_memory_nobody_leaves() -> None:
    async def scenario() -> None:
        async with running(None, "one", "two", max_models=2) as server:
            open_all(server)
            await server.until_serving()
            assert await load(server, "one")
            code, _ = await status_of(server.stub.LoadModel(pb.LoadModelRequest(name="two"), timeout=20))
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert await served(server) == ["small", "one"]

    asyncio.run(scenario())


def test_what_multiplies_in_eight_bits_takes_a_byte_but_for_the_values_of_attention(tmp_path: Path) -> None:
    small = duet_folder("small")
    for slot in ("code", "text"):
        (tmp_path / slot).mkdir()
        (tmp_path / slot / "config.json").write_text((small / slot / "config.json").read_text())
        tensors = {
            "layer.0.attention.self.query.weight": torch.zeros(300, 300, dtype=torch.int8),
            "layer.0.attention.self.value.weight": torch.zeros(300, 300, dtype=torch.int8),
            "layer.0.attention.self.query.bias": torch.zeros(300),
            "embeddings.word_embeddings.weight": torch.zeros(500, 300, dtype=torch.int8),
        }
        save_file(tensors, tmp_path / slot / "model.safetensors")
    (tmp_path / MANIFEST).write_text(to_toml(read_manifest(small / MANIFEST)), encoding="utf-8")
    assert weights_bytes(tmp_path) == 2 * 4 * (90_000 + 90_000 + 300 + 150_000)
    for slot in ("code", "text"):
        config = json.loads((tmp_path / slot / "config.json").read_text())
        config["quantization_config"] = {"quant_method": "pgduet-int8", "activations": "int8"}
        (tmp_path / slot / "config.json").write_text(json.dumps(config))
    # Layers are there twice: for one text on all threads, and for one on each.
    assert weights_bytes(tmp_path) == 2 * (2 * (90_000 + 4 * (90_000 + 300)) + 150_000)


@pytest.mark.parametrize(
    ("dtype", "engine", "size"), [("float32", "torch", 4), ("bfloat16", "torch", 2), ("bfloat16", "auto", 4)]
)
def test_weights_are_counted_as_the_numbers_they_become(
    dtype: str, engine: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDUET_ENGINE", engine)
    small = duet_folder("small")
    numbers = 0
    for slot in ("code", "text"):
        (tmp_path / slot).symlink_to(small / slot)
        numbers += sum(tensor.numel() for tensor in load_file(small / slot / "model.safetensors").values())
    manifest = replace(read_manifest(small / MANIFEST), dtype=dtype)
    (tmp_path / MANIFEST).write_text(to_toml(manifest), encoding="utf-8")
    assert numbers > 130_000_000
    assert weights_bytes(tmp_path) == numbers * size
