"""Installs and upgrades the schema."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib.metadata import version
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from psycopg import sql

from pgduet.database.connection import is_pooled
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError
from pgduet.migrations.roles import create_roles, require_superuser, role_statements
from pgduet.migrations.schema import SchemaStatus, refuse_unknown, status
from pgduet.migrations.sql_files import hash_sql_files, read_sql_files

Connection = psycopg.Connection[Any]

# Held for the session while a schema changes, so that two installers wait for each other. Any fixed number does.
_LOCK = 7096_2560

# A superuser's session meets what others made in `public`: a function or an operator that suits a call better than the
# server's own would run with all rights.
_PINNED = "SET search_path = pg_catalog, pg_temp"

# Alembic keeps what it is at in a global: one thread of a process at a time.
_alembic = threading.Lock()


def migrate(connection: Connection, model: str = "small") -> SchemaStatus:
    """Bring the schema up to this package's version; do nothing that is done already.

    `model` names the duet of the first generation and is ignored once there is one. The connection is a direct
    one of a superuser (PL/Python is an untrusted language), in autocommit mode. Raises PgduetError. Whatever ends it
    early, what was done stays whole, and the next call goes on from there.
    """
    with changing_schema(connection):
        refuse_unknown(status(connection))
        with readable_errors():
            connection.execute(_queries()["require_utf8"])
        create_roles(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS pgduet")
        _run_revisions(connection)
        _apply_sql_files(connection, model)
    return status(connection)


def migration_script(model: str = "small") -> str:
    """Return everything that `migrate` runs on an empty database as SQL for review and for psql."""
    output = io.StringIO()
    with _alembic, redirect_stdout(output):
        command.upgrade(alembic_config(output), "head", sql=True)
    parts = [
        "\\set ON_ERROR_STOP on",
        f"{_PINNED};",
        _queries()["require_utf8"],
        role_statements(),
        output.getvalue(),
        "BEGIN;",
        *read_sql_files().values(),
    ]
    parts += [_after_sql_files(model).as_string(), "COMMIT;"]
    return "\n".join(parts) + "\n"


@contextmanager
def changing_schema(connection: Connection) -> Iterator[None]:
    """Let nobody else change this database's schema inside the block, and nothing that others made run.

    Raises PgduetError through a pooler, and for a role that is no superuser.
    """
    if is_pooled(connection):
        raise PgduetError(
            "the schema cannot be changed through a pooler: each statement may reach another session",
            hint="name the server itself: --dsn 'host=... port=5432'",
        )
    connection.execute(_PINNED)
    try:
        require_superuser(connection)
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("SET client_min_messages = warning")
        yield
    finally:
        # A session that is lost has lost both, and its own error says more.
        with suppress(psycopg.OperationalError):
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
            connection.execute("RESET client_min_messages")
            connection.execute("RESET search_path")


def alembic_config(output: Any = None) -> Config:
    """Return Alembic's configuration; what it prints in offline mode goes to `output`."""
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(files("pgduet.migrations")))
    config.set_main_option("path_separator", "os")
    return config


def _queries() -> dict[str, LiteralString]:
    return load_queries("install", "pgduet.migrations")


def _run_revisions(connection: Connection) -> None:
    """Run what is missing through Alembic, one transaction for each revision, on a second connection like this one."""
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: _connect_pinned(parameters))
    try:
        with _alembic, engine.connect() as bind:
            config = alembic_config()
            config.attributes["connection"] = bind
            command.upgrade(config, "head")
            bind.commit()
    except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
        raise _first_error(error) from error
    finally:
        engine.dispose()


def _connect_pinned(parameters: dict[str, Any]) -> Connection:
    connection = psycopg.connect(**parameters)
    connection.execute(_PINNED)
    connection.commit()
    return connection


def _first_error(error: BaseException) -> BaseException:
    """Return the driver's error that came first: of a session that ended, SQLAlchemy only says that it is lost."""
    first = error
    while error.__context__ is not None:
        error = error.__context__
        first = error if isinstance(error, psycopg.Error) else first
    return first


def _apply_sql_files(connection: Connection, model: str) -> None:
    with connection.transaction():
        for name, text in read_sql_files().items():
            try:
                connection.execute(text.encode())
            except psycopg.errors.DependentObjectsStillExist as error:
                raise PgduetError(error.diag.message_primary or str(error), error.diag.message_hint or "") from error
            except (psycopg.OperationalError, psycopg.errors.QueryCanceled):
                raise
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
