"""An outage is one story: pauses grow, the log thins out, and only who was missing can end it. Waiting lanes wake."""

import threading
import time
from collections.abc import Iterator

import grpc
import pytest
import structlog
from structlog.testing import capture_logs

from pgduet.client import SidecarBusyError, SidecarError, SidecarUnavailableError
from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError
from pgduet.errors import PgduetError
from pgduet.worker.outage import Outage
from pgduet.worker.patience import Patience
from pgduet.worker.waking import Waker

pytestmark = pytest.mark.alone

GONE = SidecarUnavailableError("nobody listens", hint="start it")


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Undo what another test of this process may have configured."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


def pauses(outage: Outage, times: int) -> list[float]:
    return [outage.pause(GONE) for _ in range(times)]


def no_database() -> Connection:
    raise PgduetError("no database here")


@pytest.fixture
def waker() -> Waker:
    return Waker(no_database)


def test_pauses_double_from_half_a_second_up_to_the_longest() -> None:
    found = pauses(Outage(10.0), 8)
    for seconds, middle in zip(found, (0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0), strict=True):
        assert 0.75 * middle <= seconds <= 1.25 * middle


def test_the_longest_pause_holds_after_thousands_of_failures_and_when_it_is_short() -> None:
    assert max(pauses(Outage(10.0), 3000)) <= 12.5
    assert max(pauses(Outage(0.1), 5)) <= 0.125


def test_pauses_are_spread_so_that_workers_do_not_come_back_all_at_once() -> None:
    found = [Outage(10.0).pause(GONE) for _ in range(200)]
    assert min(found) < 0.45
    assert max(found) > 0.55
    assert len(set(found)) > 100


def test_a_sidecar_that_names_a_time_is_not_asked_before() -> None:
    busy = SidecarBusyError("too much", retry_after=7.0)
    assert Outage(1.0).pause(busy, busy.retry_after) == 7.0
    assert Outage(10.0).pause(busy, 0.001) >= 0.375


def test_log_lines_get_ever_fewer_and_say_what_to_do() -> None:
    outage = Outage(1.0)
    with capture_logs() as logs:
        pauses(outage, 40)
    assert [line["failures"] for line in logs] == [1, 2, 4, 8, 16, 32]
    assert {(line["event"], line["reason"], line["hint"], line["log_level"]) for line in logs} == {
        ("waiting", "nobody listens", "start it", "warning")
    }


def test_failures_of_many_lanes_are_counted_together() -> None:
    outage = Outage(1.0)
    threads = [threading.Thread(target=pauses, args=(outage, 50)) for _ in range(4)]
    with capture_logs() as logs:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outage.over(sidecar=True)
    assert sorted(line["failures"] for line in logs) == [1, 2, 4, 8, 16, 32, 64, 128, 200]
    assert logs[-1]["event"] == "working again"


def test_only_an_answer_of_the_sidecar_ends_its_outage() -> None:
    outage = Outage(10.0)
    pauses(outage, 5)
    with capture_logs() as logs:
        outage.over(sidecar=False)
        assert outage.detail == "nobody listens"
        assert outage.pause(GONE) > 7
        outage.over(sidecar=True)
        assert outage.detail is None
        assert outage.pause(GONE) < 1
    assert [(line["event"], line["failures"]) for line in logs] == [("working again", 6), ("waiting", 1)]


def test_the_database_alone_ends_an_outage_of_the_database() -> None:
    outage = Outage(10.0)
    outage.pause(DatabaseError("the connection was lost", "", None))
    assert outage.detail == "the connection was lost"
    outage.over(sidecar=False)
    assert outage.detail is None


@pytest.mark.parametrize(
    "error", [SidecarBusyError("full"), SidecarUnavailableError("late", code=grpc.StatusCode.DEADLINE_EXCEEDED)]
)
def test_patience_with_an_overload_ends_and_is_renewed_by_work(error: SidecarError) -> None:
    patience = Patience()
    assert [patience.bears(error) for _ in range(12)] == [True] * 10 + [False] * 2
    patience.renew()
    assert patience.bears(error)


def test_there_is_no_patience_with_an_outage() -> None:
    gone = SidecarUnavailableError("nobody listens", code=grpc.StatusCode.UNAVAILABLE)
    assert not Patience().bears(gone)


def test_working_without_an_outage_is_not_worth_a_line() -> None:
    outage = Outage(10.0)
    with capture_logs() as logs:
        outage.over(sidecar=True)
        outage.over(sidecar=False)
    assert logs == []
    assert outage.detail is None


def test_who_was_called_while_looking_does_not_wait(waker: Waker) -> None:
    calls = waker.calls
    waker.wake()
    started = time.monotonic()
    waker.wait(calls, 30)
    assert time.monotonic() - started < 1


def test_without_a_call_the_wait_takes_its_time(waker: Waker) -> None:
    waker.wake()
    started = time.monotonic()
    waker.wait(waker.calls, 0.2)
    assert 0.19 <= time.monotonic() - started < 5


@pytest.mark.parametrize("end", ["wake", "stop"])
def test_a_call_wakes_all_that_wait(waker: Waker, end: str) -> None:
    calls = waker.calls
    threads = [threading.Thread(target=waker.wait, args=(calls, 30)) for _ in range(3)]
    for thread in threads:
        thread.start()
    getattr(waker, end)()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_a_waker_that_was_stopped_lets_nobody_wait(waker: Waker) -> None:
    waker.stop()
    started = time.monotonic()
    waker.wait(waker.calls, 30)
    assert time.monotonic() - started < 1


def test_a_waker_without_a_database_ends_when_it_is_stopped(waker: Waker) -> None:
    waker.start()
    waker.stop()
    waker.join(5)
    assert not waker.is_alive()
