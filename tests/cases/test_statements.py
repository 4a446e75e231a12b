"""Cases of group B: what a statement queues, what it costs, and rows that change or go while a model works."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from fix_cases import Case
from fix_worker import running_worker, wait_until

pytestmark = pytest.mark.alone

INSERT = "INSERT INTO pgduet.code_chunks (chunk_id, content)"
QUEUED = "SELECT count(*) FROM pgduet._pending"
# What the queue or the vectors still say of chunks that are gone.
OF_NOBODY = (
    "SELECT count(*)"
    " FROM (SELECT chunk_id FROM pgduet._pending UNION ALL SELECT chunk_id FROM pgduet.code_embeddings) q"
    " WHERE NOT EXISTS (SELECT FROM pgduet.code_chunks c WHERE c.chunk_id = q.chunk_id)"
)


def test_c09_updates_that_leave_the_code_alone_send_nothing(any_mode: Case, folder: Path) -> None:
    case = any_mode
    case.run(
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;"
        "CREATE TRIGGER stamp BEFORE UPDATE ON pgduet.code_chunks FOR EACH ROW EXECUTE FUNCTION stamp()"
    )
    updates = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relid = 'pgduet.code_chunks'::regclass"
    with running_worker(case.database, folder):
        case.run(f"{INSERT} SELECT g, 'def f'||g||'(): return '||g FROM generate_series(1, 1000) g")
        case.settle(60)
        case.reset()
        case.run("UPDATE pgduet.code_chunks SET content = content")
        case.run("UPDATE pgduet.code_chunks SET content = content || '' WHERE chunk_id % 2 = 0")
        assert case.scalar(QUEUED) == 0
        # A path stands beside the vector too, so it may be left to a worker; a model is not asked.
        case.run("UPDATE pgduet.code_chunks SET path = coalesce(path, '') || '.bak'")
        case.settle(30)
        time.sleep(3)
        assert case.rpc() == 0
        assert case.pending() == 0
    case.run("SELECT pg_stat_force_next_flush()")
    assert case.scalar(updates) == 2500
    assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings WHERE path = '.bak'") == 1000


@pytest.mark.parametrize("mode", ["queue", "auto"])
def test_c11_ten_thousand_rows_in_one_statement_are_left_to_the_worker_in_batches(
    case: Case, folder: Path, mode: str
) -> None:
    case.database.set("trigger_mode", mode)
    (files, memory), seconds = measured(case), insert_seconds(case, 10_000)
    assert seconds < 5
    assert case.rpc() == 0
    assert_backend_is_small(case, files, memory)
    with running_worker(case.database, folder):
        case.settle(120)
    assert 20 <= case.rpc() <= 1250
    assert set(case.texts().values()) == {1}
    assert case.wrong() == 0
    assert case.all_same("c.chunk_id % 50 = 7")


def test_c11_twice_the_rows_take_about_twice_the_time(queued: Case) -> None:
    insert_seconds(queued, 1000)
    # In turns: whatever else the machine does for a second then slows down one of each.
    turns = [(insert_seconds(queued, 10_000), insert_seconds(queued, 20_000)) for _ in range(4)]
    single, double = (min(seconds) for seconds in zip(*turns, strict=True))
    assert double < 3 * single


def test_c11_ten_thousand_rows_in_one_statement_are_embedded_in_batches_in_sync(case: Case) -> None:
    case.database.set("trigger_mode", "sync")
    (files, memory), _ = measured(case), insert_seconds(case, 10_000)
    assert 20 <= case.rpc() <= 1250
    assert_backend_is_small(case, files, memory)
    assert case.pending() == 0
    assert case.wrong() == 0
    assert case.all_same("c.chunk_id % 50 = 7")


def test_c11_one_bad_row_among_many_is_no_loss_of_the_others(case: Case, folder: Path) -> None:
    case.stub.blank_for_stub = "int f300(){return 300;}"
    case.database.set("trigger_mode", "sync")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="chunk 300 cannot be embedded"):
        insert_seconds(case, 1000)
    assert case.scalar("SELECT count(*) FROM pgduet.code_chunks") == 0
    case.database.set("trigger_mode", "queue")
    insert_seconds(case, 1000)
    with running_worker(case.database, folder):
        case.settle(60)
    assert case.run("SELECT chunk_id, error_class FROM pgduet.failures") == [(300, "row_permanent")]
    assert case.all_same("c.chunk_id % 50 = 7 AND c.chunk_id <> 300")
    assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings") == 999


@pytest.mark.parametrize(("kind", "error_class"), [("blank_for_stub", "row_permanent"), ("failing", "row_temporary")])
def test_c11_in_auto_one_bad_row_waits_alone_and_the_session_goes_on_asking(
    case: Case, folder: Path, kind: str, error_class: str
) -> None:
    setattr(case.stub, kind, "bad")
    heard: list[str] = []
    case.session.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    case.run(f"{INSERT} SELECT g, CASE g WHEN 100 THEN 'bad' ELSE 'row '||g END FROM generate_series(1, 150) g")
    (warning,) = heard
    assert "leaves 1 chunk(s) to the worker: chunk 100 cannot be embedded: the " in warning
    case.run(f"{INSERT} VALUES (151, 'one more'), (152, 'bad')")
    case.run(f"{INSERT} VALUES (153, 'and one')")
    assert len(heard) == 2
    assert case.scalar("SELECT count(*) FROM pgduet.code_embeddings") == 151
    assert case.run("SELECT DISTINCT chunk_id FROM pgduet._pending ORDER BY 1") == [(100,), (152,)]
    with running_worker(case.database, folder):
        wait_until(lambda: case.scalar("SELECT count(*) FROM pgduet.failures") == 2)
    assert set(case.run("SELECT chunk_id, error_class FROM pgduet.failures")) == {
        (100, error_class),
        (152, error_class),
    }
    assert case.all_same("c.content <> 'bad'")


@pytest.mark.slow
def test_c11_a_hundred_thousand_rows_by_copy(queued: Case, folder: Path) -> None:
    files, memory = measured(queued)
    rows = "".join(f"{number}\tint f{number}(){{return {number};}}\n" for number in range(100_000))
    started = time.monotonic()
    with queued.session.cursor().copy("COPY pgduet.code_chunks (chunk_id, content) FROM STDIN") as copy:
        copy.write(rows)
    assert time.monotonic() - started < 60
    assert_backend_is_small(queued, files, memory)
    with running_worker(queued.database, folder):
        queued.settle(600)
    assert queued.wrong() == 0
    assert queued.all_same("c.chunk_id % 500 = 7")


def test_c13_rows_that_go_or_change_their_key_while_they_are_embedded_leave_nothing_behind(
    any_mode: Case, folder: Path
) -> None:
    case = any_mode
    # Four calls of this length are within what a statement waits for in auto: a miss would send texts twice.
    case.stub.delay = 0.25
    with running_worker(case.database, folder) as worker:
        worker.wait_for("connected")
        case.run(f"{INSERT} SELECT g, 'fn '||g FROM generate_series(1, 200) g")
        time.sleep(0.3)
        case.run("DELETE FROM pgduet.code_chunks WHERE chunk_id <= 50")
        case.run("UPDATE pgduet.code_chunks SET chunk_id = chunk_id + 100000 WHERE chunk_id BETWEEN 51 AND 60")
        found = {row[0] for row in case.run("SELECT chunk_id FROM pgduet.similar_code('fn 7', k => 500)")}
        assert not found & set(range(1, 61))
        case.settle(120)
        assert case.scalar(OF_NOBODY) == 0
        assert case.wrong() == 0
        assert case.all_same()
        # What was just being embedded under the old key may be sent once more under the new one.
        moved = {f"fn {number}" for number in range(51, 61)}
        assert all(times <= 1 + (text in moved) for text, times in case.texts().items() if text != "fn 7")
        case.stub.delay = 0.0
        case.run("TRUNCATE pgduet.code_chunks")
        assert case.run("SELECT * FROM pgduet.similar_code('fn 7')") == []
        case.settle(60)
        assert case.scalar(OF_NOBODY) == 0
    assert worker.complaints() == []


@pytest.mark.parametrize("delay", [0.5, pytest.param(10.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("end", ["delete", "truncate"])
def test_c13_a_slow_sidecar_holds_up_neither_deletes_nor_the_rest(
    queued: Case, folder: Path, delay: float, end: str
) -> None:
    queued.stub.delay = delay
    with running_worker(queued.database, folder) as worker:
        queued.run(f"{INSERT} SELECT g, 'fn '||g FROM generate_series(1, 200) g")
        queued.wait_for_call()
        started = time.monotonic()
        queued.run("DELETE FROM pgduet.code_chunks WHERE chunk_id <= 50")
        queued.run("UPDATE pgduet.code_chunks SET chunk_id = chunk_id + 100000 WHERE chunk_id BETWEEN 51 AND 60")
        if end == "truncate":
            queued.run("TRUNCATE pgduet.code_chunks")
        assert time.monotonic() - started < 1
        queued.settle(120)
        assert queued.scalar(OF_NOBODY) == 0
        assert queued.wrong() == 0
        assert queued.all_same()
    assert worker.complaints() == []


@pytest.mark.parametrize("delay", [0.5, pytest.param(5.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("end", ["update", "delete and insert again"])
def test_c15_code_that_changes_while_it_is_embedded_ends_with_its_last_vector(
    queued: Case, folder: Path, delay: float, end: str
) -> None:
    queued.stub.delay = delay
    waits = [random.Random(number).uniform(0, delay * 1.2) for number in range(50)]
    longest: list[float] = []

    def change(number: int) -> None:
        with queued.database.connect() as session:
            session.execute(f"{INSERT} VALUES (%s, %s)", (number, f"version A {number}"))
            time.sleep(waits[number])
            started = time.monotonic()
            if end == "update":
                query = "UPDATE pgduet.code_chunks SET content = %s WHERE chunk_id = %s"
                session.execute(query, (f"version B {number}", number))
            else:
                session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (number,))
                session.execute(f"{INSERT} VALUES (%s, %s)", (number, f"version B {number}"))
            longest.append(time.monotonic() - started)

    with running_worker(queued.database, folder) as worker:
        worker.wait_for("connected")
        together(change, 50)
        queued.settle(60 + 20 * delay)
    assert len(longest) == 50
    assert max(longest) < 1
    assert queued.texts()["version A 0"] <= 1
    assert queued.wrong() == 0
    assert all(queued.same(number, f"version B {number}") for number in range(50))


@pytest.mark.parametrize("mode", ["auto", "sync"])
def test_c15_two_sessions_that_embed_the_same_row_end_with_its_last_vector(case: Case, folder: Path, mode: str) -> None:
    case.database.set("trigger_mode", mode)
    case.stub.delay = 0.2
    case.run(f"{INSERT} SELECT g, 'version A '||g FROM generate_series(0, 4) g")

    def change(number: int) -> None:
        with case.database.connect() as session:
            time.sleep(random.Random(number).uniform(0, 0.3))
            session.execute(
                "UPDATE pgduet.code_chunks SET content = %s WHERE chunk_id = %s", (f"by session {number}", number % 5)
            )

    with running_worker(case.database, folder):
        together(change, 10)
        case.settle(60)
    assert case.wrong() == 0
    assert case.all_same()
    assert case.scalar("SELECT count(*) FROM pgduet.code_chunks WHERE content ~ '^by session'") == 5


def insert_seconds(case: Case, rows: int) -> float:
    """Insert so many rows by one statement after emptying all tables; give its seconds."""
    case.run("TRUNCATE pgduet.code_chunks, pgduet.code_embeddings")
    case.run("TRUNCATE pgduet._pending")
    started = time.monotonic()
    case.run(f"{INSERT} SELECT g, 'int f'||g||'(){{return '||g||';}}' FROM generate_series(1, %s) g", rows)
    return time.monotonic() - started


def measured(case: Case) -> tuple[int, float]:
    """Give the open files and the memory in MB of the session's backend."""
    process = Path(f"/proc/{case.session.info.backend_pid}")
    status = (process / "status").read_text()
    return len(list((process / "fd").iterdir())), int(status.split("VmRSS:")[1].split()[0]) / 1024


def assert_backend_is_small(case: Case, files: int, memory: float) -> None:
    files_now, memory_now = measured(case)
    assert files_now - files < 50
    assert memory_now - memory < 500


def together(work: Callable[[int], None], count: int) -> None:
    """Do something so many times at once."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
