"""What Prometheus is told, read as it reads it."""

import asyncio
import time
import urllib.request

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fix_pooler import free_port
from gated_server import Running, eventually, running, status_of
from pgduet.encoding import Role
from pgduet.errors import PgduetError
from pgduet.serving.metrics import Metrics
from pgduet.v1 import embedding_pb2 as pb


async def scrape(address: str) -> dict[str, float]:
    """Read all samples: `name{label=value,...}` without the common prefix to number."""

    def read() -> str:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as reply:
            text: str = reply.read().decode()
            return text

    families = text_string_to_metric_families(await asyncio.to_thread(read))
    samples = [sample for family in families for sample in family.samples if not sample.name.endswith("_created")]
    return {
        sample.name.removeprefix("pgduet_sidecar_")
        + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


async def held(server: Running) -> "asyncio.Task[pb.EmbedResponse]":
    await server.until_serving()
    first = asyncio.create_task(server.embed("one two three", role=pb.ROLE_QUERY))
    await eventually(server.duet.entered.is_set)
    return first


def test_what_requests_texts_and_batches_do_is_counted() -> None:
    address = f"127.0.0.1:{free_port()}"

    async def scenario() -> None:
        async with running(metrics_address=address, max_texts=4, batch_tokens=64) as server:
            first = await held(server)
            again = asyncio.create_task(server.embed("one two three", role=pb.ROLE_QUERY))
            waiting = asyncio.create_task(server.embed("word " * 20))
            await asyncio.sleep(0.3)
            found = await scrape(address)
            assert found["models"] == 1
            assert found["queue_tokens lane=query model=small"] == 6
            assert found["queue_tokens lane=document model=small"] == 40
            server.duet.gate.set()
            await asyncio.gather(first, again, waiting)
            server.duet.poison = "poison"
            await server.embed("one two three", role=pb.ROLE_QUERY)
            await server.embed("a", "b b b", " ", "poison")
            await status_of(server.embed("a", model="big"))
            found = await scrape(address)
            counted = {
                "requests_total call=embed status=OK": 5,
                "requests_total call=embed status=NOT_FOUND": 1,
                "rejected_total reason=not_found": 1,
                "texts_total outcome=ok role=query": 3,
                "texts_total outcome=ok role=document": 3,
                "texts_total outcome=blank role=document": 1,
                "texts_total outcome=failed role=document": 1,
                "cache_hits_total": 1,
                "cache_misses_total": 6,
                "texts_shared_total": 1,
                "wait_seconds_count lane=document": 4,
                "wait_seconds_count lane=query": 1,
                "queue_tokens lane=document model=small": 0,
                "tokenise_seconds_count lane=query": 1,
                "compute_seconds_count lane=query model=small": 1,
                "batch_tokens_sum lane=query": 6,
                "batch_fill_sum lane=query": 6 / 64,
                "batch_padding_sum lane=query": 0,
            }
            assert {name: found.get(name) for name in counted} == pytest.approx(counted)
            assert found["wait_seconds_sum lane=document"] > 0.2
            assert found["batch_splits_total cause=failure model=small"] >= 1
            assert "poison" not in str(found)

    asyncio.run(scenario())


def test_reasons_of_refusals_and_lack_of_memory_are_told_apart() -> None:
    address = f"127.0.0.1:{free_port()}"

    async def scenario() -> None:
        async with running(metrics_address=address, queue_tokens=100) as server:
            first = asyncio.create_task(held(server))
            held_one = await first
            waiting = asyncio.create_task(server.embed("word " * 30))
            await asyncio.sleep(0.2)
            assert (await status_of(server.embed("other " * 30)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
            server.duet.room = 1
            server.duet.gate.set()
            await asyncio.gather(held_one, waiting)
            await server.embed("a", "b")
            found = await scrape(address)
            assert found["rejected_total reason=full"] == 1
            assert found["batch_splits_total cause=out_of_memory model=small"] == 1

    asyncio.run(scenario())


def test_a_duet_that_is_gone_is_not_asked_any_more() -> None:
    address = f"127.0.0.1:{free_port()}"

    async def scenario() -> None:
        async with running(None, "tuned", metrics_address=address) as server:
            await server.until_serving()
            await server.stub.LoadModel(pb.LoadModelRequest(name="tuned"))
            found = await scrape(address)
            assert (found["models"], "queue_tokens lane=query model=tuned" in found) == (2, True)
            await server.stub.UnloadModel(pb.UnloadModelRequest(name="tuned"))
            found = await scrape(address)
            assert (found["models"], "queue_tokens lane=query model=tuned" in found) == (1, False)

    asyncio.run(scenario())


def test_padding_is_counted_for_each_half() -> None:
    metrics = Metrics()
    metrics.of_model("small").computed(Role.DOCUMENT, 0.1, [(10, 4), (10, 2)], 100)
    found = metrics.registry.get_sample_value("pgduet_sidecar_batch_padding_sum", {"lane": "document"})
    assert found == pytest.approx(1 - 26 / 28)


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:70000", "127.0.0.1:1x"])
def test_a_bad_address_is_told(address: str) -> None:
    with pytest.raises(PgduetError, match="metrics cannot be served"):
        Metrics().serve(address)


def test_a_taken_address_is_told_and_a_closed_one_is_free_again() -> None:
    address = f"127.0.0.1:{free_port()}"
    close = Metrics().serve(address)
    with pytest.raises(PgduetError, match="metrics cannot be served"):
        Metrics().serve(address)
    close()
    started = time.monotonic()
    Metrics().serve(address)()
    assert time.monotonic() - started < 5
