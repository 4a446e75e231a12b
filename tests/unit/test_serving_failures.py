"""What the model fails on: the text at fault is found, the others are answered, a sick model is told apart."""

import asyncio

import grpc
import numpy as np
import pytest
from structlog.testing import capture_logs

from gated_server import SERVING, GatedDuet, Running, running, status_of
from pgduet.encoding import Role
from pgduet.serving.cache import Row
from pgduet.serving.computing import Computing
from pgduet.serving.lanes import Lanes
from pgduet.serving.metrics import Metrics
from pgduet.serving.speed import Speed
from pgduet.serving.work import Job, Work
from pgduet.v1 import embedding_pb2 as pb

FAILED = pb.EMBED_ERROR_KIND_FAILED


def kinds(reply: pb.EmbedResponse) -> list[int]:
    return [result.error.kind for result in reply.results]


def check_rows(reply: pb.EmbedResponse, texts: list[str], failed: set[str]) -> None:
    """Check that just these texts failed and all others have their own vectors."""
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(len(texts), 16)
    assert kinds(reply) == [FAILED if text in failed else 0 for text in texts]
    assert rows[:, 0].tolist() == [0 if text in failed else len(text) for text in texts]


async def ready(server: Running) -> None:
    server.duet.gate.set()
    await server.until_serving()


@pytest.mark.parametrize("place", [0, 7, 15])
def test_one_poison_text_is_isolated_and_the_others_are_answered(place: int) -> None:
    async def scenario() -> None:
        async with running() as server:
            await ready(server)
            server.duet.poison = "poison"
            texts = ["x" * number for number in range(1, 17)]
            texts[place] = "poison"
            check_rows(await server.embed(*texts), texts, {"poison"})
            # The whole, then two halves of each part that fails, four times.
            assert len(server.duet.batches) == 9

    asyncio.run(scenario())


def test_a_poison_text_does_not_touch_another_request_of_its_batch() -> None:
    duet = GatedDuet(poison="poison")
    duet.gate.set()
    lanes = Lanes(batch_tokens=100)
    texts = ("good", "poison"), ("fine", "also")
    jobs = [Job([Work(one) for one in duet.tokenise(each, Role.DOCUMENT)]) for each in texts]  # type: ignore[arg-type]
    for job in jobs:
        lanes.put(job, query=False)
    Computing(duet, Speed(100), lanes, Metrics().of_model("small")).compute(lanes.take())  # type: ignore[arg-type]
    assert len(duet.batches[0]) == 4
    found = [[isinstance(outcome, Row) for outcome in job.done.result(0)] for job in jobs]
    assert found == [[True, False], [True, True]]


@pytest.mark.parametrize("room", [1, 3, 8])
def test_a_batch_that_does_not_fit_into_memory_is_split_until_it_does(room: int) -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running() as server:
                await ready(server)
                server.duet.room = room
                texts = ["x" * number for number in range(1, 17)]
                check_rows(await server.embed(*texts), texts, set())
                assert sum(len(batch) for batch in server.duet.batches if len(batch) <= room) == 16
        failures = [line for line in logs if line["event"] == "batch failed"]
        assert all(line["out_of_memory"] for line in failures)
        # One traceback says it; the smaller parts of a batch add none.
        assert [bool(line.get("exc_info")) for line in failures] == [True] + [False] * (len(failures) - 1)

    asyncio.run(scenario())


def test_a_lone_text_gets_a_second_try_after_memory_was_given_back_and_then_an_error_of_its_own() -> None:
    async def scenario() -> None:
        async with running() as server:
            await ready(server)
            server.duet.room = 0
            reply = await server.embed("a")
            assert (kinds(reply), reply.results[0].error.message) == (
                [FAILED],
                "the model failed on this text: RuntimeError",
            )
            assert server.duet.batches == [["a"], ["a"]]
            server.duet.room = None
            assert kinds(await server.embed("a")) == [0]
            assert await server.state() == SERVING

    asyncio.run(scenario())


def test_a_model_that_fails_on_every_text_tried_fails_the_request_and_not_256_texts_one_by_one() -> None:
    async def scenario() -> None:
        async with running() as server:
            await ready(server)
            server.duet.failure = RuntimeError("secret")
            code, details = await status_of(server.embed(*(f"text {number}" for number in range(64))))
            assert (code, "secret" in details) == (grpc.StatusCode.INTERNAL, False)
            assert len(server.duet.batches) <= 12
            server.duet.failure = None
            assert kinds(await server.embed("a")) == [0]

    asyncio.run(scenario())


def test_a_batch_of_which_something_succeeds_resets_the_count_of_failures() -> None:
    async def scenario() -> None:
        async with running() as server:
            await ready(server)
            server.duet.poison = "poison"
            for number in range(3):
                # Twice a batch that fails whole, then one that does not.
                assert kinds(await server.embed(f"poison {number} a")) == [FAILED]
                assert kinds(await server.embed(f"poison {number} b")) == [FAILED]
                assert sorted(kinds(await server.embed(f"poison {number} c", f"good {number}"))) == [0, FAILED]
            assert await server.state() == SERVING

    asyncio.run(scenario())


def test_a_failure_is_not_kept_and_the_text_is_tried_anew() -> None:
    async def scenario() -> None:
        async with running() as server:
            await ready(server)
            server.duet.poison = "bad"
            assert kinds(await server.embed("bad", "good")) == [FAILED, 0]
            server.duet.poison = None
            assert kinds(await server.embed("bad", "good")) == [0, 0]
            assert server.duet.batches[-1] == ["bad"]

    asyncio.run(scenario())
