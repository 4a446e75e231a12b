"""Dump and restore with the sidecar down: everything comes back bit for bit, and nothing is embedded again."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fix_database import Connection, Database, new_database
from fix_dumps import dump, fingerprints, restore, run_program
from fix_sidecar import open_directory
from fix_vectors import WIDTH, load_vectors, structured
from fix_watch import CuttingStub
from pgduet.database.connection import connect
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import migrate
from pgduet.migrations.keeper.build import build_index
from pgduet.migrations.keeper.lexical import keep_lexical
from pgduet.migrations.keeper.policy import Plan, wanted_lists
from pgduet.migrations.keeper.state import read_policy, read_states
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar

PENDING = ["def four(): pass", "def five(): pass"]


def work(database: Database) -> None:
    Worker(lambda: connect(database.conninfo, autocommit=True), Options(index=False)).run(once=True)


def build(connection: Connection, lists: int) -> None:
    """Build the index on sketches with so many lists, whatever the keeper would choose."""
    (state,) = read_states(connection)
    build_index(connection, state, Plan("sketch", lists, 64, ""), most_mb=2048, reason="it is the first")


@pytest.fixture(scope="module", params=[pytest.param("public", marks=pytest.mark.slow), "Ext ra"])
def source(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Database]:
    """Give a database in use: vectors, both indexes, a watch, changed settings, a queue; the sidecar is gone."""
    with new_database(cluster) as database, database.connect() as session:
        if request.param != "public":
            session.execute(f'CREATE SCHEMA "{request.param}"; CREATE EXTENSION vector SCHEMA "{request.param}"')
        migrate(session)
        load_vectors(session, structured(250))
        for key, value in {"trigger_mode": "queue", "batch_texts": "32", "lexical_index": "on"}.items():
            write_setting(session, key, value)
        session.execute("CREATE TABLE note (id int PRIMARY KEY, body text); SELECT pgduet.watch('note', 'body')")
        session.execute("INSERT INTO note VALUES (1, 'def one(): pass'), (2, 'def two(): pass'), (3, NULL)")
        with open_directory() as folder, CuttingStub(f"unix:{folder}/stub.sock") as stub:
            write_setting(session, "sidecar_address", stub.address)
            work(database)
        build(session, 10)
        keep_lexical(session, read_policy(session))
        session.execute("INSERT INTO note VALUES (4, 'def four(): pass')")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('def five(): pass')")
        session.execute("UPDATE pgduet._setting SET value = 'auto' WHERE key = 'trigger_mode'")
        yield database


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Database]:
    with new_database(cluster) as database:
        yield database


def check_restored(source: Database, target: Database, folder: Path) -> None:
    """Check that all is there, and that a worker then sends what waited before, and nothing else."""
    assert fingerprints(target) == fingerprints(source)
    with target.connect() as session, CuttingStub(f"unix:{folder}/stub.sock") as stub:
        write_setting(session, "sidecar_address", stub.address)
        assert session.execute("SELECT count(*) FROM pgduet.similar_code('def one(): pass', k => 3)").fetchone() == (3,)
        stub.requests.clear()
        work(target)
        assert sorted(text for request in stub.requests for text in request.contents) == sorted(PENDING)
        assert session.execute("SELECT sum(pending) FROM pgduet.coverage").fetchone() == (0,)
        # Triggers are there and work.
        session.execute("INSERT INTO note VALUES (5, 'def six(): pass')")
        work(target)
        assert stub.requests[-1].contents == ("def six(): pass",)


def test_a_full_restore_is_the_same_bit_for_bit(source: Database, target: Database, folder: Path) -> None:
    restore(dump(source, folder / "all.dump"), target)
    check_restored(source, target, folder)
    run_program("psql", "--quiet", "--dbname", target.conninfo, "--command", f'REINDEX DATABASE "{target.name}"')
    with target.connect() as session:
        assert session.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_schema_first_and_then_data_queues_nothing_again(source: Database, target: Database, folder: Path) -> None:
    file = dump(source, folder / "all.dump")
    restore(file, target, "--schema-only")
    restore(file, target, "--data-only")
    check_restored(source, target, folder)


def test_a_plain_dump_through_psql_is_the_same(source: Database, target: Database, folder: Path) -> None:
    file = dump(source, folder / "all.sql", "-Fp", "--rows-per-insert=100")
    run_program("psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", target.conninfo, "--file", str(file))
    assert fingerprints(target) == fingerprints(source)


def test_a_session_that_is_no_restore_is_not_taken_for_one(stub_database: Database, stub: StubSidecar) -> None:
    with stub_database.connect() as session:
        session.execute("SET check_function_bodies = off")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one')")
        assert [request.contents for request in stub.requests] == [("one",)]


def load_many(session: Connection, rows: int) -> None:
    """Store valid vectors that are short as text: sixteen of their numbers are a quarter, the others nothing."""
    draw = np.random.default_rng(1)
    for _ in range(0, rows, 2000):
        vectors = np.zeros((2000, WIDTH), dtype=np.float32)
        vectors[np.arange(2000)[:, None], draw.integers(0, WIDTH // 16, (2000, 16)) + np.arange(16) * 160] = 0.25
        load_vectors(session, vectors)


@pytest.mark.parametrize(
    ("rows", "lists"), [(4000, 3000), pytest.param(80_000, wanted_lists(80_000), marks=pytest.mark.slow)]
)
def test_an_index_that_needs_more_than_the_default_memory_is_restored_with_the_setting_that_is_documented(
    database: Database, target: Database, folder: Path, rows: int, lists: int
) -> None:
    """PostgreSQL's default of maintenance_work_mem is 64 MB; docs/operations.md names the setting."""
    with database.connect() as session:
        load_many(session, rows)
        build(session, lists)
    file = dump(database, folder / "all.dump", "--compress=0")
    restore(file, target, "--section=pre-data", "--section=data")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        restore(file, target, "--section=post-data", "--single-transaction")
    assert "maintenance_work_mem is 64 MB" in caught.value.stderr
    restore(file, target, "--section=post-data", settings="-c maintenance_work_mem=1GB")
    assert fingerprints(target)["indexes"] == fingerprints(database)["indexes"]
    assert fingerprints(target)["vectors"] == fingerprints(database)["vectors"]
