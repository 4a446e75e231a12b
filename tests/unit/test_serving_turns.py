"""Who computes next, where lanes of several duets share the turns."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from fix_lanes import job
from pgduet.serving.lanes import Lanes
from pgduet.serving.turns import Turns
from pgduet.serving.work import TextFailure


@pytest.fixture
def lanes() -> tuple[Lanes, Lanes]:
    turns = Turns()
    return Lanes(10, turns), Lanes(10, turns)


def taken_first(*lanes: Lanes) -> Lanes:
    """Let a thread wait at each of the lanes; return those that get the turn, and end it."""
    order: list[Lanes] = []
    with ThreadPoolExecutor(len(lanes)) as pool:
        waiting = {pool.submit(each.take): each for each in lanes}
        while not order:
            order += [each for future, each in waiting.items() if future.done()]
        time.sleep(0.02)
        assert sum(future.done() for future in waiting) == 1, "two compute at the same time"
        for each in lanes:
            each.close()
    return order[0]


def test_a_query_of_one_duet_goes_before_documents_of_another_that_came_first(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    first.put(job(5, 5), query=False)
    second.put(job(3), query=True)
    assert taken_first(first, second) is second


def test_a_query_that_comes_while_its_duet_waits_with_documents_is_in_the_next_batch(
    lanes: tuple[Lanes, Lanes],
) -> None:
    first, second = lanes
    first.put(job(5), query=False)
    assert first.take()
    second.put(job(5), query=False)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.take)
        time.sleep(0.02)
        query = job(1)
        second.put(query, query=True)
        time.sleep(0.02)
        assert not waiting.done()
        first.close()
        assert [text.cost for text in waiting.result(5)] == [1]


def test_documents_of_two_duets_alternate(lanes: tuple[Lanes, Lanes]) -> None:
    order = []

    def work(each: Lanes) -> None:
        while batch := each.take():
            order.append(each)
            if len(order) == 8:
                lanes[0].close()
                lanes[1].close()
            for text in batch:
                each.end(text, TextFailure("not computed"))

    for each in lanes:
        each.put(job(*[6] * 8), query=False)
    threads = [threading.Thread(target=work, args=(each,)) for each in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert order[0] is lanes[0]
    assert all(one is not next_one for one, next_one in pairwise(order))


def test_work_that_was_given_up_keeps_nobody_waiting(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    given_up, wanted = job(5), job(5)
    first.put(given_up, query=True)
    second.put(wanted, query=False)
    given_up.done.cancel()
    assert taken_first(second, first) is second


def test_a_duet_that_ends_in_the_middle_of_a_batch_gives_its_turn_to_the_next(lanes: tuple[Lanes, Lanes]) -> None:
    first, second = lanes
    first.put(job(5), query=False)
    first.take()
    first.close()
    first.close()
    second.put(job(5), query=False)
    assert second.take()
