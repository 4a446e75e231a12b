"""The database's errors as pgduet's own."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgduet.errors import PgduetError

# Undefined schema, table, function or column.
_MISSING = ("3F000", "42P01", "42883", "42703")
# A lost connection has none; then sidecar away, read-only server, lock not available.
_PASSING = (None, "58030", "25006", "55P03")


class DatabaseError(PgduetError):
    """PostgreSQL refused or went away; `sqlstate` is its code, None where the connection is gone."""

    def __init__(self, message: str, hint: str, sqlstate: str | None) -> None:
        super().__init__(message, hint)
        self.sqlstate = sqlstate

    @property
    def is_passing(self) -> bool:
        """Tell whether trying again later may help: outage, overload, deadlock, failover or a lost connection."""
        return self.sqlstate in _PASSING or self.sqlstate[:2] in ("08", "40", "53", "57")


class SchemaError(PgduetError):
    """The database's schema is one that this package does not know; waiting does not mend it."""


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn psycopg's errors into DatabaseError with the server's message and hint."""
    try:
        yield
    except psycopg.Error as error:
        message = error.diag.message_primary or str(error).strip()
        # PL/Python puts its exception's name before the text.
        message = message.removeprefix("plpy.Error: ")
        hint = error.diag.message_hint or ""
        if error.sqlstate in _MISSING and "pgduet" in message:
            hint = "pgduet is not installed in this database, or in an older version: run `pgduet db migrate`"
        sqlstate = error.sqlstate
        if sqlstate is None and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            # Refused by the driver before it was sent: bad data, and the connection is well.
            sqlstate = "22000"
        raise DatabaseError(message, hint, sqlstate) from error
