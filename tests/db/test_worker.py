"""The worker drains the queue, blames only who is at fault, and gives back what it does not finish."""

import os
import pty
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database
from fix_pooler import free_port
from fix_worker import add_chunks, make_worker, scalar, wait_until
from pgduet.client import SidecarUnavailableError
from pgduet.database.connection import connect
from pgduet.errors import PgduetError
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar, stub_vector

VECTORS = "SELECT c.content, e.embedding::text FROM pgduet.code_chunks c JOIN pgduet.code_embeddings e USING (chunk_id)"
STATES = "SELECT state, chunks FROM pgduet.queue_status WHERE chunks > 0 ORDER BY state"


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "queue")
    with stub_database.connect() as connection:
        yield connection


def run_once(database: Database, **options: Any) -> Worker:
    worker = make_worker(database, **options)
    worker.run(once=True)
    return worker


@contextmanager
def working(database: Database, **options: Any) -> Iterator[Worker]:
    """Run a worker on a thread."""
    worker = make_worker(database, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def texts(stub: StubSidecar) -> int:
    return sum(request.texts for request in stub.requests)


def test_what_is_queued_gets_its_own_vectors_and_each_content_is_sent_once(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    add_chunks(session, 100)
    add_chunks(session, 100)
    worker = run_once(stub_database, index=False, concurrency=1)
    assert session.execute(STATES).fetchall() == []
    rows = session.execute(VECTORS).fetchall()
    assert len(rows) == 200
    for content, text in rows:
        assert np.array(text.strip("[]").split(","), dtype=np.float32) @ stub_vector(content) > 0.999
    assert texts(stub) == 100
    assert {request.role for request in stub.requests} == {"document"}
    assert worker.metrics.registry.get_sample_value("pgduet_worker_embedded_total") == worker.metrics.embedded_total


def test_rows_that_no_trigger_saw_get_their_vectors_and_an_index(session: Connection, stub_database: Database) -> None:
    session.execute("SET session_replication_role = replica")
    add_chunks(session, 1100)
    run_once(stub_database)
    assert scalar(session, "SELECT sum(embedded) FROM pgduet.coverage") == 1100
    assert session.execute("SELECT valid, rows_at_build FROM pgduet.index_status").fetchall() == [(True, 1100)]


def test_a_running_worker_is_woken_by_a_commit(session: Connection, stub_database: Database) -> None:
    with working(stub_database, poll=600, index=False):
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.worker_status WHERE state = 'working'") == 1)
        time.sleep(0.5)
        add_chunks(session, 5)
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5, 5)
    assert scalar(session, "SELECT count(*) FROM pgduet.worker_status") == 0


def test_without_notifications_polling_finds_the_work(session: Connection, stub_database: Database) -> None:
    stub_database.set("notify", "off")
    with working(stub_database, poll=0.3, index=False):
        add_chunks(session, 5)
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5, 10)


def test_one_bad_text_stands_alone_and_holds_up_no_other(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.poison = "r77"
    add_chunks(session, 130)
    run_once(stub_database)
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 129
    failure = session.execute("SELECT state, error_class FROM pgduet.failures").fetchall()
    assert failure == [("retrying", "row_temporary")]
    assert len(stub.requests) < 40
    stub.poison = None
    assert scalar(session, "SELECT pgduet.retry_failed()") == 1
    run_once(stub_database)
    assert session.execute(STATES).fetchall() == []


def test_a_text_that_fails_again_and_again_is_given_up_with_its_reason(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.poison = "r1"
    add_chunks(session, 1)
    for _ in range(2):
        run_once(stub_database, max_attempts=2)
        session.execute("UPDATE pgduet._pending SET next_attempt_at = now()")
    failure = session.execute("SELECT state, error_class, attempts, error FROM pgduet.failures").fetchall()
    assert [row[:3] for row in failure] == [("failed", "row_temporary", 2)]
    assert "the model failed" in failure[0][3]
    session.execute("UPDATE pgduet.code_chunks SET content = 'mended'")
    run_once(stub_database)
    assert session.execute("SELECT state FROM pgduet.chunk_status").fetchall() == [("embedded",)]
    assert session.execute(STATES).fetchall() == []


def test_a_text_that_the_sidecar_refuses_by_itself_is_given_up_at_once(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.blank_for_stub = "r2"
    add_chunks(session, 3)
    run_once(stub_database)
    failures = session.execute("SELECT state, error_class FROM pgduet.failures").fetchall()
    assert failures == [("failed", "row_permanent")]
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 2


@pytest.mark.parametrize(
    ("switch", "value", "message"),
    [
        ("nan", True, "no usable vector for any text"),
        ("width", 128, "128 numbers, not 2560"),
        ("drop", True, "contradicts|answered"),
        ("fingerprint", "another", "FAILED_PRECONDITION"),
        ("status", grpc.StatusCode.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"),
        ("status", grpc.StatusCode.INTERNAL, "INTERNAL"),
        ("status", grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ("model", "other", "NOT_FOUND"),
    ],
)
def test_a_sidecar_that_cannot_work_is_no_failure_of_any_row(
    session: Connection, stub_database: Database, stub: StubSidecar, switch: str, value: object, message: str
) -> None:
    add_chunks(session, 1, "first")
    run_once(stub_database)
    before = getattr(stub, switch)
    setattr(stub, switch, value)
    add_chunks(session, 20)
    with working(stub_database, index=False):
        wait_until(lambda: scalar(session, "SELECT count(detail) FROM pgduet.worker_status") == 1)
        state = session.execute("SELECT state, detail FROM pgduet.worker_status").fetchone()
        assert state is not None
        assert state[0] == "waiting"
        assert re.search(message, state[1])
        setattr(stub, switch, before)
        wait_until(lambda: session.execute(STATES).fetchall() == [])
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 21
    assert scalar(session, "SELECT count(*) FROM pgduet.failures") == 0


def test_once_lets_an_outage_out_and_loses_nothing(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.stop()
    add_chunks(session, 3)
    with pytest.raises(SidecarUnavailableError, match="UNAVAILABLE"):
        run_once(stub_database)
    assert session.execute(STATES).fetchall() == [("waiting", 3)]
    assert scalar(session, "SELECT max(attempts) FROM pgduet._pending") == 0


def test_once_asks_for_fewer_texts_when_it_is_too_late_for_many_and_for_more_again(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub_database.set("batch_deadline_ms", "500")
    stub.seconds_a_text = 0.1
    add_chunks(session, 90)
    timer = threading.Timer(3, lambda: setattr(stub, "seconds_a_text", 0.0))
    timer.start()
    run_once(stub_database, concurrency=1, index=False)
    timer.join()
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 90
    assert scalar(session, "SELECT count(*) FROM pgduet.failures") == 0
    sizes = [seen.texts for seen in stub.requests]
    assert sizes[:3] == [16, 8, 4]
    assert max(sizes[3:]) > 4, sizes


def test_once_waits_for_a_sidecar_that_is_busy(session: Connection, stub_database: Database, stub: StubSidecar) -> None:
    stub.status = grpc.StatusCode.RESOURCE_EXHAUSTED
    add_chunks(session, 5)
    timer = threading.Timer(1, lambda: setattr(stub, "status", None))
    timer.start()
    run_once(stub_database, index=False)
    timer.join()
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5
    assert scalar(session, "SELECT max(attempts) FROM pgduet.failures") is None


def test_no_transaction_is_open_while_the_model_works(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    stub.hang = True
    add_chunks(session, 3)
    with working(stub_database, index=False, concurrency=1):
        wait_until(lambda: len(stub.requests) > 0)
        states = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
        # A round beside has one for a moment; one that waits for the model would stay.
        wait_until(lambda: scalar(session, f"{states} AND pid <> pg_backend_pid()") == 0, 5)
        session.execute("SET statement_timeout = '1s'")
        session.execute("UPDATE pgduet.code_chunks SET content = 'new ' || content")
        stub.hang = False
        stub.stop()
        stub.start()
        wait_until(lambda: session.execute(STATES).fetchall() == [])
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 3


def test_a_worker_with_the_roles_rights_only_goes_on_where_it_may_not_build_the_index(
    session: Connection, stub_database: Database
) -> None:
    add_chunks(session, 1001)
    session.execute("CREATE ROLE plain_worker LOGIN IN ROLE pgduet_worker")
    try:
        conninfo = stub_database.conninfo.replace("user='postgres'", "user='plain_worker'")
        Worker(lambda: connect(conninfo, autocommit=True), Options()).run(once=True)
        assert session.execute(STATES).fetchall() == []
    finally:
        session.execute("DROP ROLE plain_worker")


def test_a_lost_database_connection_is_made_again(session: Connection, stub_database: Database) -> None:
    with working(stub_database, index=False):
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.worker_status") == 1)
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        add_chunks(session, 5)
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5)


def test_a_sidecar_that_moved_is_followed(session: Connection, stub_database: Database, stub: StubSidecar) -> None:
    stub_database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
    add_chunks(session, 5)
    with working(stub_database, index=False):
        wait_until(lambda: scalar(session, "SELECT count(detail) FROM pgduet.worker_status") == 1)
        stub_database.set("sidecar_address", stub.address)
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5)


def test_a_building_generation_is_filled_too_and_holds_up_nothing(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    session.execute("SELECT pgduet._create_generation('next', 'small', 'building')")
    session.execute("SELECT pgduet._create_generation('other', 'not served', 'building')")
    add_chunks(session, 30)
    run_once(stub_database)
    # What two lanes could not write at once, for the generation's first fingerprint, the next look finds.
    run_once(stub_database)
    counts = "SELECT generation_id, count(*) FROM pgduet.code_embeddings GROUP BY 1 ORDER BY 1"
    assert session.execute(counts).fetchall() == [(1, 30), (2, 30)]
    assert session.execute(STATES).fetchall() == []


def test_a_chunk_that_workers_end_with_is_given_up_in_the_end(session: Connection, stub_database: Database) -> None:
    add_chunks(session, 2)
    session.execute("UPDATE pgduet._pending SET attempts = 10 WHERE chunk_id = 1")
    run_once(stub_database)
    failures = session.execute("SELECT chunk_id, state FROM pgduet.failures").fetchall()
    assert failures == [(1, "failed")]
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 1


def test_prometheus_is_answered(session: Connection, stub_database: Database) -> None:
    add_chunks(session, 5)
    address = f"127.0.0.1:{free_port()}"
    with working(stub_database, index=False, metrics=address):
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 5)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
            text = reply.read().decode()
    assert "pgduet_worker_embedded_total 5.0" in text
    assert "pgduet_worker_request_seconds_count" in text


def test_a_terminal_shows_a_bar(session: Connection, stub_database: Database) -> None:
    add_chunks(session, 50)
    reader, writer = pty.openpty()
    command = [str(Path(sys.executable).with_name("pgduet")), "worker", "--once", "--no-index"]
    environment = {**stub_database.environment, "TERM": "xterm"}
    process = subprocess.Popen(command, env=environment, stderr=writer, stdout=subprocess.DEVNULL)
    os.close(writer)
    shown = b""
    with suppress(OSError):
        while part := os.read(reader, 4096):
            shown += part
    os.close(reader)
    assert process.wait(30) == 0
    assert b"chunks" in shown


def test_bad_connections_and_addresses_are_clear_errors(stub_database: Database) -> None:
    conninfo = f"{stub_database.conninfo} options='-c default_transaction_isolation=serializable'"
    with pytest.raises(PgduetError, match="serializable"):
        Worker(lambda: connect(conninfo, autocommit=True)).run(once=True)
    with pytest.raises(Exception, match="metrics cannot be served at 'nowhere'"):
        run_once(stub_database, metrics="nowhere")
    with psycopg.connect(stub_database.conninfo, autocommit=True) as session:
        session.execute("DROP SCHEMA pgduet CASCADE")
    with pytest.raises(Exception, match="does not exist"):
        make_worker(stub_database).run()
