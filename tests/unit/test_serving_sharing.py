"""Equal texts of requests in flight are computed once, and no request depends on how another one ends."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import grpc
import numpy as np

from gated_server import GatedDuet, Running, eventually, running, status_of
from pgduet.encoding import Part, Role
from pgduet.serving.admission import BusyError
from pgduet.serving.cache import Row
from pgduet.serving.engine import Engine
from pgduet.serving.metrics import Metrics
from pgduet.serving.turns import Turns
from pgduet.serving.work import ExpiredError
from pgduet.v1 import embedding_pb2 as pb


def lengths(reply: pb.EmbedResponse) -> list[int]:
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(len(reply.results), reply.width)
    return [int(row[0]) for row in rows]


async def held(server: Running) -> "asyncio.Task[pb.EmbedResponse]":
    """Let a first text stand in the model, so that what comes next waits."""
    await server.until_serving()
    first = asyncio.create_task(server.embed("first"))
    await eventually(server.duet.entered.is_set)
    return first


async def ask(server: Running, *texts: str, **more: Any) -> "asyncio.Task[pb.EmbedResponse]":
    """Send a request and let it get to where it waits."""
    call = asyncio.create_task(server.embed(*texts, **more))
    await asyncio.sleep(0.15)
    return call


def computed(server: Running) -> Counter[str]:
    return Counter(text for batch in server.duet.batches for text in batch)


def test_a_text_that_waits_or_is_computed_for_another_request_is_computed_once() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            calls = [await ask(server, *texts) for texts in (("a", "bb"), ("bb", "ccc"), ("first", "a"))]
            server.duet.gate.set()
            replies = await asyncio.gather(first, *calls)
            assert [lengths(reply) for reply in replies] == [[5], [1, 2], [2, 3], [5, 1]]
            assert set(computed(server).values()) == {1}
            # Nothing is kept once all have their answers: there is no cache here.
            assert lengths(await server.embed("a")) == [1]
            assert computed(server)["a"] == 2

    asyncio.run(scenario())


def test_roles_and_parts_are_never_shared() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            asked: tuple[dict[str, int], ...] = (
                {},
                {"part": pb.PART_CODE},
                {"part": pb.PART_TEXT},
                {"role": pb.ROLE_QUERY},
            )
            calls = [await ask(server, "same", **more) for more in asked]
            server.duet.gate.set()
            replies = await asyncio.gather(first, *calls)
            assert [reply.width for reply in replies[1:]] == [16, 10, 6, 16]
            assert computed(server)["same"] == 4

    asyncio.run(scenario())


def test_a_request_that_was_cancelled_while_it_waited_does_not_take_the_other_one_down() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            gone = await ask(server, "shared", "only mine")
            other = await ask(server, "shared", "x")
            gone.cancel()
            await asyncio.sleep(0.1)
            server.duet.gate.set()
            assert lengths(await other) == [6, 1]
            await first
            assert computed(server) == {"first": 1, "shared": 1, "x": 1}

    asyncio.run(scenario())


def test_a_request_that_was_cancelled_while_it_was_computed_does_not_either() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            other = await ask(server, "first")
            first.cancel()
            await asyncio.sleep(0.1)
            server.duet.gate.set()
            assert lengths(await other) == [5]
            assert computed(server) == {"first": 1}

    asyncio.run(scenario())


def test_the_deadline_of_each_request_is_its_own() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            short = asyncio.create_task(server.embed("shared", timeout=0.4))
            long = await ask(server, "shared")
            hurried = asyncio.create_task(server.embed("shared", timeout=0.4))
            for call in (short, hurried):
                assert (await status_of(call))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
            server.duet.gate.set()
            assert lengths(await long) == [6]
            await first
            assert computed(server) == {"first": 1, "shared": 1}

    asyncio.run(scenario())


def test_a_text_that_the_model_fails_on_is_an_error_for_all_that_wait_for_it() -> None:
    async def scenario() -> None:
        async with running(cache_bytes=0) as server:
            first = await held(server)
            server.duet.poison = "bad"
            calls = [await ask(server, "bad", text) for text in ("a", "b")]
            server.duet.gate.set()
            await first
            for reply in await asyncio.gather(*calls):
                assert [result.error.kind for result in reply.results] == [pb.EMBED_ERROR_KIND_FAILED, 0]

    asyncio.run(scenario())


def test_rows_that_were_computed_before_a_request_was_given_up_are_kept() -> None:
    async def scenario() -> None:
        async with running(batch_tokens=64) as server:
            await server.until_serving()
            texts = [f"document {number} " + "x " * 20 for number in range(4)]
            call = asyncio.create_task(server.embed(*texts))
            await eventually(server.duet.entered.is_set)
            server.duet.gate.set()
            await eventually(lambda: len(server.duet.batches) >= 2)
            server.duet.gate.clear()
            call.cancel()
            await asyncio.sleep(0.1)
            server.duet.gate.set()
            assert lengths(await server.embed(*texts)) == [len(text) for text in texts]
            # One batch may have been under way when the call was given up.
            assert sum(computed(server).values()) <= len(texts) + 1

    asyncio.run(scenario())


def test_many_requests_with_texts_in_common_that_come_and_go_all_get_their_own_rows() -> None:
    chosen = random.Random(8)

    async def one(engine: Engine) -> None:
        texts = [f"{'x' * chosen.randrange(1, 12)}" for _ in range(chosen.randrange(1, 9))]
        deadline = time.monotonic() + chosen.choice([0.0005, 20])
        call = asyncio.create_task(engine.embed(texts, chosen.choice(list(Role)), chosen.choice(list(Part)), deadline))
        if chosen.random() < 0.3:
            await asyncio.sleep(chosen.random() * 0.004)
            call.cancel()
        try:
            outcomes = await asyncio.wait_for(asyncio.shield(call), 20)
        except (asyncio.CancelledError, BusyError, ExpiredError):
            return
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        assert [np.frombuffer(row.embedding, "<f2")[0] for row in rows] == [len(text) for text in texts]
        answered.append(len(texts))

    answered: list[int] = []

    async def scenario() -> None:
        duet = GatedDuet()
        duet.gate.set()
        engine = Engine(batch_tokens=6, queue_tokens=10**6, turns=Turns(), metrics=Metrics().of_model("small"))
        ended = engine.start(lambda: duet)  # type: ignore[arg-type, return-value]
        await asyncio.wrap_future(engine.loaded)
        try:
            for _ in range(15):
                await asyncio.gather(*(one(engine) for _ in range(20)))
            assert len(engine._sharing) == 0
        finally:
            engine.close()
        await asyncio.wrap_future(ended)

    asyncio.run(scenario())
    assert len(answered) > 100
