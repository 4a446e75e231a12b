"""Who may wait: a lane holds so many tokens, and nobody waits whose deadline comes first."""

import asyncio
import time
from math import inf
from types import SimpleNamespace

import grpc
import grpc.aio
import pytest

from gated_server import eventually, running
from pgduet.encoding import Role
from pgduet.serving.admission import Admission, BusyError, Claim
from pgduet.serving.calls import Refusal
from pgduet.serving.speed import Speed
from pgduet.serving.work import TextFailure, Work
from pgduet.v1 import embedding_pb2 as pb

DOCUMENT, QUERY = Role.DOCUMENT, Role.QUERY


def measured(tokens_a_second: float) -> Speed:
    speed = Speed(batch_tokens=50)
    speed.note(int(tokens_a_second), 1.0)
    return speed


def work(cost: int) -> Work:
    return Work(SimpleNamespace(code_ids=(1,) * cost, text_ids=()))  # type: ignore[arg-type]


def admission(limit: int = 10_000, *, running: tuple[Work, ...] = (), speed: Speed | None = None) -> Admission:
    return Admission(limit, speed or measured(100.0), lambda: running)


def refusal(rooms: Admission, role: Role, estimate: int, seconds: float = inf) -> BusyError | None:
    """Give why a request with a deadline in so many seconds is refused, None where it is let in."""
    try:
        with rooms.admit(role, estimate, time.monotonic() + seconds):
            return None
    except BusyError as error:
        return error


def test_a_full_lane_refuses_and_says_how_long_to_stay_away() -> None:
    rooms = admission(1000, speed=measured(300.0))
    with rooms.admit(DOCUMENT, 900):
        error = refusal(rooms, DOCUMENT, 200)
        assert error is not None
        assert "900 tokens are queued and 200 more" in str(error)
        assert (error.reason, error.retry_after) == ("full", 3.0)
        assert refusal(rooms, QUERY, 200) is None
        with rooms.admit(DOCUMENT, 100):
            assert rooms.tokens(DOCUMENT) == 1000
    assert rooms.tokens(DOCUMENT) == 0


def test_what_is_done_makes_room_before_its_request_ends() -> None:
    rooms = admission(100)
    with rooms.admit(DOCUMENT, 500) as claim:
        claim.works = [work(60), work(40)]
        assert refusal(rooms, DOCUMENT, 60) is not None
        claim.works[0].end(TextFailure("done"))
        assert rooms.tokens(DOCUMENT) == 40
        assert refusal(rooms, DOCUMENT, 60) is None


def test_an_idle_lane_takes_any_request() -> None:
    rooms = admission(10)
    with rooms.admit(QUERY, 5000):
        assert refusal(rooms, DOCUMENT, 5000, seconds=0.1) is None
        assert refusal(rooms, QUERY, 1) is not None


@pytest.mark.parametrize(("seconds", "pushback"), [(2.9, 0.1), (2.0, 1.0), (0.5, 2.0)])
def test_who_would_wait_in_vain_is_refused_at_once(seconds: float, pushback: float) -> None:
    rooms = admission()
    with rooms.admit(DOCUMENT, 200, deadline=0.0):  # two seconds
        assert refusal(rooms, DOCUMENT, 100, seconds=3.2) is None
        assert refusal(rooms, DOCUMENT, 100) is None
        error = refusal(rooms, DOCUMENT, 100, seconds)
        assert error is not None
        assert error.reason == "late"
        assert error.retry_after == pytest.approx(pushback, abs=0.05)
        assert "2 s of work go first and the request takes 1 s" in str(error)


def test_nobody_is_refused_by_a_speed_that_was_never_measured() -> None:
    rooms = admission(10**6, speed=Speed(batch_tokens=1))
    with rooms.admit(DOCUMENT, 200_000):
        assert refusal(rooms, DOCUMENT, 100, seconds=0.1) is None


def test_before_a_query_go_queries_and_one_running_batch_before_a_document_all_queries_too() -> None:
    rooms = admission(running=(running := work(50),))
    with rooms.admit(DOCUMENT, 0) as documents, rooms.admit(QUERY, 0) as queries:
        running.take()
        documents.works = [running, work(1000)]
        queries.works = [work(20)]
        assert rooms.ahead(QUERY) == pytest.approx(70, abs=5)
        assert rooms.ahead(DOCUMENT) == pytest.approx(1070, abs=5)
        running.end(TextFailure("done"))
        assert rooms.ahead(QUERY) == 20


def test_before_a_query_goes_no_more_of_running_documents_than_an_ordinary_batch() -> None:
    bulk, asked = [work(40) for _ in range(10)], Work(work(7).tokens, role=QUERY)
    rooms = admission(running=(asked, *bulk))
    for one in (asked, *bulk):
        one.take()
    assert rooms.ahead(QUERY) == pytest.approx(57, abs=2)
    assert rooms.ahead(DOCUMENT) == pytest.approx(407, abs=5)


def test_a_query_in_hand_changes_nothing_about_what_is_done_of_the_documents_it_interrupts() -> None:
    bulk, asked = work(60), Work(work(7).tokens, role=QUERY)
    rooms = admission(running=(asked, bulk))
    bulk.take()
    bulk.taken_at -= 0.4
    asked.take()
    assert rooms.ahead(DOCUMENT) == pytest.approx(27, abs=3)


def test_before_a_query_may_go_one_text_that_is_longer_than_a_batch() -> None:
    rooms = admission(running=(longest := work(400), work(300)))
    longest.take()
    assert rooms.ahead(QUERY) == pytest.approx(400, abs=5)


def test_what_is_done_of_the_running_batch_is_guessed_by_the_time_it_has_taken() -> None:
    rooms = admission(running=(running := work(50),))
    running.take()
    assert rooms.ahead(QUERY) == pytest.approx(50, abs=5)
    running.taken_at -= 0.3
    assert rooms.ahead(QUERY) == pytest.approx(20, abs=5)
    running.taken_at -= 10
    assert rooms.ahead(QUERY) == 0


def test_lone_texts_do_not_make_the_model_look_slow_and_full_batches_do() -> None:
    speed = Speed(batch_tokens=1000)
    speed.note(20, 2.0)
    assert not speed.is_measured
    speed.note(1000, 0.1)
    assert (speed.is_measured, speed.value) == (True, 10_000)
    for _ in range(100):
        speed.note(20, 0.02)
    assert speed.value == 10_000
    for _ in range(10):
        speed.note(600, 0.6)
    assert speed.value < 1500
    speed.note(20, 0.005)  # it can do so much at least
    assert speed.value == 4000


def test_only_what_must_be_ready_earlier_goes_first() -> None:
    """A worker's many texts with a late deadline do not shut out the one text of an SQL function."""
    rooms = admission()
    now = time.monotonic()
    with rooms.admit(DOCUMENT, 2000, now + 50), rooms.admit(DOCUMENT, 100, now + 2):
        assert rooms.ahead(DOCUMENT, now + 5) == 100
        assert refusal(rooms, DOCUMENT, 100, seconds=5) is None
        assert refusal(rooms, DOCUMENT, 3000, seconds=40) is None
        assert refusal(rooms, DOCUMENT, 3000, seconds=50.5) is not None


def test_a_claim_counts_its_estimate_until_its_works_are_known() -> None:
    claim = Claim(30, inf)
    assert claim.tokens() == 30
    claim.works = []
    assert claim.tokens() == 0


def test_the_server_refuses_what_would_expire_and_says_when_to_come_back() -> None:
    async def scenario() -> None:
        async with running(batch_tokens=64) as server:
            await server.until_serving()
            measured = asyncio.create_task(server.embed("word " * 50))
            await eventually(server.duet.entered.is_set)
            await asyncio.sleep(0.5)
            server.duet.gate.set()
            await measured  # 100 tokens in half a second or more
            server.duet.gate.clear()
            first = asyncio.create_task(server.embed(*(f"{number} " + "word " * 50 for number in range(5)), timeout=9))
            await eventually(lambda: len(server.duet.batches) == 2)
            started = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                # Two and a half seconds of work at least, of which a late answer would be the only fruit.
                await server.embed(*(f"other {number} " + "other " * 50 for number in range(24)), timeout=10)
            assert time.monotonic() - started < 5
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert int(dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"]) >= 100
            assert "s of work go first" in (caught.value.details() or "")
            query = asyncio.create_task(server.embed("query", role=pb.ROLE_QUERY, timeout=9))
            hurried = asyncio.create_task(server.embed("short", timeout=8))
            server.duet.gate.set()
            assert [len(reply.results) for reply in await asyncio.gather(first, query, hurried)] == [5, 1, 1]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("remaining", "told"), [(None, "100"), (0.2, "100"), (0.111, "100"), (0.1005, "-1"), (0.1, "-1"), (0.05, "-1")]
)
def test_nobody_is_told_to_try_again_when_there_is_no_time_left_for_it(remaining: float | None, told: str) -> None:
    refusal = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", retry_after=0.1)
    assert refusal.trailing_metadata(remaining) == (("grpc-retry-pushback-ms", told),)
