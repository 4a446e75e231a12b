"""Queries that come while documents are computed: they are let in between two passes of the model."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from fix_lanes import job
from gated_server import GatedDuet, Running, Words, eventually, running
from pgduet.encoding import Part, Role
from pgduet.serving.computing import Computing
from pgduet.serving.lanes import Lanes
from pgduet.serving.metrics import Metrics
from pgduet.serving.speed import Speed
from pgduet.serving.turns import Turns
from pgduet.serving.work import Job, TextFailure, Work
from pgduet.v1 import embedding_pb2 as pb


def costs(batch: Sequence[Work]) -> list[int]:
    return [work.cost for work in batch]


@pytest.fixture
def lanes() -> tuple[Lanes, Lanes]:
    """The lanes of two duets; the first one's documents are half computed."""
    turns = Turns()
    first = Lanes(10, turns)
    first.put(job(9), query=False)
    first.take()
    return first, Lanes(10, turns)


@contextmanager
def threads(*lanes: Lanes) -> Iterator[ThreadPoolExecutor]:
    """Give threads that end with the test, whatever they wait for."""
    with ThreadPoolExecutor(2) as pool:
        try:
            yield pool
        finally:
            for each in lanes:
                each.close()


def test_documents_that_are_interrupted_let_queries_in_and_nothing_else() -> None:
    lanes = Lanes(batch_tokens=10)
    lanes.put(job(9, 8), query=False)
    assert costs(lanes.take()) == [8]
    assert lanes.interrupt() == []
    lanes.put(job(1, 2), query=True)
    lanes.put(job(3), query=False)
    assert costs(lanes.interrupt()) == [1, 2]
    assert costs(lanes.running()) == [1, 2, 8]
    for work in lanes.running()[:2]:
        lanes.end(work, TextFailure("not computed"))
    lanes.put(job(4), query=True)
    assert costs(lanes.interrupt()) == [4]
    assert costs(lanes.running()) == [4, 8]
    assert lanes.interrupt() == []
    assert {costs(lanes.take())[0] for _ in range(2)} == {3, 9}


def test_a_query_that_was_given_up_interrupts_nothing() -> None:
    lanes = Lanes(batch_tokens=10)
    lanes.put(job(9), query=False)
    lanes.take()
    given_up = job(1)
    lanes.put(given_up, query=True)
    given_up.done.cancel()
    assert lanes.interrupt() == []


def test_queries_of_another_duet_go_before_the_next_pass_and_its_documents_after_the_last_one(
    lanes: tuple[Lanes, Lanes],
) -> None:
    first, second = lanes
    second.put(job(1), query=True)
    second.put(job(2), query=False)
    with threads(first, second) as pool:
        interrupted = pool.submit(first.interrupt)
        assert costs(pool.submit(second.take).result(5)) == [1]
        time.sleep(0.05)
        assert not interrupted.done(), "two compute at the same time"
        documents = pool.submit(second.take)
        assert interrupted.result(5) == []
        time.sleep(0.05)
        assert not documents.done(), "two compute at the same time"
        pool.submit(first.take)
        assert costs(documents.result(5)) == [2]


def test_a_query_that_was_given_up_lets_no_documents_of_its_duet_in(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    given_up = job(1)
    second.put(given_up, query=True)
    second.put(job(2), query=False)
    given_up.done.cancel()
    with threads(first, second) as pool:
        documents = pool.submit(second.take)
        assert pool.submit(first.interrupt).result(5) == []
        time.sleep(0.05)
        assert not documents.done(), "two compute at the same time"
        pool.submit(first.take)
        assert costs(documents.result(5)) == [2]


def test_a_query_of_ones_own_that_was_given_up_wakes_the_duet_whose_query_waits(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    second.put(job(1), query=True)
    with threads(first, second) as pool:
        interrupted = pool.submit(first.interrupt)
        assert costs(pool.submit(second.take).result(5)) == [1]
        given_up = job(2)
        first.put(given_up, query=True)
        second.put(job(3), query=True)
        given_up.done.cancel()
        assert costs(pool.submit(second.take).result(5)) == [3]
        assert not interrupted.done()
        pool.submit(second.take)
        assert interrupted.result(5) == []


def test_a_duet_that_leaves_between_two_passes_keeps_nobody_waiting(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    second.put(job(1), query=True)
    with threads(first, second) as pool:
        interrupted = pool.submit(first.interrupt)
        assert costs(pool.submit(second.take).result(5)) == [1]
        first.close()
        assert interrupted.result(5) == []
        second.put(job(2), query=False)
        assert costs(pool.submit(second.take).result(5)) == [2]
    assert first.interrupt() == []


class PassingDuet(GatedDuet):
    """Reads documents one by one, each in a pass of its own; each pass waits until it is let go on."""

    passes: threading.Semaphore
    read: list[str]
    broken: str | None = None

    def encode(
        self, tokens: Sequence[Words], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
    ) -> Any:
        for token in tokens:
            before_pass()
            self.entered.set()
            if "document" in token.text:
                assert self.passes.acquire(timeout=20)
            if token.text == self.broken:
                raise RuntimeError("no kernel for it")
            self.read.append(token.text)
        return super().encode(tokens, part)


def passing(duet: GatedDuet) -> GatedDuet:
    duet.__class__ = PassingDuet
    assert isinstance(duet, PassingDuet)
    duet.passes, duet.read = threading.Semaphore(0), []
    duet.gate.set()
    return duet


async def begun(server: Running) -> "tuple[PassingDuet, asyncio.Task[pb.EmbedResponse]]":
    """Have a request of three documents in its first pass."""
    await server.until_serving()
    duet = server.duet
    assert isinstance(duet, PassingDuet)
    load = asyncio.create_task(server.embed(*(f"document {number}" for number in range(3))))
    await eventually(duet.entered.is_set)
    return duet, load


@pytest.mark.parametrize("broken", [None, "query 1"])
def test_a_query_is_answered_while_a_batch_of_documents_is_half_computed(broken: str | None) -> None:
    async def scenario() -> None:
        async with running(passing) as server:
            duet, load = await begun(server)
            duet.broken = broken
            queries = [asyncio.create_task(server.embed(f"query {n}", role=pb.ROLE_QUERY)) for n in range(2)]
            await eventually(lambda: len(duet.tokenised) == 5)
            await asyncio.sleep(0.1)
            duet.passes.release()
            found = [(await one).results[0] for one in queries]
            assert [one.HasField("error") for one in found] == [False, broken is not None]
            assert not load.done()
            duet.passes.release(2)
            assert not any(one.HasField("error") for one in (await load).results)
            assert [text for text in duet.read if "document" in text] == [f"document {n}" for n in range(3)]

    asyncio.run(scenario())


def test_the_time_of_queries_is_not_counted_as_that_of_the_documents_they_interrupt() -> None:
    class SleepingDuet(GatedDuet):
        def encode(
            self, tokens: Sequence[Words], part: Part = Part.BOTH, before_pass: Callable[[], None] = lambda: None
        ) -> Any:
            before_pass()
            time.sleep(0.05 if len(tokens[0].code_ids) > 1 else 0.6)
            return super().encode(tokens, part)

    duet, speed, lanes = SleepingDuet("small", "print-1"), Speed(40), Lanes(40)
    duet.gate.set()
    for role, text in ((Role.DOCUMENT, "word " * 20), (Role.QUERY, "word")):
        (tokens,) = duet.tokenise([text], role)
        lanes.put(Job([Work(tokens, role=role)]), query=role is Role.QUERY)  # type: ignore[arg-type]
        if role is Role.DOCUMENT:
            documents = lanes.take()
            taken_at = documents[0].taken_at
    Computing(duet, speed, lanes, Metrics().of_model("small")).compute(documents)  # type: ignore[arg-type]
    assert duet.batches == [["word"], ["word " * 20]]
    # 40 tokens in 0.05 s; in 0.65 s they would be 62.
    assert 200 < speed.value <= 800
    # Nothing of the documents was computed while the query was.
    assert documents[0].taken_at > taken_at + 0.5
