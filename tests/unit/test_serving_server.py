"""The life of the server and its statuses, with a duet that waits until it is told to go on."""

import asyncio
import os
import signal
import socket
import threading

import grpc
import grpc.aio
import numpy as np
import pytest
from grpc_health.v1 import health_pb2
from structlog.testing import capture_logs

from gated_server import GatedDuet, eventually, running, status_of
from pgduet.encoding import Part, SelfTestError
from pgduet.serving.service import SERVICE_NAME
from pgduet.serving.settings import Settings
from pgduet.v1 import embedding_pb2 as pb
from pgduet.v1.dialing import answered_by

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_health_is_red_and_calls_are_told_to_wait_until_the_model_is_loaded() -> None:
    async def scenario() -> None:
        go = threading.Event()

        def load(duet: GatedDuet) -> GatedDuet:
            assert go.wait(20)
            return duet

        async with running(load) as server:
            server.duet.gate.set()
            assert [await server.state(""), await server.state(SERVICE_NAME)] == [NOT_SERVING, NOT_SERVING]
            code, details = await status_of(server.embed("a"))
            assert (code, "small is loading" in details) == (grpc.StatusCode.UNAVAILABLE, True)
            assert not (await server.stub.ListModels(pb.ListModelsRequest())).models
            go.set()
            await server.until_serving()
            assert await server.state(SERVICE_NAME) == SERVING
            assert (await server.embed("a b")).results[0].code_tokens == 2

    asyncio.run(scenario())


def test_a_failing_self_test_ends_the_process_with_1_and_never_turns_health_green() -> None:
    def load(duet: GatedDuet) -> GatedDuet:
        raise SelfTestError("vector 2 is off by 0.3", hint="pull the model again")

    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(load) as server:
                assert await asyncio.wait_for(server.task, 10) == 1
        errors = [line for line in logs if line["log_level"] == "error"]
        assert [(line["error"], line["hint"]) for line in errors] == [
            ("vector 2 is off by 0.3", "pull the model again")
        ]

    asyncio.run(scenario())


def test_a_query_overtakes_documents_and_waits_for_one_slice_at_most() -> None:
    async def scenario() -> None:
        async with running(batch_tokens=64) as server:
            await server.until_serving()
            documents = asyncio.create_task(server.embed(*(f"document {i} " + "x " * 20 for i in range(6))))
            await eventually(server.duet.entered.is_set)
            query = asyncio.create_task(server.embed("find me", role=pb.ROLE_QUERY))
            await asyncio.sleep(0.1)
            server.duet.gate.set()
            await query
            assert server.duet.batches[1] == ["find me"]
            assert len((await documents).results) == 6
            assert len(server.duet.batches) == 7

    asyncio.run(scenario())


def test_a_cancelled_call_is_logged_and_its_work_not_yet_started_is_dropped() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(batch_tokens=64) as server:
                await server.until_serving()
                documents = asyncio.create_task(server.embed(*(f"document {i} " + "x " * 20 for i in range(6))))
                await eventually(server.duet.entered.is_set)
                documents.cancel()
                await eventually(lambda: [line for line in logs if line["event"] == "cancelled"])
                server.duet.gate.set()
                await server.embed("after")
                assert [len(batch) for batch in server.duet.batches] == [1, 1]
                assert server.duet.batches[1] == ["after"]
        line = next(line for line in logs if line["event"] == "cancelled")
        assert (line["log_level"], line["role"], line["texts"]) == ("info", "document", 6)
        assert line["reason"] == "client or stop"
        assert line["ms"] > 0

    asyncio.run(scenario())


def test_work_whose_deadline_passes_while_it_waits_is_never_computed() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running() as server:
                await server.until_serving()
                first = asyncio.create_task(server.embed("first"))
                await eventually(server.duet.entered.is_set)
                code, _ = await status_of(server.embed("too late", timeout=0.2))
                assert code == grpc.StatusCode.DEADLINE_EXCEEDED
                await eventually(lambda: [line for line in logs if line["event"] == "cancelled"])
                server.duet.gate.set()
                await first
                await server.embed("after")
                assert server.duet.batches == [["first"], ["after"]]
        assert [line["reason"] for line in logs if line["event"] == "cancelled"] == ["deadline"]

    asyncio.run(scenario())


def test_a_full_queue_refuses_with_pushback_while_queries_still_get_in() -> None:
    async def scenario() -> None:
        async with running(queue_tokens=100) as server:
            await server.until_serving()
            first = asyncio.create_task(server.embed("word " * 30))
            await eventually(server.duet.entered.is_set)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await server.embed("other " * 30)
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert int(dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"]) >= 100
            # Who could not wait so long is told at once, and not to try again: gRPC would wait past the deadline.
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await server.embed("other " * 30, timeout=0.1)
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"] == "-1"
            query = asyncio.create_task(server.embed("query " * 30, role=pb.ROLE_QUERY))
            server.duet.gate.set()
            await asyncio.gather(first, query)
            await server.embed("other " * 30)

    asyncio.run(scenario())


def test_equal_texts_are_computed_once_and_a_row_that_is_not_finite_is_an_error_of_its_text() -> None:
    async def scenario() -> None:
        async with running() as server:
            server.duet.gate.set()
            await server.until_serving()
            reply = await server.embed("twice", "nan", "twice", " \ufeff")
            assert server.duet.batches == [["twice", "nan"]]
            rows = np.frombuffer(reply.embeddings, "<f2").reshape(4, 16)
            assert rows[:, 0].tolist() == [5, 0, 5, 0]
            assert [result.error.kind for result in reply.results] == [
                0,
                pb.EMBED_ERROR_KIND_NOT_FINITE,
                0,
                pb.EMBED_ERROR_KIND_BLANK,
            ]
            await server.embed("twice", "nan")
            assert server.duet.batches[1:] == [["nan"]]

    asyncio.run(scenario())


def test_a_half_is_computed_alone_kept_apart_in_the_cache_and_has_no_sketches() -> None:
    async def scenario() -> None:
        async with running() as server:
            server.duet.gate.set()
            await server.until_serving()
            for part, width, tokens in (
                (pb.PART_CODE, 10, (2, 0)),
                (pb.PART_TEXT, 6, (0, 2)),
                (pb.PART_BOTH, 16, (2, 2)),
                (pb.PART_CODE, 10, (2, 0)),
            ):
                reply = await server.embed("a b", " ", part=part)
                assert reply.width == width
                assert np.frombuffer(reply.embeddings, "<f2").tolist() == [3] * width + [0] * width
                assert len(reply.sketches) == (4 if part == pb.PART_BOTH else 0)
                assert (reply.results[0].code_tokens, reply.results[0].text_tokens) == tokens
            assert server.duet.parts == [Part.CODE, Part.TEXT, Part.BOTH]

    asyncio.run(scenario())


def test_halves_and_whole_vectors_that_wait_together_are_computed_apart() -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            calls = [asyncio.create_task(server.embed("first"))]
            await eventually(server.duet.entered.is_set)
            for number in range(2):
                for part in (pb.PART_CODE, pb.PART_BOTH, pb.PART_TEXT):
                    calls.append(asyncio.create_task(server.embed(f"text {number}", part=part)))
            await asyncio.sleep(0.2)
            server.duet.gate.set()
            await asyncio.gather(*calls)
            assert sorted(zip(server.duet.parts[1:], map(sorted, server.duet.batches[1:]), strict=True)) == [
                (part, ["text 0", "text 1"]) for part in (Part.BOTH, Part.CODE, Part.TEXT)
            ]

    asyncio.run(scenario())


def test_admission_counts_only_the_half_that_runs() -> None:
    async def scenario() -> None:
        async with running(queue_tokens=100) as server:
            await server.until_serving()
            first = asyncio.create_task(server.embed("word " * 30, part=pb.PART_CODE))
            await eventually(server.duet.entered.is_set)
            code, _ = await status_of(server.embed("other " * 30))
            assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
            second = asyncio.create_task(server.embed("other " * 30, part=pb.PART_CODE))
            server.duet.gate.set()
            assert [reply.width for reply in await asyncio.gather(first, second)] == [10, 10]

    asyncio.run(scenario())


def test_requests_that_do_not_fit_are_refused_with_counts_and_limits() -> None:
    async def scenario() -> None:
        async with running(max_texts=3) as server:
            await server.until_serving()
            refused = [
                (server.embed(), "INVALID_ARGUMENT: the request has 0 texts; 1 to 3 are allowed"),
                (server.embed(*"abcd"), "INVALID_ARGUMENT: the request has 4 texts; 1 to 3 are allowed"),
                (server.embed("a", role=0), "INVALID_ARGUMENT: the role is 0; ROLE_DOCUMENT (1) or"),
                (server.embed("a", role=9), "INVALID_ARGUMENT: the role is 9;"),
                (server.embed("a", part=7), "INVALID_ARGUMENT: the part is 7; PART_BOTH (0), PART_CODE (1) or"),
                (server.embed("a", model="big"), "NOT_FOUND: no model 'big' is served here; served: small"),
                (server.embed("a", expected_fingerprint="old"), "FAILED_PRECONDITION: vectors of fingerprint 'old'"),
                (server.embed("a", expected_fingerprint="old"), "gives 'print-1'"),
            ]
            for call, told in refused:
                code, details = await status_of(call)
                assert told in f"{code.name}: {details}"
            assert server.duet.batches == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("failure", "calls"), [(RuntimeError("broken"), 3), (ZeroDivisionError("a bug"), 1)])
def test_a_dead_model_thread_fails_waiting_calls_and_ends_the_process_with_1(failure: Exception, calls: int) -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running() as server:
                await server.until_serving()
                server.duet.failure = failure
                server.duet.gate.set()
                for _ in range(calls):
                    code, _ = await status_of(server.embed("a", "b", "c", "d"))
                    assert code is (grpc.StatusCode.UNAVAILABLE if calls == 1 else grpc.StatusCode.INTERNAL)
                assert await asyncio.wait_for(server.task, 10) == 1
        assert [line["event"] for line in logs if line["log_level"] == "error"][-1] == "the model thread ended"

    asyncio.run(scenario())


def test_a_stop_lets_calls_in_flight_finish_though_a_client_watches_the_health() -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            watch = server.health.Watch(health_pb2.HealthCheckRequest(service=SERVICE_NAME))
            assert (await watch.read()).status == SERVING
            call = asyncio.create_task(server.embed("in flight"))
            await eventually(server.duet.entered.is_set)
            os.kill(os.getpid(), signal.SIGTERM)
            assert (await watch.read()).status == NOT_SERVING
            server.duet.gate.set()
            assert len((await call).results) == 1
            assert await asyncio.wait_for(server.task, 5) == 0

    asyncio.run(scenario())


def test_a_call_that_outlasts_the_grace_time_is_cut_off() -> None:
    async def scenario() -> None:
        async with running(grace_seconds=0.2) as server:
            await server.until_serving()
            call = asyncio.create_task(server.embed("for ever"))
            await eventually(server.duet.entered.is_set)
            os.kill(os.getpid(), signal.SIGTERM)
            code, _ = await status_of(call)
            assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            assert await asyncio.wait_for(server.task, 5) == 0

    asyncio.run(scenario())


def test_no_text_stands_in_a_log() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(max_texts=1) as server:
                server.duet.gate.set()
                await server.until_serving()
                await server.embed("hunter2")
                await status_of(server.embed("hunter2", "hunter2"))
                await server.stub.Chunk(pb.ChunkRequest(content="hunter2"))
                server.duet.failure = RuntimeError("no memory")
                assert (await server.embed("hunter2 again")).results[0].error.kind == pb.EMBED_ERROR_KIND_FAILED
        assert len(logs) > 5
        assert "hunter2" not in str(logs)

    asyncio.run(scenario())


def test_the_settings_of_a_server_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().model = ("other",)


def test_every_answer_names_the_sidecar_and_a_stream_does_before_the_first() -> None:
    async def scenario() -> None:
        async with running(max_texts=2) as server:
            await server.until_serving()
            server.duet.gate.set()

            async def told(*texts: str) -> tuple[grpc.StatusCode, str]:
                call = server.stub.Embed(pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=texts), timeout=20)
                return await call.code(), answered_by(tuple(await call.trailing_metadata()))

            stream = server.stub.EmbedStream(timeout=20)
            name = answered_by(tuple(await asyncio.wait_for(stream.initial_metadata(), 10)))
            stream.cancel()
            assert name.startswith(f"{socket.gethostname()} at unix:/")
            assert await told("a") == (grpc.StatusCode.OK, name)
            assert await told("a", "b", "c") == (grpc.StatusCode.INVALID_ARGUMENT, name)
            server.duet.fingerprint = None  # type: ignore[assignment]
            assert await told("a") == (grpc.StatusCode.UNKNOWN, name)

    asyncio.run(scenario())
