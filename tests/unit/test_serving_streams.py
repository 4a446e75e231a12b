"""The stream for bulk: answers as they are done, errors that end nothing, and no more read than there is room for."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
import numpy as np
from structlog.testing import capture_logs

from gated_server import GatedDuet, Running, eventually, running
from pgduet.encoding import Part, Role
from pgduet.serving.streams import MOST_IN_FLIGHT
from pgduet.v1 import embedding_pb2 as pb


def message(number: int, *texts: str, seconds: float = 0, **more: Any) -> pb.EmbedStreamRequest:
    request = pb.EmbedRequest(**{"model": "small", "role": pb.ROLE_DOCUMENT, "texts": texts, **more})
    return pb.EmbedStreamRequest(id=number, request=request, timeout_ms=round(seconds * 1000))


async def answers(call: Any, count: int) -> dict[int, pb.EmbedStreamResponse]:
    """Read so many answers, in the order in which they came."""
    found = [await asyncio.wait_for(call.read(), 10) for _ in range(count)]
    return {answer.id: answer for answer in found}


def first_numbers(answer: pb.EmbedStreamResponse) -> list[float]:
    assert answer.WhichOneof("answer") == "response", answer.error
    rows: list[float] = np.frombuffer(answer.response.embeddings, "<f2").reshape(-1, 16)[:, 0].tolist()
    return rows


async def opened(server: Running) -> Any:
    await server.until_serving()
    return server.stub.EmbedStream(timeout=20)


def test_answers_come_as_they_are_done_and_bear_their_ids() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running() as server:
                call = await opened(server)
                server.duet.gate.set()
                await server.embed("known")
                server.duet.gate.clear()
                server.duet.entered.clear()
                await call.write(message(7, "waits", "also"))
                await eventually(server.duet.entered.is_set)
                await call.write(message(3, "known"))
                assert list(await answers(call, 1)) == [3]
                server.duet.gate.set()
                (answer,) = (await answers(call, 1)).values()
                assert (answer.id, first_numbers(answer)) == (7, [5, 4])
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF
                assert await call.code() is grpc.StatusCode.OK
        lines = [line for line in logs if line.get("call") == "embed_stream"]
        names = [line["request_id"].partition(".") for line in lines]
        told = zip((line["event"] for line in lines), (number for _, _, number in names), lines, strict=True)
        assert [(event, number, line["texts"]) for event, number, line in told] == [
            ("answered", "3", 1),
            ("answered", "7", 2),
        ]
        assert len({name for name, _, _ in names}) == 1

    asyncio.run(scenario())


def test_what_goes_wrong_with_one_request_ends_neither_the_stream_nor_the_others() -> None:
    async def scenario() -> None:
        async with running(max_texts=3) as server:
            call = await opened(server)
            server.duet.gate.set()
            server.duet.poison = "poison"
            await call.write(message(1, "a", model="big"))
            await call.write(message(2))
            await call.write(message(3, "a", expected_fingerprint="old"))
            await call.write(message(4, "poison", "fine"))
            await call.write(message(5, "good"))
            found = await answers(call, 5)
            codes = {number: answer.error.code for number, answer in found.items() if answer.HasField("error")}
            assert codes == {
                1: grpc.StatusCode.NOT_FOUND.value[0],
                2: grpc.StatusCode.INVALID_ARGUMENT.value[0],
                3: grpc.StatusCode.FAILED_PRECONDITION.value[0],
            }
            assert "small" in found[1].error.message
            kinds = [result.error.kind for result in found[4].response.results]
            assert kinds == [pb.EMBED_ERROR_KIND_FAILED, 0]
            assert first_numbers(found[5]) == [4]

    asyncio.run(scenario())


def test_a_fault_of_the_sidecar_is_told_without_its_words_and_the_others_go_on() -> None:
    class Broken(GatedDuet):
        def tokenise(self, texts: Sequence[str], role: Role, part: Part = Part.BOTH) -> Any:
            if "broken" in texts:
                raise ZeroDivisionError("secret")
            return super().tokenise(texts, role, part)

    def breaking(duet: GatedDuet) -> GatedDuet:
        duet.__class__ = Broken
        return duet

    async def scenario() -> None:
        async with running(breaking) as server:
            call = await opened(server)
            server.duet.gate.set()
            await call.write(message(1, "broken"))
            await call.write(message(2, "fine"))
            found = await answers(call, 2)
            assert (found[1].error.code, found[1].error.message) == (2, "failed: ZeroDivisionError")
            assert first_numbers(found[2]) == [4]

    asyncio.run(scenario())


def test_no_more_requests_are_read_than_may_be_in_flight() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(batch_tokens=64) as server:
                call = await opened(server)
                for number in range(3 * MOST_IN_FLIGHT):
                    await call.write(message(number, f"{number} " + "x " * 20))
                await eventually(server.duet.entered.is_set)
                await asyncio.sleep(0.3)
                tasks = [task for task in asyncio.all_tasks() if "answer_stream" in repr(task.get_coro())]
                assert len(tasks) == MOST_IN_FLIGHT
                server.duet.gate.set()
                assert len(await answers(call, 3 * MOST_IN_FLIGHT)) == 3 * MOST_IN_FLIGHT
        assert sum(line["event"] == "answered" for line in logs) == 3 * MOST_IN_FLIGHT

    asyncio.run(scenario())


def test_a_request_of_a_stream_waits_for_room_where_a_lone_call_is_refused() -> None:
    async def scenario() -> None:
        async with running(queue_tokens=100) as server:
            call = await opened(server)
            for number in range(3):
                await call.write(message(number, f"{number} " + "word " * 30))
            await eventually(server.duet.entered.is_set)
            await asyncio.sleep(0.2)
            server.duet.gate.set()
            found = await answers(call, 3)
            assert all(answer.HasField("response") for answer in found.values())

    asyncio.run(scenario())


def test_each_request_has_its_own_deadline() -> None:
    async def scenario() -> None:
        async with running() as server:
            call = await opened(server)
            await call.write(message(1, "first"))
            await eventually(server.duet.entered.is_set)
            await call.write(message(2, "late", seconds=0.2))
            await call.write(message(3, "patient"))
            (late,) = (await answers(call, 1)).values()
            assert (late.id, late.error.code) == (2, grpc.StatusCode.DEADLINE_EXCEEDED.value[0])
            server.duet.gate.set()
            assert set(await answers(call, 2)) == {1, 3}
            assert "late" not in [text for batch in server.duet.batches for text in batch]

    asyncio.run(scenario())


def test_a_cancelled_stream_drops_what_waits() -> None:
    async def scenario() -> None:
        async with running(batch_tokens=64) as server:
            call = await opened(server)
            for number in range(4):
                await call.write(message(number, f"{number} " + "x " * 20))
            await eventually(server.duet.entered.is_set)
            await asyncio.sleep(0.2)
            call.cancel()
            await asyncio.sleep(0.2)
            server.duet.gate.set()
            await server.embed("after")
            assert [len(batch) for batch in server.duet.batches] == [1, 1]
            assert server.duet.batches[1] == ["after"]

    asyncio.run(scenario())


def test_a_stop_answers_what_was_read_and_ends_the_stream_long_before_the_grace_is_over() -> None:
    async def scenario() -> None:
        async with running(grace_seconds=60) as server:
            idle, busy = await opened(server), await opened(server)
            await idle.write(message(0, " "))
            await answers(idle, 1)
            await busy.write(message(1, "in flight"))
            await eventually(server.duet.entered.is_set)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.2)
            server.duet.gate.set()
            assert list(await answers(busy, 1)) == [1]
            for call in (idle, busy):
                assert await asyncio.wait_for(call.code(), 10) is grpc.StatusCode.UNAVAILABLE
                assert "stopping" in (await call.details() or "")
            assert await asyncio.wait_for(server.task, 10) == 0

    asyncio.run(scenario())
