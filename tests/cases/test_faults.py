"""Cases of group C: a sidecar that is not there, that is killed, that fifty sessions ask at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_database import Connection, Database
from fix_worker import running_stub, running_worker, wait_until
from pgduet.client import EmbeddingClient


@pytest.mark.parametrize("mode", ["queue", "auto"])
def test_c17_the_sidecar_is_not_there_and_then_it_is(case: Case, folder: Path, mode: str) -> None:
    case.database.set("trigger_mode", mode)
    case.stub.stop()
    with running_worker(case.database, folder):
        started = time.monotonic()
        case.run("INSERT INTO pgduet.code_chunks (chunk_id, content) SELECT g, 'r' || g FROM generate_series(1, 50) g")
        assert time.monotonic() - started < (1 if mode == "queue" else 3)
        for query in ("SELECT pgduet.embed('x')", "SELECT * FROM pgduet.similar_code('x')"):
            started = time.monotonic()
            with pytest.raises(psycopg.errors.IoError, match="cannot be reached"):
                case.run(query)
            assert time.monotonic() - started < 6
        time.sleep(3)
        assert case.pending() == 50
        assert case.run("SELECT * FROM pgduet.failures") == []
        assert case.scalar("SELECT max(attempts) FROM pgduet._pending") <= 1
        case.stub.start()
        wait_until(lambda: embeds(case.session), 30)
        case.settle(60)
        assert case.all_same()


def embeds(session: Connection) -> bool:
    try:
        session.execute("SELECT pgduet.embed('x')")
    except psycopg.errors.IoError:
        return False
    return True


def test_c17_in_sync_mode_the_statement_fails_and_says_so(case: Case) -> None:
    case.database.set("trigger_mode", "sync")
    case.stub.stop()
    with pytest.raises(psycopg.errors.IoError, match="cannot be reached") as caught:
        case.run("INSERT INTO pgduet.code_chunks (content) VALUES ('x')")
    assert "pgduet serve" in (caught.value.diag.message_hint or "")
    assert case.scalar("SELECT count(*) FROM pgduet.code_chunks") == 0


@pytest.fixture
def lone(database: Database) -> Iterator[Case]:
    """Give a case whose stub is a process of its own."""
    database.set("trigger_mode", "queue")
    with database.connect() as session:
        yield Case(database, session, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_c19_the_sidecar_is_killed_in_the_middle_of_a_batch(lone: Case, folder: Path, kills: int) -> None:
    case, address = lone, f"unix:{folder}/stub.sock"
    case.database.set("sidecar_address", address)
    insert = "INSERT INTO pgduet.code_chunks (content) SELECT %s || g FROM generate_series(1, 500) g"
    with running_worker(case.database, folder, "--lease", "20") as worker:
        with running_stub(address, folder, "--die-after-texts", "37") as stub:
            case.run(insert, "first ")
            wait_until(lambda: stub.process.poll() is not None, 30)
        time.sleep(2)
        for number in range(kills):
            with running_stub(address, folder, "--delay", "0.5") as stub:
                case.run(insert, f"round {number} ")
                time.sleep(1 if kills == 2 else 5)
                stub.kill()
        with running_stub(address, folder):
            case.settle(180)
        log = worker.log_text()
    assert case.wrong() == 0
    assert case.all_same()
    assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings") == 500 * (kills + 1)
    assert case.run("SELECT * FROM pgduet.failures") == []
    assert log.count("warning") <= 60


@pytest.mark.parametrize(
    ("sessions", "calls", "rows"), [(50, 6, 60), pytest.param(50, 40, 5000, marks=pytest.mark.slow)]
)
def test_c21_fifty_sessions_at_once_while_workers_drain(
    live_database: Database, folder: Path, sessions: int, calls: int, rows: int
) -> None:
    live_database.set("trigger_mode", "queue")
    answers: dict[int, str] = {}

    def ask(session_number: int) -> list[str]:
        errors = []
        with live_database.connect() as session:
            for call in range(calls):
                number = session_number * calls + call
                text = f"text {number} " + "word " * (number % 60)
                try:
                    row = session.execute("SELECT pgduet.embed(%s)::text", (text,)).fetchone()
                except psycopg.Error as error:
                    errors.append(error.sqlstate or "lost")
                else:
                    answers[number] = row[0] if row else ""
        return errors

    live_database.set("deadline_ms", "60000")
    with live_database.connect() as session, running_worker(live_database, folder, "--concurrency", "4"):
        session.execute(
            "INSERT INTO pgduet.code_chunks (content)"
            " SELECT repeat('x' || g || ' = ' || g || E'\\n', 1 + g %% 20) FROM generate_series(1, %s) g",
            (rows,),
        )
        with ThreadPoolExecutor(sessions) as pool:
            errors = [error for found in pool.map(ask, range(sessions)) for error in found]
        assert set(errors) <= {"53000"}
        assert len(errors) < 0.01 * sessions * calls
        for number in list(answers)[:: max(1, len(answers) // 40)]:
            text = f"text {number} " + "word " * (number % 60)
            distance = session.execute(
                "SELECT %s::halfvec OPERATOR(public.<=>) pgduet.embed(%s)", (answers[number], text)
            ).fetchone()
            assert distance is not None
            assert distance[0] < 0.001
        done = "SELECT count(*) FROM pgduet.code_embeddings"
        wait_until(lambda: session.execute(done).fetchone() == (rows,), 900 if rows > 1000 else 120)
        address = session.execute("SELECT value FROM pgduet._setting WHERE key = 'sidecar_address'").fetchone()
        assert address is not None
        with EmbeddingClient(address[0]) as client:
            assert client.healthy()
