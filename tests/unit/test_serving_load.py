"""Duets that come and go while the server runs, with duets that compute only when they are let."""

import asyncio
import gc
import threading
import weakref
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from structlog.testing import capture_logs

from gated_server import NOT_SERVING, SERVING, GatedDuet, Running, eventually, running, status_of
from pgduet.cli.serve import serve
from pgduet.encoding import SelfTestError
from pgduet.errors import PgduetError
from pgduet.serving.settings import read_settings
from pgduet.v1 import embedding_pb2 as pb

LONG = "x " * 20


async def load(server: Running, name: str, timeout: float = 20) -> pb.LoadModelResponse:
    reply: pb.LoadModelResponse = await server.stub.LoadModel(pb.LoadModelRequest(name=name), timeout=timeout)
    return reply


async def unload(server: Running, name: str) -> list[str]:
    reply = await server.stub.UnloadModel(pb.UnloadModelRequest(name=name), timeout=20)
    return list(reply.served)


async def served(server: Running) -> dict[str, str]:
    reply = await server.stub.ListModels(pb.ListModelsRequest(), timeout=20)
    return {model.name: model.fingerprint for model in reply.models}


def open_all(server: Running) -> None:
    for duet in server.store.duets.values():
        duet.gate.set()


class Door:
    """Lets `small` through at once and others once it is open; `entered` tells that one stands before it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, duet: GatedDuet) -> GatedDuet:
        if duet.name != "small":
            self.entered.set()
            assert self.open.wait(20)
        return duet


def test_the_server_turns_green_once_all_named_at_the_start_are_loaded() -> None:
    async def scenario() -> None:
        door = Door()
        with capture_logs() as logs:
            async with running(door, "tuned", model="small, tuned small") as server:
                open_all(server)
                await eventually(door.entered.is_set)
                assert await server.state() == NOT_SERVING
                assert len((await server.embed("a")).results) == 1
                code, details = await status_of(server.embed("a", model="tuned"))
                assert (code, "tuned is loading" in details) == (grpc.StatusCode.UNAVAILABLE, True)
                code, details = await status_of(server.embed("a", model="big"))
                assert (code, details.partition("; ")[2]) == (
                    grpc.StatusCode.NOT_FOUND,
                    "served: small, tuned (loading)",
                )
                door.open.set()
                await server.until_serving()
                assert (await server.embed("a", model="tuned")).fingerprint == "print-2"
                assert await served(server) == {"small": "print-1", "tuned": "print-2"}
        ready = next(line for line in logs if line["event"] == "ready")
        assert ready["models"] == {"small": "print-1", "tuned": "print-2"}

    asyncio.run(scenario())


def test_a_duet_is_loaded_once_however_many_ask_and_others_answer_meanwhile() -> None:
    async def scenario() -> None:
        door = Door()
        async with running(door, "tuned") as server:
            open_all(server)
            await server.until_serving()
            gone = asyncio.create_task(load(server, "tuned", timeout=0.2))
            calls = [asyncio.create_task(load(server, "tuned")) for _ in range(3)]
            await eventually(door.entered.is_set)
            code, _ = await status_of(gone)
            assert code is grpc.StatusCode.DEADLINE_EXCEEDED
            calls.pop().cancel()
            for number in range(20):
                await server.embed(f"query {number}", role=pb.ROLE_QUERY)
            assert await server.state() == SERVING
            door.open.set()
            assert [(reply.loaded, reply.model.fingerprint) for reply in await asyncio.gather(*calls)] == [
                (True, "print-2")
            ] * 2
            again = await load(server, "tuned")
            assert (again.loaded, again.model.fingerprint, again.model.width) == (False, "print-2", 16)
            assert server.store.loads == ["small", "tuned"]

    asyncio.run(scenario())


def test_a_load_goes_on_when_nobody_waits_for_it() -> None:
    async def scenario() -> None:
        door = Door()
        async with running(door, "tuned") as server:
            await server.until_serving()
            call = asyncio.create_task(load(server, "tuned"))
            await eventually(door.entered.is_set)
            call.cancel()
            await asyncio.sleep(0.05)
            door.open.set()
            async with asyncio.timeout(10):
                while "tuned" not in await served(server):
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_query_of_one_duet_waits_for_one_batch_of_the_other_at_most() -> None:
    async def scenario() -> None:
        async with running(None, "tuned", model="small tuned", batch_tokens=64) as server:
            tuned = server.store.duets["tuned"]
            tuned.batches = server.duet.batches
            tuned.gate.set()
            await server.until_serving()
            documents = asyncio.create_task(server.embed(*(f"document {i} " + LONG for i in range(6))))
            await eventually(server.duet.entered.is_set)
            others = asyncio.create_task(server.embed(*(f"other {i} " + LONG for i in range(3)), model="tuned"))
            await asyncio.sleep(0.1)
            query = asyncio.create_task(server.embed("find me", role=pb.ROLE_QUERY, model="tuned"))
            await asyncio.sleep(0.1)
            assert len(server.duet.batches) == 1, "two duets compute at the same time"
            server.duet.gate.set()
            await asyncio.gather(documents, others, query)
            assert [batch[0].split()[0] for batch in server.duet.batches] == [
                "document",
                "find",
                *["document", "other"] * 3,
                *["document"] * 2,
            ]

    asyncio.run(scenario())


def test_an_unloaded_duet_finishes_its_calls_and_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        async with running(None, "tuned") as server:
            await server.until_serving()
            await load(server, "tuned")
            tuned = server.store.duets.pop("tuned")
            call = asyncio.create_task(server.embed("in flight", model="tuned"))
            await eventually(tuned.entered.is_set)
            leaving = [asyncio.create_task(unload(server, "tuned")) for _ in range(2)]
            await asyncio.sleep(0.1)
            code, details = await status_of(server.embed("later", model="tuned"))
            assert code is grpc.StatusCode.NOT_FOUND
            assert details == "no model 'tuned' is served here; served: small"
            assert not any(task.done() for task in leaving)
            tuned.gate.set()
            assert len((await call).results) == 1
            assert await asyncio.gather(*leaving) == [["small"], ["small"]]
            left = weakref.ref(tuned)
            del tuned
            gc.collect()
            assert left() is None
            server.duet.gate.set()
            assert len((await server.embed("a")).results) == 1
            assert [thread.name for thread in threading.enumerate()].count("pgduet-model_0") == 1

    asyncio.run(scenario())


def test_what_is_loaded_while_it_still_leaves_comes_back() -> None:
    async def scenario() -> None:
        async with running(None, "tuned") as server:
            await server.until_serving()
            await load(server, "tuned")
            tuned = server.store.duets["tuned"]
            call = asyncio.create_task(server.embed("in flight", model="tuned"))
            await eventually(tuned.entered.is_set)
            leaving = asyncio.create_task(unload(server, "tuned"))
            await asyncio.sleep(0.05)
            back = asyncio.create_task(load(server, "tuned"))
            await asyncio.sleep(0.05)
            assert not back.done()
            tuned.gate.set()
            await asyncio.gather(call, leaving)
            assert (await back).loaded
            assert len((await server.embed("again", model="tuned")).results) == 1
            assert server.store.loads == ["small", "tuned", "tuned"]

    asyncio.run(scenario())


def test_the_last_duet_and_one_that_is_not_served_are_not_unloaded() -> None:
    async def scenario() -> None:
        async with running(None, "tuned") as server:
            await server.until_serving()
            code, details = await status_of(unload(server, "small"))
            assert (code, "the only model" in details) == (grpc.StatusCode.FAILED_PRECONDITION, True)
            code, details = await status_of(unload(server, "tuned"))
            assert (code, "served: small" in details) == (grpc.StatusCode.NOT_FOUND, True)
            await load(server, "tuned")
            assert await unload(server, "small") == ["tuned"]
            code, _ = await status_of(unload(server, "tuned"))
            assert code is grpc.StatusCode.FAILED_PRECONDITION
            assert await server.state() == SERVING

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "../small", "/etc", "a/b", ".small.partial", "x" * 300, "small\0"]
)
def test_what_is_no_name_is_refused_and_never_looked_up(name: str) -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            code, details = await status_of(load(server, name))
            assert (code, "no duet can be called" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)
            assert len(details) < 300
            assert server.store.loads == ["small"]

    asyncio.run(scenario())


def test_no_more_are_loaded_than_the_limit_allows() -> None:
    async def scenario() -> None:
        door = Door()
        async with running(door, "tuned", "third", max_models=2) as server:
            await server.until_serving()
            call = asyncio.create_task(load(server, "tuned"))
            await eventually(door.entered.is_set)
            refused = "PGDUET_MAX_MODELS is 2, in memory are small, tuned; unload one first"
            for _ in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await load(server, "third")
                assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert refused in (caught.value.details() or "")
                door.open.set()
                await call
            assert not (await load(server, "tuned")).loaded
            await unload(server, "tuned")
            assert (await load(server, "third")).loaded

    asyncio.run(scenario())


def test_a_duet_that_cannot_be_used_is_refused_and_the_others_go_on() -> None:
    failure: list[Exception] = [SelfTestError("vector 2 is off by 0.3", hint="pull it again"), ValueError("secret")]

    def fail(duet: GatedDuet) -> GatedDuet:
        if duet.name == "tuned" and failure:
            raise failure.pop(0)
        return duet

    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(fail, "tuned") as server:
                open_all(server)
                await server.until_serving()
                code, details = await status_of(load(server, "absent"))
                assert (code, details) == (
                    grpc.StatusCode.NOT_FOUND,
                    "the duet 'absent' is not in the model store; pull it",
                )
                code, details = await status_of(load(server, "tuned"))
                assert (code, details) == (
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "vector 2 is off by 0.3; pull it again",
                )
                code, details = await status_of(load(server, "tuned"))
                assert code is grpc.StatusCode.INTERNAL
                assert "secret" not in details
                assert await served(server) == {"small": "print-1"}
                assert (await server.state(), len((await server.embed("a")).results)) == (SERVING, 1)
                assert (await load(server, "tuned")).loaded
        warned = [(line["event"], line["model"]) for line in logs if line["log_level"] == "warning"]
        assert warned == [("the model was not loaded", "tuned")] * 2

    asyncio.run(scenario())


def test_other_files_under_the_name_of_a_served_duet_are_refused_until_it_is_unloaded() -> None:
    async def scenario() -> None:
        async with running(None, "tuned") as server:
            await server.until_serving()
            await load(server, "tuned")
            server.store.prints["tuned"] = "print-9"
            code, details = await status_of(load(server, "tuned"))
            assert code is grpc.StatusCode.FAILED_PRECONDITION
            assert "served with fingerprint print-2, the model store now holds print-9" in details
            assert "pgduet models load tuned --unload" in details
            del server.store.prints["tuned"]
            assert not (await load(server, "tuned")).loaded

    asyncio.run(scenario())


def test_a_duet_that_was_loaded_later_may_fail_without_the_others() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(None, "tuned") as server:
                open_all(server)
                await server.until_serving()
                await load(server, "tuned")
                server.store.duets["tuned"].failure = ZeroDivisionError("a bug")
                code, _ = await status_of(server.embed("a", model="tuned"))
                assert code is grpc.StatusCode.UNAVAILABLE
                await eventually(lambda: [line for line in logs if line["event"] == "model unloaded"])
                code, _ = await status_of(server.embed("a", model="tuned"))
                assert code is grpc.StatusCode.NOT_FOUND
                assert len((await server.embed("a")).results) == 1
                assert not server.task.done()
        (error,) = [line for line in logs if line["log_level"] == "error"]
        assert error["model"] == "tuned"

    asyncio.run(scenario())


def test_the_last_duet_that_fails_ends_the_process_with_1() -> None:
    async def scenario() -> None:
        async with running(None, "tuned") as server:
            open_all(server)
            await server.until_serving()
            await load(server, "tuned")
            await unload(server, "small")
            server.store.duets["tuned"].failure = ZeroDivisionError("a bug")
            await status_of(server.embed("a", model="tuned"))
            assert await asyncio.wait_for(server.task, 10) == 1

    asyncio.run(scenario())


def test_fingerprints_cached_rows_and_recent_queries_belong_to_one_duet_each() -> None:
    async def scenario() -> None:
        async with running(None, "tuned", model="small tuned", keep_queries=5) as server:
            open_all(server)
            await server.until_serving()
            for name, own, others in (("small", "print-1", "print-2"), ("tuned", "print-2", "print-1")):
                reply = await server.embed("same", role=pb.ROLE_QUERY, model=name, expected_fingerprint=own)
                assert reply.fingerprint == own
                code, details = await status_of(server.embed("same", model=name, expected_fingerprint=others))
                assert (code, f"gives {own!r}" in details) == (grpc.StatusCode.FAILED_PRECONDITION, True)
            assert [len(duet.batches) for duet in server.store.duets.values()] == [1, 1]
            await server.embed("longer", role=pb.ROLE_QUERY, model="tuned")
            kept: dict[str, Any] = {}
            for name in ("small", "tuned"):
                recent = await server.stub.RecentQueries(pb.RecentQueriesRequest(model=name), timeout=10)
                kept[name] = np.frombuffer(recent.embeddings, "<f2").reshape(-1, 16)[:, 0].tolist()
            assert kept == {"small": [4], "tuned": [6, 4]}

    asyncio.run(scenario())


@pytest.mark.parametrize("value", ["small,tuned", " small  tuned small ", "small, tuned"])
def test_several_duets_are_named_by_commas_or_blanks(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDUET_MODEL", value)
    assert read_settings().model == ("small", "tuned")
    assert read_settings(model="other").model == ("other",)


def test_names_that_are_none_or_too_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDUET_MODEL", " , ")
    with pytest.raises(PgduetError, match=r"PGDUET_MODEL: .*name at least one duet"):
        read_settings()
    with pytest.raises(PgduetError, match=r"PGDUET_MAX_MODELS: .*4 duets are named to be served, 3 may be"):
        serve(model=["a", "b", "c", "d"])
    assert len(read_settings(model="a b c d", max_models=4).model) == 4
