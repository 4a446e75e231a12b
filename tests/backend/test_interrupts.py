"""A statement that waits for the sidecar ends when PostgreSQL wants it to, and takes the sidecar's work with it."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from fix_database import Connection, Database
from stub_sidecar import StubSidecar

pytestmark = pytest.mark.alone


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.01)


def call_in_flight(stub: StubSidecar) -> bool:
    return any(not request.finished for request in stub.requests)


def all_cancelled(stub: StubSidecar) -> bool:
    return bool(stub.requests) and all(r.finished and r.cancelled for r in stub.requests)


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "sync")
    with stub_database.connect() as connection:
        connection.execute("SELECT pgduet.embed('warm up')")
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pgduet.embed('x')",
        "SELECT * FROM pgduet.embed_batch(ARRAY['x', 'y'])",
        "SELECT * FROM pgduet.similar_code('x')",
        "INSERT INTO pgduet.code_chunks (content) VALUES ('x')",
    ],
)
def test_statement_timeout_ends_every_kind_of_call_and_cancels_it(
    session: Connection, stub: StubSidecar, statement: str
) -> None:
    stub.requests.clear()
    stub.hang = True
    session.execute("SET statement_timeout = '300ms'")
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled) as caught:
        session.execute(statement)
    assert time.monotonic() - started < 0.45
    assert caught.value.sqlstate == "57014"
    wait_until(lambda: all_cancelled(stub))
    stub.hang = False
    session.execute("RESET statement_timeout")
    assert session.execute("SELECT pgduet.embed('again') IS NOT NULL").fetchone() == (True,)


def in_background(connection: Connection, statement: str) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def test_a_cancel_request_ends_the_call_within_a_fifth_of_a_second(
    session: Connection, stub: StubSidecar, stub_database: Database
) -> None:
    stub.requests.clear()
    stub.hang = True
    thread, errors = in_background(session, "SELECT pgduet.embed('x')")
    wait_until(lambda: call_in_flight(stub))
    started = time.monotonic()
    session.cancel_safe()
    thread.join(5)
    assert time.monotonic() - started < 0.2
    assert [getattr(e, "sqlstate", None) for e in errors] == ["57014"]
    wait_until(lambda: all_cancelled(stub))


def test_terminating_the_backend_ends_it_within_a_fifth_of_a_second(
    session: Connection, stub: StubSidecar, stub_database: Database
) -> None:
    stub.requests.clear()
    stub.hang = True
    pid = session.info.backend_pid
    thread, errors = in_background(session, "SELECT pgduet.embed('x')")
    wait_until(lambda: call_in_flight(stub))
    with stub_database.connect() as other:
        started = time.monotonic()
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        wait_until(lambda: not other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchall(), 1)
        assert time.monotonic() - started < 0.2
        assert other.execute("SELECT 1").fetchone() == (1,)
    thread.join(5)
    assert len(errors) == 1
    wait_until(lambda: all_cancelled(stub))
    assert "terminated by signal" not in stub_database.cluster.log.read_text()


def test_a_cancel_inside_an_exception_block_is_not_swallowed(session: Connection, stub: StubSidecar) -> None:
    stub.hang = True
    session.execute("SET statement_timeout = '300ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        session.execute(
            "DO $$ BEGIN PERFORM pgduet.embed('x'); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'swallowed'; END $$"
        )


def test_the_own_deadline_without_a_statement_timeout_is_no_cancel(
    session: Connection, stub: StubSidecar, stub_database: Database
) -> None:
    stub_database.set("deadline_ms", "300")
    stub.hang = True
    with pytest.raises(psycopg.errors.IoError, match=r"did not answer within 0\.3 s") as caught:
        session.execute("SELECT pgduet.embed('x')")
    assert caught.value.sqlstate == "58030"
    assert caught.value.diag.message_hint


def test_several_statements_in_one_message_are_not_cut_short(session: Connection, stub: StubSidecar) -> None:
    stub.delay = 0.1
    session.execute("SET statement_timeout = '1s'")
    session.execute("SELECT pg_sleep(0.6); SELECT pg_sleep(0.35); SELECT pgduet.embed('late')")
    session.execute("SELECT pg_sleep(0.7); SELECT pg_sleep(0.7); SELECT pgduet.embed('later')")
