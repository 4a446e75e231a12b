"""Which schema a database holds, against the one that this package brings."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, LiteralString

import psycopg

from pgduet.database.errors import SchemaError, readable_errors
from pgduet.database.queries import load_queries
from pgduet.migrations.sql_files import hash_sql_files

Connection = psycopg.Connection[Any]

_REVISION = re.compile(r"(\d{4})_\w+\.py")
_MIGRATE = "run `pgduet db migrate`"
_UPGRADE = "upgrade the pgduet package: the database was installed by a later version"


@dataclass(frozen=True)
class SchemaStatus:
    """What a database holds against what this package brings.

    `revision` is None where pgduet is not installed; `current` is True where nothing is left to do.
    """

    revision: str | None
    head: str
    version: str | None
    current: bool

    @property
    def is_from_later(self) -> bool:
        """Tell whether a later version made it."""
        return self.revision is not None and self.revision not in revisions()

    @property
    def remedy(self) -> str:
        """Say what brings database and package together, empty where they are."""
        return "" if self.current else _UPGRADE if self.is_from_later else _MIGRATE


def status(connection: Connection) -> SchemaStatus:
    """Compare a database with this package; writes nothing.

    Raises SchemaError where the role may not look, DatabaseError where the database refuses or is lost.
    """
    with readable_errors():
        try:
            return _status(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise SchemaError(
                f"this session's role may not see which revision the schema has: {error.diag.message_primary}",
                "make it a member of pgduet_reader, or of the role that its work takes; where the schema is older than "
                f"that right: {_MIGRATE}",
            ) from error


def require_known(connection: Connection, warn: Callable[..., object] | None = None) -> SchemaStatus:
    """Refuse a database whose tables are not those of this package; return what is installed.

    `warn`, a logger's method, is told of functions of another version. Raises SchemaError with the command that mends
    it; DatabaseError where the database refuses or is lost.
    """
    found = status(connection)
    refuse_unknown(found)
    if found.revision is None:
        raise SchemaError('schema "pgduet" does not exist: pgduet is not installed in this database', _MIGRATE)
    if found.revision != found.head:
        raise SchemaError(
            f"the database's schema has revision {found.revision}, this pgduet {version('pgduet')} needs {found.head}",
            f"{_MIGRATE}, then start this again",
        )
    if warn is not None and not found.current:
        warn(
            "the functions in the database are of another version",
            installed=found.version,
            hint=f"{_MIGRATE} with the newest package, and restart workers and trainers of older ones",
        )
    return found


def refuse_unknown(found: SchemaStatus) -> None:
    """Refuse a schema that a later version made; raises SchemaError."""
    if found.is_from_later:
        raise SchemaError(
            f"the database's schema has revision {found.revision}, which this pgduet {version('pgduet')} does not know",
            _UPGRADE,
        )


@cache
def revisions() -> list[str]:
    """Return the revisions that this package brings, oldest first, by the names of their files.

    Alembic knows them too, but every command looks, and it takes longer to import than all else.
    """
    names = (file.name for file in files("pgduet.migrations").joinpath("versions").iterdir())
    return sorted(found[1] for found in map(_REVISION.fullmatch, names) if found)


def _status(connection: Connection) -> SchemaStatus:
    head = revisions()[-1]
    revision = installed = installed_hash = None
    if _exists(connection, "pgduet._migration"):
        row = connection.execute("SELECT version_num FROM pgduet._migration").fetchone()
        revision = row[0] if row else None
    if _exists(connection, "pgduet._installation"):
        row = connection.execute(_queries()["last"]).fetchone()
        installed, installed_hash = row or (None, None)
    current = revision == head and installed_hash == hash_sql_files()
    return SchemaStatus(revision=revision, head=head, version=installed, current=current)


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def _queries() -> dict[str, LiteralString]:
    return load_queries("install", "pgduet.migrations")
