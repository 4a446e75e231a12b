import time
from dataclasses import dataclass
from math import inf

import pytest

from pgduet.encoding import Part
from pgduet.serving.cache import Row, RowCache, cache_key
from pgduet.serving.lanes import QUIET_SECONDS, Lanes
from pgduet.serving.turns import Turns
from pgduet.serving.work import ExpiredError, Job, ModelGoneError, Work


@dataclass(frozen=True)
class Ids:
    code_ids: tuple[int, ...]
    text_ids: tuple[int, ...] = ()
    code_tokens: int = 0
    text_tokens: int = 0
    code_truncated: bool = False
    text_truncated: bool = False


def work(length: int, part: Part = Part.BOTH) -> Work:
    return Work(Ids((1,) * length), part)  # type: ignore[arg-type]


class Request(Job):
    """A job whose works can be told from others' by the test."""

    def __init__(self, *works: Work, deadline: float = inf) -> None:
        super().__init__(works, deadline)
        self.works = works


def job(*lengths: int, deadline: float = inf, part: Part = Part.BOTH) -> Request:
    return Request(*(work(length, part) for length in lengths), deadline=deadline)


def take(lanes: Lanes, *jobs: Request) -> list[Request]:
    """Take a batch; tell for each text whose it is, of these jobs."""
    return [next(one for one in jobs if text in one.works) for text in lanes.take()]


def row(embedding: bytes = b"e" * 5120, finite: bool = True) -> Row:
    return Row(embedding, b"s" * 320, 1, 1, False, False, finite)


def test_queries_are_taken_before_documents_that_came_first() -> None:
    lanes = Lanes(batch_tokens=10)
    documents, query = job(5, 5), job(3)
    lanes.put(documents, query=False)
    lanes.put(query, query=True)
    assert take(lanes, documents, query) == [query]
    assert take(lanes, documents, query) == [documents, documents]


def test_a_batch_holds_no_more_tokens_than_the_budget() -> None:
    lanes = Lanes(batch_tokens=10)
    lanes.put(job(4, 4, 4, 4, 4), query=False)
    assert [len(lanes.take()) for _ in range(3)] == [2, 2, 1]


def test_a_text_larger_than_the_budget_goes_alone() -> None:
    lanes = Lanes(batch_tokens=10)
    large = job(50, 2)
    lanes.put(large, query=False)
    assert [[large.works.index(text) for text in lanes.take()] for _ in range(2)] == [[1], [0]]


def test_a_small_request_does_not_wait_until_a_large_one_is_through() -> None:
    lanes = Lanes(batch_tokens=10)
    large, small = job(*[5] * 10), job(5)
    lanes.put(large, query=False)
    lanes.put(small, query=False)
    assert set(take(lanes, large, small)) == {large}
    assert small in take(lanes, large, small)


def test_cancelled_work_is_dropped_before_it_is_computed() -> None:
    lanes = Lanes(batch_tokens=10)
    given_up, wanted = job(5), job(5)
    lanes.put(given_up, query=False)
    lanes.put(wanted, query=False)
    given_up.done.cancel()
    assert take(lanes, given_up, wanted) == [wanted]


def test_work_past_its_deadline_is_dropped_and_told_so() -> None:
    lanes = Lanes(batch_tokens=10)
    late, wanted = job(5, deadline=0.0), job(5)
    lanes.put(late, query=True)
    lanes.put(wanted, query=True)
    assert take(lanes, late, wanted) == [wanted]
    assert isinstance(late.done.exception(), ExpiredError)


def test_rows_come_back_in_the_order_of_the_texts_though_shorter_ones_are_computed_first() -> None:
    lanes = Lanes(batch_tokens=4)
    request = job(4, 1, 3)
    lanes.put(request, query=False)
    order = []
    while not request.done.done():
        for text in lanes.take():
            order.append(request.works.index(text))
            lanes.end(text, row(bytes([order[-1]])))
    assert order == [1, 2, 0]
    rows = [outcome for outcome in request.done.result() if isinstance(outcome, Row)]
    assert [one.embedding for one in rows] == [b"\0", b"\1", b"\2"]


def test_closing_fails_what_waits_and_what_runs_and_takes_nothing_more() -> None:
    lanes = Lanes(batch_tokens=5)
    running, waiting = job(5), job(5)
    lanes.put(running, query=False)
    lanes.put(waiting, query=False)
    lanes.take()
    lanes.close()
    assert isinstance(running.done.exception(), ModelGoneError)
    assert isinstance(waiting.done.exception(), ModelGoneError)
    assert lanes.take() == []
    with pytest.raises(ModelGoneError):
        lanes.put(job(1), query=True)


def test_the_cache_keeps_the_rows_used_last_within_its_bytes() -> None:
    cache = RowCache(max_bytes=3 * 6200)
    keys = [cache_key("f", "query", "both", str(i)) for i in range(4)]
    for key in keys[:3]:
        cache.put(key, row())
    assert cache.get(keys[0])
    cache.put(keys[3], row())
    assert [cache.get(key) is not None for key in keys] == [True, False, True, True]
    assert cache.bytes <= 3 * 6200


def test_the_cache_tells_roles_parts_and_fingerprints_apart_and_keeps_no_text() -> None:
    keys = {cache_key(f, r, p, "secret") for f in ("a", "b") for r in ("query", "document") for p in Part}
    assert len(keys) == 12
    assert not any("secret" in str(part) for key in keys for part in key)


def test_the_cache_keeps_no_row_that_is_not_finite_and_nothing_at_all_with_zero_bytes() -> None:
    cache, none = RowCache(10**6), RowCache(0)
    cache.put(cache_key("f", "query", "both", "a"), row(finite=False))
    none.put(cache_key("f", "query", "both", "a"), row())
    assert (len(cache), len(none), none.bytes) == (0, 0, 0)


def test_who_must_have_an_answer_first_goes_first() -> None:
    lanes = Lanes(batch_tokens=10)
    now = time.monotonic()
    bulk, lone, whenever = job(5, 5, 5, 5, deadline=now + 50), job(5, deadline=now + 5), job(5)
    for one in (whenever, bulk, lone):
        lanes.put(one, query=False)
    order = [one for _ in range(3) for one in take(lanes, bulk, lone, whenever)]
    assert order == [lone, bulk, bulk, bulk, bulk, whenever]


def test_a_batch_never_mixes_parts_and_the_earliest_deadline_says_which_goes_first() -> None:
    lanes = Lanes(batch_tokens=100)
    now = time.monotonic()
    jobs = [
        job(5, deadline=now + 30),
        job(5, deadline=now + 10, part=Part.CODE),
        job(5, deadline=now + 20),
        job(5, deadline=now + 40, part=Part.CODE),
        job(5, part=Part.TEXT),
    ]
    for one in jobs:
        lanes.put(one, query=False)
    taken = [take(lanes, *jobs) for _ in range(3)]
    assert taken == [[jobs[1], jobs[3]], [jobs[2], jobs[0]], [jobs[4]]]


def test_given_up_work_does_not_say_which_part_is_computed() -> None:
    lanes = Lanes(batch_tokens=100)
    given_up, wanted = job(5, part=Part.CODE), job(5)
    for one in (given_up, wanted):
        lanes.put(one, query=False)
    given_up.done.cancel()
    assert take(lanes, given_up, wanted) == [wanted]


def test_a_text_that_two_wait_for_is_taken_once_and_both_get_it() -> None:
    lanes = Lanes(batch_tokens=10)
    shared = work(5)
    first, second = Request(work(3), shared), Request(shared, work(4))
    for one in (first, second):
        lanes.put(one, query=False)
    taken = [text for _ in range(2) for text in lanes.take()]
    assert len(taken) == len(set(taken)) == 3
    for text in taken:
        lanes.end(text, row(bytes([text.cost])))
    answers = [[one.embedding for one in each.done.result(0) if isinstance(one, Row)] for each in (first, second)]
    assert answers == [[b"\3", b"\5"], [b"\5", b"\4"]]


def test_a_text_that_two_wait_for_is_computed_though_one_gave_it_up() -> None:
    lanes = Lanes(batch_tokens=10)
    shared = work(5)
    first, second = Request(shared, work(4)), Request(shared)
    for one in (first, second):
        lanes.put(one, query=False)
    first.done.cancel()
    assert lanes.take() == [shared]


def test_who_needs_a_shared_text_first_pulls_it_forward() -> None:
    lanes = Lanes(batch_tokens=10)
    now = time.monotonic()
    shared = work(9)
    bulk = Request(*(work(8) for _ in range(5)), shared, deadline=now + 50)
    lanes.put(bulk, query=False)
    lanes.put(Request(shared, deadline=now + 5), query=False)
    assert lanes.take() == [shared]


def test_who_comes_while_a_text_is_computed_or_after_gets_it_without_waiting_in_a_lane() -> None:
    lanes = Lanes(batch_tokens=10)
    shared = work(5)
    lanes.put(Request(shared), query=False)
    assert lanes.take() == [shared]
    during, after = Request(shared), Request(shared, shared)
    lanes.put(during, query=False)
    assert not lanes.has_work(query=False)
    lanes.end(shared, row())
    lanes.put(after, query=False)
    assert [len(one.done.result(0)) for one in (during, after)] == [1, 2]


def test_closing_fails_those_too_that_wait_for_a_running_text_of_another() -> None:
    lanes = Lanes(batch_tokens=10)
    shared = work(5)
    jobs = [Request(shared), Request(shared), Request(shared, work(3))]
    lanes.put(jobs[0], query=False)
    lanes.take()
    for one in jobs[1:]:
        lanes.put(one, query=False)
    lanes.close()
    assert [type(one.done.exception(0)) for one in jobs] == [ModelGoneError] * 3


def test_documents_go_in_larger_batches_while_nobody_waits_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    turns = Turns()
    lanes, other = Lanes(10, turns, bulk_tokens=40), Lanes(10, turns)
    # A worker's load, which has minutes, hurries nobody.
    documents = job(*[5] * 60, deadline=now + 600)
    lanes.put(documents, query=False)
    assert len(lanes.take()) == 8
    insert = job(5, deadline=now + 2)
    lanes.put(insert, query=False)
    assert take(lanes, documents, insert) == [insert, documents]
    now += QUIET_SECONDS - 1
    assert len(lanes.take()) == 2
    now += 2
    assert len(lanes.take()) == 8
    # A query of whichever duet.
    query = job(3, deadline=now + 60)
    other.put(query, query=True)
    with turns.changed:
        turns.end(lanes)
    assert take(other, query) == [query]
    with turns.changed:
        turns.end(other)
    assert len(lanes.take()) == 2
    now += QUIET_SECONDS + 1
    assert len(lanes.take()) == 8


def test_bulk_is_never_below_the_ordinary_budget() -> None:
    lanes = Lanes(10, bulk_tokens=0)
    lanes.put(job(4, 4, 4), query=False)
    assert len(lanes.take()) == 2
