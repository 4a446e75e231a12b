"""Which schema a database holds, against the one that this package brings."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory

from pgduet.database.errors import SchemaError, readable_errors
from pgduet.database.queries import load_queries
from pgduet.migrations.sql_files import hash_sql_files

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class SchemaStatus:
    """What a database holds against what this package brings.

    `revision` is None where pgduet is not installed; `current` is True where nothing is left to do.
    """

    revision: str | None
    head: str
    version: str | None
    current: bool


def status(connection: Connection) -> SchemaStatus:
    """Compare a database with this package; writes nothing."""
    head = scripts().get_current_head()
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


def require_known(connection: Connection, warn: Callable[..., object] | None = None) -> SchemaStatus:
    """Refuse a database whose tables are not those of this package; return what is installed.

    `warn`, a logger's method, is told of functions of another version. Raises SchemaError with the command that mends
    it; DatabaseError where the database refuses or is lost.
    """
    with readable_errors():
        try:
            found = status(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise SchemaError(
                f"role {connection.info.user} may not see which revision the schema has: {error.diag.message_primary}",
                "make it a member of pgduet_worker; where the schema is older than that right: run `pgduet db migrate`",
            ) from error
    refuse_unknown(found)
    if found.revision is None:
        raise SchemaError(
            'schema "pgduet" does not exist: pgduet is not installed in this database', "run `pgduet db migrate`"
        )
    if found.revision != found.head:
        raise SchemaError(
            f"the database's schema has revision {found.revision}, this pgduet {version('pgduet')} needs {found.head}",
            "run `pgduet db migrate`, then start this again",
        )
    if warn is not None and not found.current:
        warn(
            "the functions in the database are of another version",
            installed=found.version,
            hint="run `pgduet db migrate` with the newest package, and restart workers and trainers of older ones",
        )
    return found


def refuse_unknown(found: SchemaStatus) -> None:
    """Refuse a schema that a later version made; raises SchemaError."""
    known = {script.revision for script in scripts().walk_revisions()}
    if found.revision is not None and found.revision not in known:
        raise SchemaError(
            f"the database's schema has revision {found.revision}, which this pgduet {version('pgduet')} does not know",
            "upgrade the pgduet package: the database was installed by a later version",
        )


def alembic_config(output: Any = None) -> Config:
    """Return Alembic's configuration; what it prints in offline mode goes to `output`."""
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(files("pgduet.migrations")))
    config.set_main_option("path_separator", "os")
    return config


def scripts() -> ScriptDirectory:
    """Return the revisions that this package brings."""
    return ScriptDirectory.from_config(alembic_config())


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def _queries() -> dict[str, LiteralString]:
    return load_queries("install", "pgduet.migrations")
