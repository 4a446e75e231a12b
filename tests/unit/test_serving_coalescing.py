"""What comes while the model computes goes in one batch; what comes while it is idle goes at once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gated_server import GatedDuet, Running, Words, eventually, running
from pgduet.encoding import Part
from pgduet.v1 import embedding_pb2 as pb


class SlowDuet(GatedDuet):
    """Takes 50 ms for a call however many texts it has, as a GPU does for few tokens."""

    def encode(
        self, tokens: Sequence[Words], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
    ) -> Any:
        time.sleep(0.05)
        return super().encode(tokens, part, before_pass)


async def all_wait(server: Running, texts: int) -> None:
    """Wait until so many texts have been tokenised, and then until what this loop does about them is done."""
    await eventually(lambda: len(server.duet.tokenised) == texts)
    await asyncio.sleep(0.2)


def slow(duet: GatedDuet) -> GatedDuet:
    duet.__class__ = SlowDuet
    duet.gate.set()
    return duet


@pytest.mark.parametrize("role", [pb.ROLE_DOCUMENT, pb.ROLE_QUERY])
def test_a_lone_text_goes_at_once_and_those_of_63_others_that_come_meanwhile_go_together(role: int) -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            lone = asyncio.create_task(server.embed("lone", role=role))
            await eventually(server.duet.entered.is_set)
            others = [asyncio.create_task(server.embed(f"text {number}", role=role)) for number in range(63)]
            await all_wait(server, 64)
            server.duet.gate.set()
            await asyncio.gather(lone, *others)
            assert server.duet.batches[0] == ["lone"]
            assert len(server.duet.batches) == 2

    asyncio.run(scenario())


def test_64_clients_with_one_text_at_a_time_need_few_calls_of_the_model() -> None:
    async def scenario() -> None:
        async with running(slow) as server:
            await server.until_serving()

            async def client(name: int) -> None:
                for number in range(4):
                    await server.embed(f"client {name} text {number}", role=pb.ROLE_QUERY)

            await asyncio.gather(*(client(name) for name in range(64)))
            # Four would be the fewest; one for each text 256.
            assert len(server.duet.batches) <= 26

    asyncio.run(scenario())


def test_documents_of_several_small_requests_share_a_batch() -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            first = asyncio.create_task(server.embed("first"))
            await eventually(server.duet.entered.is_set)
            requests = [tuple(f"request {number} text {place}" for place in range(4)) for number in range(8)]
            calls = [asyncio.create_task(server.embed(*texts)) for texts in requests]
            await all_wait(server, 33)
            server.duet.gate.set()
            replies = await asyncio.gather(first, *calls)
            assert [len(reply.results) for reply in replies] == [1] + [4] * 8
            assert len(server.duet.batches) == 2

    asyncio.run(scenario())
