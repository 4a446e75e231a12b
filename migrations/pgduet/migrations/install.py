"""Installs, upgrades, describes and removes the schema."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError
from pgduet.migrations.sql_files import hash_sql_files, read_sql_files

Connection = psycopg.Connection[Any]

# Held for the session while a schema changes, so that two installers wait for each other. Any fixed number does.
_LOCK = 7096_2560

# A superuser's session meets what others made in `public`: a function or an operator that suits a call better than the
# server's own would run with all rights.
_PINNED = "SET search_path = pg_catalog, pg_temp"

_ROLES = ("pgduet_owner", "pgduet_reader", "pgduet_writer", "pgduet_admin", "pgduet_worker")


@dataclass(frozen=True)
class SchemaStatus:
    """What a database holds against what this package brings.

    `revision` is None where pgduet is not installed; `current` is True where nothing is left to do.
    """

    revision: str | None
    head: str
    version: str | None
    current: bool


def migrate(connection: Connection, model: str = "small") -> SchemaStatus:
    """Bring the schema up to this package's version; do nothing that is done already.

    `model` names the duet of the first generation and is ignored once there is one. The connection is a direct
    one of a superuser (PL/Python is an untrusted language), in autocommit mode. Raises PgduetError.
    """
    with _pinned_path(connection):
        _require_superuser(connection)
        _refuse_unknown_revision(connection)
        with readable_errors():
            connection.execute(_queries()["require_utf8"])
        _migrate_alone(connection, model)
        return status(connection)


def _migrate_alone(connection: Connection, model: str) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        connection.execute("SET client_min_messages = warning")
        connection.execute("CREATE SCHEMA IF NOT EXISTS pgduet")
        _run_revisions(connection)
        _apply_sql_files(connection, model)
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
        connection.execute("RESET client_min_messages")


@contextmanager
def _pinned_path(connection: Connection) -> Iterator[None]:
    connection.execute(_PINNED)
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            connection.execute("RESET search_path")


def migration_script(model: str = "small") -> str:
    """Return everything that `migrate` runs on an empty database as SQL for review and for psql."""
    output = io.StringIO()
    with redirect_stdout(output):
        command.upgrade(_config(output), "head", sql=True)
    parts = [
        "\\set ON_ERROR_STOP on",
        f"{_PINNED};",
        _queries()["require_utf8"],
        output.getvalue(),
        "BEGIN;",
        *read_sql_files().values(),
    ]
    parts += [_after_sql_files(model).as_string(), "COMMIT;"]
    return "\n".join(parts) + "\n"


def status(connection: Connection) -> SchemaStatus:
    """Compare a database with this package; writes nothing."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    revision = installed = installed_hash = None
    if _exists(connection, "pgduet._migration"):
        row = connection.execute("SELECT version_num FROM pgduet._migration").fetchone()
        revision = row[0] if row else None
    if _exists(connection, "pgduet._installation"):
        row = connection.execute(_queries()["last"]).fetchone()
        installed, installed_hash = row or (None, None)
    current = revision == head and installed_hash == hash_sql_files()
    return SchemaStatus(revision=revision, head=head, version=installed, current=current)


def uninstall(connection: Connection) -> list[str]:
    """Drop the schema with everything in it, then the roles that no other database needs.

    Returns the roles that had to stay. The extensions stay: others may use them.
    """
    with _pinned_path(connection):
        return _uninstall(connection)


def _uninstall(connection: Connection) -> list[str]:
    _require_superuser(connection)
    connection.execute("SET client_min_messages = warning")
    connection.execute("DROP SCHEMA IF EXISTS pgduet CASCADE")
    kept = []
    for (role,) in connection.execute(_queries()["roles"], {"roles": list(_ROLES)}).fetchall():
        name = sql.Identifier(role)
        # What somebody made outside the schema as one of the roles is not ours to drop.
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        try:
            connection.execute(sql.SQL("DROP ROLE {}").format(name))
        except psycopg.errors.DependentObjectsStillExist:
            kept.append(role)
    return kept


def _queries() -> dict[str, LiteralString]:
    return load_queries("install", "pgduet.migrations")


def _config(output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(files("pgduet.migrations")))
    config.set_main_option("path_separator", "os")
    return config


def _run_revisions(connection: Connection) -> None:
    """Run what is missing through Alembic, one transaction for each revision, on a second connection like this one."""
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: _connect_pinned(parameters))
    try:
        with engine.connect() as bind:
            config = _config()
            config.attributes["connection"] = bind
            command.upgrade(config, "head")
            bind.commit()
    finally:
        engine.dispose()


def _connect_pinned(parameters: dict[str, Any]) -> Connection:
    connection = psycopg.connect(**parameters)
    connection.execute(_PINNED)
    connection.commit()
    return connection


def _apply_sql_files(connection: Connection, model: str) -> None:
    with connection.transaction():
        for name, text in read_sql_files().items():
            try:
                connection.execute(text.encode())
            except psycopg.errors.DependentObjectsStillExist as error:
                raise PgduetError(error.diag.message_primary or str(error), error.diag.message_hint or "") from error
            except psycopg.Error as error:
                raise PgduetError(
                    f"sql/{name} failed: {error}",
                    hint="nothing was changed; a function of another signature is left from a development version "
                    "or was made by hand: drop it, then run this again",
                ) from error
        connection.execute(_after_sql_files(model))


def _after_sql_files(model: str) -> sql.Composed:
    return sql.SQL(_queries()["after"]).format(
        model=sql.Literal(model), version=sql.Literal(version("pgduet")), sql_hash=sql.Literal(hash_sql_files())
    )


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def _require_superuser(connection: Connection) -> None:
    row = connection.execute("SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user").fetchone()
    if not row or not row[0]:
        raise PgduetError(
            f"role {row[1] if row else '?'} is no superuser: PL/Python functions can be made by superusers only",
            hint="connect as one, for example with PGUSER=postgres, or give the output of "
            "`pgduet db migrate --sql` to your DBA",
        )


def _refuse_unknown_revision(connection: Connection) -> None:
    found = status(connection).revision
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise PgduetError(
            f"the database's schema has revision {found}, which this pgduet {version('pgduet')} does not know",
            hint="upgrade the pgduet package: the database was installed by a later version",
        )
