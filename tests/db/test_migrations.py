"""Migrations that people run twice, at once, interrupted, on data, through a pooler; and back."""

import hashlib
import re
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
import typer
from typer.testing import CliRunner, Result

from fix_cluster import REPOSITORY, ClusterFactory
from fix_database import Connection, Database, new_database
from fix_dumps import dump_schema, fingerprints, run_program
from fix_pooler import pooled
from fix_vectors import load_vectors, structured
from pgduet.cli import db
from pgduet.database.connection import connect
from pgduet.database.errors import DatabaseError, SchemaError
from pgduet.errors import PgduetError
from pgduet.local.accounts import server_account
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import migrate
from pgduet.migrations.keeper.build import build_index
from pgduet.migrations.keeper.policy import Plan
from pgduet.migrations.keeper.state import read_states
from pgduet.migrations.removal import remove_code, uninstall
from pgduet.migrations.roles import ROLES, create_roles
from pgduet.migrations.schema import require_known, status
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar

RELEASES = Path(__file__).parent / "releases"
VERSIONS = REPOSITORY / "migrations/pgduet/migrations/versions"

# Ends the session at the command with this number, counted over all sessions: as a lost connection would.
INTERRUPT = """
CREATE SCHEMA trap;
CREATE SEQUENCE trap.commands;
CREATE TABLE trap.ends (command bigint);
CREATE FUNCTION trap.spring() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  v_command bigint := nextval('trap.commands');
BEGIN
  IF EXISTS (SELECT FROM trap.ends e WHERE e.command = v_command) THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
    PERFORM pg_sleep(10);
  END IF;
END $$;
CREATE EVENT TRIGGER spring ON ddl_command_start EXECUTE FUNCTION trap.spring();
"""
LEFT = (
    "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT d.classid::regclass::text, d.objid FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
    " JOIN pg_database b ON b.oid = d.dbid WHERE r.rolname LIKE 'pgduet%' AND b.datname = current_database()",
    "SELECT attrelid::regclass FROM pg_attribute WHERE attacl::text LIKE '%pgduet%'",
    "SELECT relname FROM pg_class WHERE relacl::text LIKE '%pgduet%'",
    "SELECT nspname FROM pg_namespace WHERE nspacl::text LIKE '%pgduet%' OR nspname = 'pgduet'",
    "SELECT setconfig FROM pg_db_role_setting WHERE setconfig::text LIKE '%pgduet%'",
    "SELECT defaclobjtype FROM pg_default_acl",
)
FORGET = "DROP EVENT TRIGGER spring; DROP SCHEMA trap CASCADE"


def call(conninfo: str, *words: str, answer: str | None = None) -> Result:
    """Call a command of `pgduet db` in this process."""
    commands = typer.Typer()
    db.register(commands)
    return CliRunner().invoke(commands, ["db", *words, "--dsn", conninfo], input=answer)


def fill(connection: Connection) -> None:
    """Store chunks with vectors, an index over them, and a row that waits."""
    load_vectors(connection, structured(120))
    (state,) = read_states(connection)
    build_index(connection, state, Plan("sketch", 5, 64, ""), most_mb=64, reason="it is the first")
    connection.execute("SET pgduet.trigger_mode = 'queue'")
    connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('waits')")


def test_twelve_at_once_in_two_databases_of_one_cluster_all_pass(cluster: Cluster, database: Database) -> None:
    with ExitStack() as stack:
        new = [stack.enter_context(new_database(cluster)) for _ in range(2)]
        for one in new:
            stack.callback(uninstall_all, one)
        failures: list[BaseException] = []

        def run(one: Database) -> None:
            try:
                with one.connect() as connection:
                    assert migrate(connection).current
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=run, args=(new[number % 2],)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        for one in new:
            assert dump_schema(one) == dump_schema(database)
            with one.connect() as connection:
                assert connection.execute("SELECT count(*) FROM pgduet._installation").fetchone() == (1,)
                assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def uninstall_all(database: Database) -> None:
    with database.connect() as connection:
        uninstall(connection)


def test_roles_are_made_once_by_many_and_again_changes_nothing(cluster_factory: ClusterFactory) -> None:
    """In a cluster of its own: the roles of the shared one are in use."""
    fresh = cluster_factory([])
    made: list[str] = []
    failures: list[BaseException] = []

    def run(dbname: str) -> None:
        try:
            with psycopg.connect(fresh.conninfo(dbname), autocommit=True) as connection:
                made.extend(create_roles(connection))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(("postgres", "template1")[number % 2],)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(made) == set(ROLES)
    with psycopg.connect(fresh.conninfo(), autocommit=True) as connection:
        assert create_roles(connection) == []
        memberships = connection.execute(
            "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members"
            " WHERE member::regrole::text LIKE 'pgduet%' ORDER BY 1, 2"
        ).fetchall()
        assert memberships == [
            ("pgduet_reader", "pgduet_worker"),
            ("pgduet_reader", "pgduet_writer"),
            ("pgduet_writer", "pgduet_admin"),
        ]
        connection.execute("CREATE ROLE plain; SET SESSION AUTHORIZATION plain")
        with pytest.raises(PgduetError, match="no superuser"):
            create_roles(connection)


def test_interrupted_at_every_step_the_next_run_goes_on(empty_database: Database, database: Database) -> None:
    steps = len(list(VERSIONS.glob("*.sql")))
    with empty_database.connect() as admin:
        # Their scripts are hundreds of commands, all of one step.
        admin.execute("CREATE EXTENSION vector; CREATE EXTENSION plpython3u")
        admin.execute(INTERRUPT)
        seen: list[str | None] = []
        further = 3
        for _ in range(80):
            # Further and further into a step, and into the next one from its beginning.
            admin.execute("INSERT INTO trap.ends SELECT nextval('trap.commands') + %s", (further,))
            with suppress(psycopg.errors.AdminShutdown), empty_database.connect() as connection:
                migrate(connection)
                break
            found = status(admin)
            assert not found.current
            further = round(1.6 * further) if found.revision in seen else 3
            seen.append(found.revision)
        assert status(admin).current
        assert len(set(seen)) >= steps, f"too few steps were interrupted: {seen}"
        admin.execute(FORGET)
        assert admin.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
    assert dump_schema(empty_database) == dump_schema(database)


def test_an_interrupted_migration_is_told_in_the_servers_words(empty_database: Database) -> None:
    with empty_database.connect() as admin:
        admin.execute(INTERRUPT + "INSERT INTO trap.ends VALUES (3)")
        result = call(empty_database.conninfo, "migrate")
        assert isinstance(result.exception, DatabaseError)
        assert "terminating connection" in str(result.exception)
        assert call(empty_database.conninfo, "migrate").exit_code == 0
        admin.execute(FORGET)


def test_a_pooler_is_refused_with_the_way_out(database: Database, folder: Path) -> None:
    with pooled(database, folder) as pooler:
        for command in (["migrate"], ["uninstall", "--yes"], ["uninstall", "--keep-data"]):
            result = call(pooler.conninfo, *command)
            assert result.exit_code == 1
            assert "through a pooler" in str(result.exception)
        with connect(pooler.conninfo, autocommit=True) as connection:
            assert require_known(connection).current
        assert Path(f"/proc/{pooler.pid}").stat().st_uid == server_account().uid


def test_again_on_a_full_table_and_down_and_up_again_loses_nothing(stub_database: Database, stub: StubSidecar) -> None:
    database = stub_database
    schema = dump_schema(database)
    with database.connect() as connection:
        connection.execute("CREATE TABLE note (id int PRIMARY KEY, body text)")
        connection.execute("SELECT pgduet.watch('note', 'body')")
        fill(connection)
        with_data = dump_schema(database)
        before = fingerprints(database)
        migrate(connection)
        assert fingerprints(database) == before
        remove_code(connection)
        functions = connection.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'pgduet'::regnamespace ORDER BY 1"
        ).fetchall()
        assert functions == [("_content_hash",), ("_guard_files",), ("_wake",), ("_watch_1",)]
        assert not status(connection).current
        del before["version"]
        assert {name: value for name, value in fingerprints(database).items() if name != "version"} == before
        connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('unseen')")
        connection.execute("INSERT INTO note VALUES (1, 'seen')")
        remove_code(connection)
        assert migrate(connection).current
        assert dump_schema(database) == with_data != schema
        Worker(lambda: connect(database.conninfo, autocommit=True), Options(index=False)).run(once=True)
        texts = sorted(text for request in stub.requests for text in request.contents)
        assert texts == ["seen", "unseen", "waits"]


def test_what_others_built_on_the_code_stops_its_removal(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE VIEW mine AS SELECT * FROM pgduet.coverage")
        with pytest.raises(PgduetError, match=r"view public\.mine depends on") as caught:
            remove_code(connection)
        assert "pg_get_viewdef" in caught.value.hint
        assert status(connection).current


def test_uninstalling_through_the_command_asks_and_no_means_no(database: Database) -> None:
    assert call(database.conninfo, "uninstall", answer="n\n").exit_code == 1
    with database.connect() as connection:
        assert status(connection).current


def test_uninstalling_leaves_no_object_no_right_and_no_setting(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE note (id int PRIMARY KEY, body text); SELECT pgduet.watch('note', 'body')")
        uninstall(connection)
        assert connection.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").fetchall() == []
        for query in LEFT:
            assert connection.execute(query.encode()).fetchall() == [], query


def test_a_worker_refuses_a_schema_that_it_does_not_know(database: Database) -> None:
    with database.connect() as connection:
        for revision, words in [("9999", "upgrade the pgduet package"), ("0001", "run `pgduet db migrate`")]:
            connection.execute("UPDATE pgduet._migration SET version_num = %s", (revision,))
            with pytest.raises(SchemaError, match=f"revision {revision}") as caught:
                Worker(lambda: connect(database.conninfo, autocommit=True), Options()).run()
            assert words in caught.value.hint


def test_a_worker_on_a_database_without_pgduet_says_so(empty_database: Database) -> None:
    with pytest.raises(SchemaError, match="not installed") as caught:
        Worker(lambda: connect(empty_database.conninfo, autocommit=True), Options()).run()
    assert "pgduet db migrate" in caught.value.hint


def test_the_workers_role_may_see_the_revision(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("SET ROLE pgduet_worker")
        assert require_known(connection).current
        connection.execute("RESET ROLE; REVOKE SELECT ON pgduet._migration FROM pgduet_reader; SET ROLE pgduet_worker")
        with pytest.raises(SchemaError, match="may not see") as caught:
            require_known(connection)
        assert "pgduet db migrate" in caught.value.hint


def test_the_server_refuses_functions_of_another_version(stub_database: Database) -> None:
    """What the functions ask for and what the package brings is one number, counted up when they part."""
    text = (REPOSITORY / "sql/pgduet/sql/010_context.sql").read_text()
    other, found = re.subn(r'"INTERFACE", None\) != \d+', '"INTERFACE", None) != 999', text)
    assert found == 1
    with stub_database.connect() as connection:
        connection.execute("SELECT pgduet.embed('x')")
        connection.execute(other.encode())
    with stub_database.connect() as connection:
        with pytest.raises(psycopg.Error, match="does not know the functions") as caught:
            connection.execute("SELECT pgduet.embed('x')")
        assert caught.value.sqlstate == "55000"
        assert "pgduet db migrate" in (caught.value.diag.message_hint or "")
        rows = connection.execute("SELECT status, detail FROM pgduet.health() WHERE component = 'backend'").fetchall()
        assert rows[0][0] == "fail"


def test_released_revisions_stay_as_they_were() -> None:
    """A database that ran one will never run it again: what must change comes in a new one."""
    released = dict(line.split("  ")[::-1] for line in (RELEASES / "revisions.sha256").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VERSIONS.glob("0*")}
    assert {name: found.get(name) for name in released} == released
    unreleased = sorted(set(found) - set(released))
    assert all(name > max(released) for name in unreleased), "a revision that comes before a released one"


@pytest.mark.parametrize("release", sorted(RELEASES.glob("*.sql")), ids=lambda path: path.stem)
def test_every_released_version_can_be_upgraded(release: Path, empty_database: Database, database: Database) -> None:
    run_program("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", empty_database.conninfo,
                "--file", str(release))  # fmt: skip
    same = ("chunks", "vectors", "queue", "watches", "failures", "builds")
    before = {name: value for name, value in fingerprints(empty_database).items() if name in same}
    with empty_database.connect() as connection:
        settings = dict(connection.execute("SELECT key, value FROM pgduet._setting").fetchall())
        assert migrate(connection).current
        after = dict(connection.execute("SELECT key, value FROM pgduet._setting").fetchall())
    assert {name: value for name, value in fingerprints(empty_database).items() if name in same} == before
    assert {key: after.get(key) for key in settings} == settings
    with empty_database.connect() as connection:
        # What the data brought along: a watch and an index.
        connection.execute("SELECT pgduet.unwatch('note')")
        connection.execute("DROP INDEX pgduet.code_embeddings_g1_sketch_ivfflat_1")
    assert dump_schema(empty_database) == dump_schema(database)
