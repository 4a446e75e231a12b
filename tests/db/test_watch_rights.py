"""Who may watch what, what pgduet may read, and what is left when a table is no longer watched."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from fix_database import new_database
from fix_watch import Shop
from pgduet.local.binaries import find_binaries
from pgduet.worker.sources import reconcile_sources, work_sources


def test_a_watch_again_takes_new_columns_and_cuts_all_rows_anew(shop: Shop, table: str) -> None:
    ids = shop.run("SELECT chunk_id FROM pgduet.code_chunks ORDER BY 1")
    assert shop.one("SELECT pgduet.watch('t', 'code', repo => 'shop')") == table
    shop.settle()
    assert len(shop.stub.cut) == 2
    assert shop.run("SELECT chunk_id FROM pgduet.code_chunks ORDER BY 1") == ids
    assert shop.run("SELECT DISTINCT repo, path FROM pgduet.code_chunks") == [("shop", None)]
    assert shop.one("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^_pgduet_watch'") == 2


def test_unwatch_leaves_the_table_and_nothing_else(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO pgduet.code_chunks (content, source, source_key) VALUES ('mine', 'other', '1')")
    shop.run("INSERT INTO t VALUES (3, 'three')")
    assert shop.one("SELECT pgduet.unwatch('t')") == 2
    assert shop.one("SELECT pgduet.unwatch('t')") == 0
    shop.run("INSERT INTO t VALUES (4, 'four')")
    for left in ("_watch", "_source", "_source_row"):
        assert shop.one(f"SELECT count(*) FROM pgduet.{left}") == 0
    assert shop.run("SELECT content FROM pgduet.code_chunks") == [("mine",)]
    assert shop.one("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^_pgduet_watch'") == 0
    assert shop.one("SELECT count(*) FROM pg_proc WHERE proname ~ '^_watch_[0-9]+$'") == 0


def test_row_security_is_respected_unless_copying_is_meant(shop: Shop, table: str) -> None:
    shop.run("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    shop.run("CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''policy ran''; END'")
    shop.run("CREATE POLICY p ON t USING (spy())")
    shop.run("INSERT INTO t VALUES (3, 'secret')")
    shop.settle()
    assert "row security protects it now" in (shop.problem() or "")
    with pytest.raises(psycopg.Error, match="row security protects it") as refusal:
        shop.run("SELECT pgduet.watch('t', 'code')")
    assert "copy_protected => true" in (refusal.value.diag.message_hint or "")
    with pytest.raises(psycopg.Error, match="hides its rows") as refusal:
        shop.run("SELECT pgduet.watch('t', 'code', copy_protected => true)")
    assert "BYPASSRLS" in (refusal.value.diag.message_hint or "")
    shop.run("ALTER ROLE pgduet_owner BYPASSRLS")
    try:
        shop.run("SELECT pgduet.watch('t', 'code', copy_protected => true)")
        assert shop.chunks(table) == {"1": "one", "2": "two", "3": "secret"}
    finally:
        shop.run("ALTER ROLE pgduet_owner NOBYPASSRLS")


def test_only_an_admin_who_owns_the_table_can_watch_it_and_pgduet_reads_only_what_it_needs(shop: Shop) -> None:
    shop.run("DROP ROLE IF EXISTS keeper")
    shop.run("CREATE ROLE keeper")
    try:
        shop.run("GRANT CREATE ON SCHEMA public TO keeper")
        shop.run("CREATE SCHEMA closed")
        shop.run("GRANT USAGE, CREATE ON SCHEMA closed TO keeper")
        shop.run("CREATE TABLE foreigners (id int PRIMARY KEY, code text)")
        shop.run("SET ROLE keeper")
        shop.run("CREATE TABLE own (id int PRIMARY KEY, code text, salary int)")
        shop.run("CREATE TABLE closed.own (id int PRIMARY KEY, code text)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.run("SELECT pgduet.watch('own', 'code')")
        shop.run("RESET ROLE")
        shop.run("GRANT pgduet_admin TO keeper")
        shop.run("SET ROLE keeper")
        with pytest.raises(psycopg.Error, match="it belongs to postgres, and you are keeper"):
            shop.run("SELECT pgduet.watch('foreigners', 'code')")
        with pytest.raises(psycopg.Error, match="schema closed is closed to pgduet") as refusal:
            shop.run("SELECT pgduet.watch('closed.own', 'code')")
        assert "GRANT USAGE ON SCHEMA closed TO pgduet_owner" in (refusal.value.diag.message_hint or "")
        assert shop.one("SELECT pgduet.watch('own', 'code')") == "public.own"
        shop.run("INSERT INTO own VALUES (1, 'mine', 5)")
        shop.run("RESET ROLE")
        assert shop.chunks("public.own") == {"1": "mine"}
        assert not shop.one("SELECT has_column_privilege('pgduet_owner', 'own', 'salary', 'SELECT')")
        shop.run("SET ROLE keeper")
        assert shop.one("SELECT pgduet.unwatch('own')") == 1
    finally:
        shop.run("RESET ROLE")
        shop.run("DROP OWNED BY keeper")
        shop.run("DROP ROLE keeper")


def test_the_worker_role_can_do_the_work(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO t VALUES (3, 'three')")
    shop.run("SET ROLE pgduet_worker")
    try:
        reconcile_sources(shop.session)
        shop.settle()
        assert shop.one("SELECT count(*) FROM pgduet.code_chunks") == 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shop.run("SELECT * FROM t")
    finally:
        shop.run("RESET ROLE")


def test_a_dumped_and_restored_database_goes_on_where_it_was(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO t VALUES (3, 'three')")
    dump = subprocess.run(
        [str(find_binaries()["pg_dump"]), shop.database.conninfo], check=True, capture_output=True, text=True
    )
    with new_database(shop.database.cluster) as restored:
        psql = [str(find_binaries()["psql"]), "-q", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-d", restored.conninfo]
        subprocess.run(psql, input=dump.stdout, check=True, text=True, capture_output=True)
        with restored.connect() as session:
            again = Shop(restored, shop.stub, session)
            with again.client:
                again.run("INSERT INTO t VALUES (4, 'four')")
                reconcile_sources(session)
                assert again.chunks(table) == {"1": "one", "2": "two", "3": "three", "4": "four"}
                assert sorted(shop.stub.cut) == ["four", "three"]


def test_unwatching_dropping_and_working_at_once_leave_nothing_behind(shop: Shop) -> None:
    log = shop.database.cluster.log
    before = len(log.read_bytes())
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
    shop.run("INSERT INTO t SELECT g, 'code ' || g FROM generate_series(1, 100) g")
    stop = threading.Event()

    def work(name: int) -> None:
        with shop.database.connect() as session:
            while not stop.is_set():
                work_sources(session, shop.client, f"w{name}", 60)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(work, n) for n in (1, 2)]
        try:
            for _ in range(10):
                shop.run("SELECT pgduet.watch('t', 'code')")
                time.sleep(0.05)
                shop.run("SELECT pgduet.unwatch('t')")
            for _ in range(10):
                shop.run("SELECT pgduet.watch('t', 'code')")
                time.sleep(0.03)
                shop.run("DROP TABLE t")
                shop.run("CREATE TABLE t (id int PRIMARY KEY, code text)")
                shop.run("INSERT INTO t SELECT g, 'code ' || g FROM generate_series(1, 100) g")
            shop.run("SELECT pgduet.watch('t', 'code')")
            shop.run("SELECT pgduet.unwatch('t')")
        finally:
            stop.set()
        for job in jobs:
            job.result()
    for left in ("_watch", "_source", "_source_row", "code_chunks"):
        assert shop.one(f"SELECT count(*) FROM pgduet.{left}") == 0
    assert b"deadlock" not in log.read_bytes()[before:]


def test_the_commands_watch_list_and_unwatch(shop: Shop) -> None:
    def pgduet(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("pgduet")), *arguments, "--dsn", shop.database.conninfo]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return f"{done.returncode} {done.stdout}{done.stderr}"

    assert "no table is watched" in pgduet("watches")
    shop.run('CREATE TABLE "T" (id int PRIMARY KEY, code text, name text)')
    shop.run("INSERT INTO \"T\" VALUES (1, 'one', 'a.py')")
    assert '0 watching; code_chunks.source is public."T"' in pgduet(
        "watch", '"T"', "--content", "code", "--path", "name"
    )
    shop.settle()
    assert pgduet("watches").split()[-6:] == ['public."T"', "1", "0", "0", "0", "1"]
    assert "no column" in pgduet("watch", '"T"', "--content", "cod")
    assert "0 not watched any more; 1 chunks deleted" in pgduet("unwatch", '"T"')
    assert 'relation "nowhere" does not exist' in pgduet("unwatch", "nowhere")
