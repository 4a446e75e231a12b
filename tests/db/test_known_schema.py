"""Commands against a schema that this release does not know: refused before they do anything, unless they mend it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from typer.testing import CliRunner, Result

from fix_database import Database, new_database
from fix_dumps import fingerprints, run_program
from fix_roles import login
from page_commands import leaves, tree
from pgduet.cli import main
from pgduet.database.errors import SchemaError
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import alembic_config
from pgduet.migrations.schema import revisions

RELEASE = Path(__file__).parent / "releases/0.1.0.sql"
MIGRATE, UPGRADE = "run `pgduet db migrate`", "upgrade the pgduet package"
# They mend a schema, report on it or remove it, whichever it is.
ANY_SCHEMA = {"db migrate", "db roles", "db status", "db uninstall", "doctor", "status"}
# It looks as pgduet_reader, to whom the first release did not show the revision.
AS_READER, HIDDEN = "ui --host 256.256.256.256", "may not see which revision the schema has: permission denied"
# What each of the others is called with; {folder} is empty, and stays so. None of them would go on for ever.
REFUSED = (
    "db index",
    "db set notify off",
    "evaluate --table",
    "evaluate --queries {files}/q --codes {files}/c --model active",
    "finetune tuned --models-dir {folder}",
    "generation add other",
    "generation drop small --yes",
    "generation list",
    "generation promote small --force --reason because",
    "generation retire small",
    "generation rollback",
    "generation status small",
    "generation wait small --timeout 0",
    "ingest {files}",
    "mine",
    "models shrink small less --int8 --humaneval --add --models-dir {folder}",
    "search words",
    "trainer --once --models-dir {folder}",
    AS_READER,
    "unwatch note",
    "watch note --content body",
    "watches",
    "worker --once",
)


@pytest.fixture(scope="module")
def older(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database as the first release left it; `template` has made the roles."""
    with new_database(cluster) as database:
        settings = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
        run_program("psql", *settings, "--dbname", database.conninfo, "--file", str(RELEASE))
        yield database


@pytest.fixture
def newer(database: Database) -> Database:
    """Give a database as a later release would leave it."""
    with database.connect() as connection:
        connection.execute("UPDATE pgduet._migration SET version_num = '9999'")
    return database


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Make the folders that commands are called with."""
    files, folder = tmp_path / "files", tmp_path / "folder"
    files.mkdir()
    folder.mkdir()
    (files / "q").write_text('{"query": "add", "code_id": 1}\n')
    (files / "c").write_text('{"code_id": 1, "code": "a + b"}\n')
    (files / "new.py").write_text("def f(): pass\n")
    return {"files": files, "folder": folder}


def run(conninfo: str, *words: str) -> Result:
    tree()
    return CliRunner().invoke(main.app, [*words, "--dsn", conninfo])


def check_refused(database: Database, places: dict[str, Path], message: str, remedy: str) -> None:
    before = fingerprints(database)
    for command in REFUSED:
        error = run(database.conninfo, *command.format(**places).split()).exception
        assert isinstance(error, SchemaError), (command, error)
        assert message in str(error) or (HIDDEN in str(error) and command == AS_READER), command
        assert remedy in error.hint, command
    assert fingerprints(database) == before
    assert list(places["folder"].iterdir()) == []


def test_every_command_on_a_database_is_tried_here() -> None:
    on_database = {
        one.words.removeprefix("pgduet ") for one in leaves() if any("--dsn" in name for name, _ in one.options())
    }
    tried = {words for words in on_database if any(f"{command} ".startswith(f"{words} ") for command in REFUSED)}
    assert tried | ANY_SCHEMA == on_database
    assert not tried & ANY_SCHEMA


def test_a_schema_that_was_not_migrated_yet_is_refused(older: Database, places: dict[str, Path]) -> None:
    check_refused(older, places, f"needs {revisions()[-1]}", MIGRATE)


def test_a_schema_of_a_later_release_is_refused(newer: Database, places: dict[str, Path]) -> None:
    check_refused(newer, places, "revision 9999, which this pgduet", UPGRADE)


def test_a_database_without_pgduet_is_refused(empty_database: Database) -> None:
    for command in ("mine", "search words", "ingest .", "db set notify off"):
        error = run(empty_database.conninfo, *command.split()).exception
        assert isinstance(error, SchemaError), command
        assert "pgduet is not installed in this database" in str(error)
        assert error.hint == MIGRATE


def test_reports_name_the_remedy_and_migrating_brings_all_commands_back(older: Database, newer: Database) -> None:
    for database, remedy in ((older, MIGRATE), (newer, UPGRADE)):
        told = run(database.conninfo, "db", "status")
        assert told.exit_code == 1
        assert f"not current: {remedy}" in told.output
        told = run(database.conninfo, "doctor")
        assert told.exit_code == 1
        (schema,) = [number for number, line in enumerate(told.output.splitlines()) if "fail  schema" in line]
        assert remedy in told.output.splitlines()[schema + 1]
    for database in (older, newer):
        assert "generations" in run(database.conninfo, "status").output
    assert "this pgduet" in str(run(newer.conninfo, "db", "migrate").exception)
    assert run(older.conninfo, "db", "migrate").exit_code == 0
    assert "small" in run(older.conninfo, "generation", "list").output


def test_a_reader_may_search_and_who_may_nothing_is_told_what_to_become(stub_database: Database) -> None:
    with login(stub_database, "pgduet_reader") as reader:
        assert run(f"{stub_database.conninfo} user={reader.info.user}", "search", "words").exit_code == 0
    with login(stub_database, None) as session:
        stranger = f"{stub_database.conninfo} user={session.info.user}"
        error = run(stranger, "search", "words").exception
        assert isinstance(error, SchemaError)
        assert HIDDEN in str(error)
        assert "pgduet_reader" in error.hint
        assert "fail  schema" in run(stranger, "doctor").output


def test_revisions_are_those_that_alembic_runs() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert [script.revision for script in scripts.walk_revisions()] == revisions()[::-1]
