"""What happens to a watched table while it is watched: no statement of its users fails, and nothing is lost."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from fix_watch import Shop
from pgduet.database.connection import connect
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from pgduet.worker.sources import reconcile_sources, work_sources


def test_what_changes_nothing_that_counts_queues_nothing_and_unchanged_content_is_never_cut(
    shop: Shop, table: str
) -> None:
    shop.run("UPDATE t SET seen = 1, code = code, path = path")
    assert shop.waiting() == []
    shop.run("UPDATE t SET code = 'changed' WHERE id = 1")
    shop.run("UPDATE t SET code = 'one' WHERE id = 1")
    assert shop.waiting() == ["1", "1"]
    assert shop.chunks(table) == {"1": "one", "2": "two"}
    assert shop.stub.cut == []


def test_path_and_language_count_too(shop: Shop, table: str) -> None:
    shop.run("UPDATE t SET path = 'new.py' WHERE id = 1")
    shop.run("UPDATE t SET lang = 'go' WHERE id = 2")
    shop.settle()
    rows = shop.run("SELECT source_key, path, language FROM pgduet.code_chunks ORDER BY 1")
    assert rows == [("1", "new.py", None), ("2", "two.py", "go")]


def test_a_changed_key_moves_the_chunks(shop: Shop, table: str) -> None:
    shop.run("UPDATE t SET id = id + 10")
    assert shop.waiting() == ["1", "11", "2", "12"]
    assert shop.chunks(table) == {"11": "one", "12": "two"}
    assert shop.counts() == (2, 0, 0, 0, 2)


def test_blank_rows_end_as_rows_without_chunks(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO t VALUES (3, NULL), (4, ''), (5, E' \\n')")
    shop.run("UPDATE t SET code = NULL WHERE id = 1")
    assert shop.chunks(table) == {"2": "two"}
    assert shop.counts() == (5, 0, 4, 0, 1)
    assert shop.stub.cut == []
    assert reconcile_sources(shop.session) == 0


def test_a_savepoint_that_is_rolled_back_leaves_nothing(shop: Shop, table: str) -> None:
    with shop.session.transaction():
        shop.run("SAVEPOINT s")
        shop.run("UPDATE t SET code = 'never' WHERE id = 1")
        shop.run("ROLLBACK TO s")
        shop.run("UPDATE t SET code = 'kept' WHERE id = 2")
    assert shop.waiting() == ["2"]
    assert shop.chunks(table) == {"1": "one", "2": "kept"}


def test_a_writer_without_any_right_on_pgduet_can_write(shop: Shop, table: str) -> None:
    shop.run("DROP ROLE IF EXISTS clerk")
    shop.run("CREATE ROLE clerk")
    try:
        shop.run("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON t TO clerk")
        shop.run("SET ROLE clerk")
        shop.run("INSERT INTO t VALUES (3, 'three')")
        shop.run("UPDATE t SET code = 'TWO' WHERE id = 2")
        shop.run("DELETE FROM t WHERE id = 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.run("SELECT pgduet._watch_1()")
        shop.run("RESET ROLE")
        assert shop.chunks(table) == {"2": "TWO", "3": "three"}
        shop.run("SET ROLE clerk")
        shop.run("TRUNCATE t")
        shop.run("RESET ROLE")
        assert shop.chunks(table) == {}
    finally:
        shop.run("RESET ROLE")
        shop.run("DROP OWNED BY clerk")
        shop.run("DROP ROLE clerk")


def test_one_transaction_wakes_the_worker_once_and_none_with_notify_off(shop: Shop, table: str) -> None:
    with shop.database.connect() as listener:
        listener.execute("LISTEN pgduet_pending")
        shop.run("INSERT INTO t SELECT g, 'x' FROM generate_series(10, 20) g")
        assert len(list(listener.notifies(timeout=0.3))) == 1
        with shop.session.transaction():
            shop.run("SAVEPOINT s")
            shop.run("INSERT INTO t VALUES (30, 'x')")
            shop.run("ROLLBACK TO s")
            shop.run("INSERT INTO t VALUES (31, 'x')")
        assert len(list(listener.notifies(timeout=0.3))) == 1
        shop.database.set("notify", "off")
        shop.run("INSERT INTO t VALUES (32, 'x')")
        assert list(listener.notifies(timeout=0.3)) == []


def test_serializable_writers_do_not_fail_because_of_the_watch(shop: Shop, table: str) -> None:
    with shop.database.connect() as one, shop.database.connect() as two:
        for session in (one, two):
            session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
        for session, row in ((one, 3), (two, 4)):
            session.execute("INSERT INTO t VALUES (%s, 'x')", (row,))
        for session in (one, two):
            session.execute("COMMIT")
    assert set(shop.chunks(table)) == {"1", "2", "3", "4"}


def test_nothing_is_lost_while_clients_and_workers_do_as_they_please(shop: Shop, table: str) -> None:
    ends = time.monotonic() + 4

    def write(seed: int) -> None:
        dice = random.Random(seed)
        with shop.database.connect() as session:
            while time.monotonic() < ends:
                row = dice.randrange(seed * 50, seed * 50 + 50)
                body = "\n\n".join(str(dice.randrange(5)) for _ in range(dice.randrange(4)))
                statement = dice.choice(
                    [
                        "INSERT INTO t VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
                        "UPDATE t SET id = id + 1000 WHERE id = %s AND %s <> ''"
                        " AND NOT EXISTS (SELECT FROM t o WHERE o.id = t.id + 1000)",
                        "DELETE FROM t WHERE id = %s AND %s <> ''",
                    ]
                )
                with session.transaction(force_rollback=dice.random() < 0.1):
                    session.execute(statement, (row, body))

    def work(name: int) -> None:
        with shop.database.connect() as session:
            while time.monotonic() < ends:
                # With a lease so short that workers lose their rows all the time.
                work_sources(session, shop.client, f"w{name}", 0.01)
                reconcile_sources(session)

    with ThreadPoolExecutor(6) as pool:
        for job in [pool.submit(write, seed) for seed in (1, 2, 3)] + [pool.submit(work, n) for n in (1, 2)]:
            job.result()
    shop.run("UPDATE pgduet._source SET next_attempt_at = now(), leased_until = NULL")
    shop.settle()
    found = shop.run(
        "SELECT split_part(source_key, E'\\x1f', 1), array_agg(content ORDER BY content)"
        " FROM pgduet.code_chunks GROUP BY 1 ORDER BY 1"
    )
    rows = shop.run("SELECT id::text, code FROM t WHERE code <> '' ORDER BY 1")
    assert found == [(key, sorted(code.split("\n\n"))) for key, code in rows]
    assert len(found) > 50
    assert shop.waiting() == []
    assert reconcile_sources(shop.session) == 0


def test_a_renamed_table_and_schema_are_followed(shop: Shop, table: str) -> None:
    shop.run("CREATE SCHEMA other")
    shop.run("ALTER TABLE t RENAME TO renamed")
    shop.run("ALTER TABLE renamed SET SCHEMA other")
    shop.run("INSERT INTO other.renamed VALUES (3, 'three')")
    shop.settle()
    assert "other" in (shop.problem() or "")
    assert shop.waiting() == ["3"]
    shop.run("GRANT USAGE ON SCHEMA other TO pgduet_owner")
    reconcile_sources(shop.session)
    assert shop.chunks(table) == {"1": "one", "2": "two", "3": "three"}
    assert shop.one("SELECT table_name FROM pgduet.watch_status") == "other.renamed"
    # Another table may have the name now; it gets chunks of its own.
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
    shop.run("INSERT INTO t VALUES (1, 'new table')")
    source = shop.one("SELECT pgduet.watch('t', 'code')")
    assert source != table
    assert shop.chunks(source) == {"1": "new table"}
    assert shop.one("SELECT pgduet.unwatch('other.renamed')") == 3
    assert shop.chunks(source) == {"1": "new table"}


@pytest.mark.parametrize("change", ["RENAME COLUMN id TO nr", "RENAME COLUMN code TO text", "RENAME COLUMN path TO p"])
def test_a_renamed_column_is_reported_and_mended_by_watching_again(shop: Shop, table: str, change: str) -> None:
    old, new = change.split()[2], change.split()[4]
    shop.run(f"ALTER TABLE t {change}")
    shop.run("INSERT INTO t VALUES (3, 'three', 'p')")
    shop.run(f"UPDATE t SET {'text' if new == 'text' else 'code'} = 'TWO' WHERE {'nr' if new == 'nr' else 'id'} = 2")
    shop.settle()
    assert f"column {old} is gone" in (shop.problem() or "")
    reconcile_sources(shop.session)
    assert shop.waiting() != []
    columns = {"id": ("code", "path"), "code": ("text", "path"), "path": ("code", "p")}[old]
    assert shop.one("SELECT pgduet.watch('t', %s, %s)", *columns) == table
    assert shop.chunks(table) == {"1": "one", "2": "TWO", "3": "three"}
    assert shop.problem() is None


def test_a_column_can_be_dropped_and_have_its_type_changed(shop: Shop, table: str) -> None:
    shop.run("ALTER TABLE t ALTER COLUMN id TYPE text USING 'k' || id")
    shop.run("ALTER TABLE t ALTER COLUMN code TYPE varchar(100)")
    shop.run("INSERT INTO t VALUES ('[x', 'bracket')")
    reconcile_sources(shop.session)
    assert shop.chunks(table) == {"k1": "one", "k2": "two", '["[x"]': "bracket"}
    shop.run("ALTER TABLE t ALTER COLUMN id TYPE int USING length(id)+ascii(right(id, 1))")
    reconcile_sources(shop.session)
    assert sorted(shop.chunks(table).values()) == ["bracket", "one", "two"]
    shop.run("ALTER TABLE t DROP COLUMN code")
    shop.run("INSERT INTO t (id) VALUES (7)")
    shop.run("UPDATE t SET seen = 2")
    shop.settle()
    assert "column code is gone" in (shop.problem() or "")


def test_a_dropped_table_takes_its_chunks_along_and_one_of_the_same_name_can_be_watched(shop: Shop, table: str) -> None:
    shop.run("DROP TABLE t")
    assert reconcile_sources(shop.session) == 0
    for left in ("_watch", "_source", "_source_row", "code_chunks"):
        assert shop.one(f"SELECT count(*) FROM pgduet.{left}") == 0
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
    shop.run("INSERT INTO t VALUES (5, 'five')")
    assert shop.one("SELECT pgduet.watch('t', 'code')") == table
    assert shop.chunks(table) == {"5": "five"}


def test_a_table_made_anew_or_without_its_trigger_is_reported(shop: Shop, table: str) -> None:
    shop.run("DROP TABLE t")
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
    shop.run("INSERT INTO t VALUES (1, 'new')")
    reconcile_sources(shop.session)
    assert "its triggers are gone" in (shop.problem() or "")
    assert shop.one("SELECT pgduet.watch('t', 'code')") == table
    assert shop.chunks(table) == {"1": "new"}


def test_a_lost_primary_key_is_reported(shop: Shop, table: str) -> None:
    shop.run("ALTER TABLE t DROP CONSTRAINT t_pkey")
    shop.run("INSERT INTO t VALUES (3, 'three')")
    shop.settle()
    assert "primary key" in (shop.problem() or "")
    shop.run("ALTER TABLE t ADD PRIMARY KEY (id)")
    reconcile_sources(shop.session)
    assert shop.chunks(table) == {"1": "one", "2": "two", "3": "three"}


def test_a_truncate_empties_and_what_no_trigger_told_of_is_found(shop: Shop, table: str) -> None:
    with shop.session.transaction():
        shop.run("SET LOCAL session_replication_role = replica")
        shop.run("UPDATE t SET code = 'unseen' WHERE id = 1")
        shop.run("DELETE FROM t WHERE id = 2")
        shop.run("INSERT INTO t VALUES (3, 'unseen too')")
    shop.run("UPDATE t SET seen = 9 WHERE id = 3")
    assert shop.waiting() == []
    assert reconcile_sources(shop.session) == 3
    assert shop.chunks(table) == {"1": "unseen", "3": "unseen too"}
    assert reconcile_sources(shop.session) == 0
    shop.run("DELETE FROM pgduet.code_chunks WHERE source_key = '1'")
    assert reconcile_sources(shop.session) == 1
    assert shop.chunks(table) == {"1": "unseen", "3": "unseen too"}
    shop.run("TRUNCATE t")
    assert shop.waiting() == [None]
    assert shop.chunks(table) == {}


def test_a_large_table_is_queued_in_slices_that_follow_each_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgduet.worker.sources.SLICE", 100)
    shop.run("CREATE TABLE big (id int PRIMARY KEY, code text)")
    shop.run("INSERT INTO big SELECT g, 'code ' || g FROM generate_series(1, 250) g")
    shop.run("SELECT pgduet.watch('big', 'code')")
    most = 0
    while work_sources(shop.session, shop.client, "w", 60):
        most = max(most, len(shop.waiting()))
    assert most <= 101
    assert len(shop.chunks("public.big")) == 250
    assert len(shop.stub.cut) == 250


def test_keys_too_long_for_an_index_are_left_out_and_counted(shop: Shop) -> None:
    shop.run("CREATE TABLE t (id text PRIMARY KEY, code text)")
    shop.run("SELECT pgduet.watch('t', 'code')")
    shop.run("INSERT INTO t VALUES (repeat('k', 2500), 'long'), ('short', 'short')")
    assert shop.chunks("public.t") == {"short": "short"}
    assert shop.run("SELECT rows_failed, last_error FROM pgduet.watch_status") == [
        (1, "1 rows have a key longer than 2,000 bytes and are left out")
    ]
    assert shop.waiting() == []


def test_a_workers_single_pass_ends_although_a_watch_has_a_problem(shop: Shop) -> None:
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
    shop.run("SELECT pgduet.watch('t', 'code')")
    shop.run("ALTER TABLE t RENAME COLUMN code TO other")
    shop.run("INSERT INTO t VALUES (1, 'x')")
    worker = Worker(lambda: connect(shop.database.conninfo, autocommit=True), Options(index=False))
    thread = threading.Thread(target=worker.run, kwargs={"once": True}, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert "column code is gone" in (shop.problem() or "")
    assert shop.one("SELECT count(*) > 0 FROM pgduet._source")
