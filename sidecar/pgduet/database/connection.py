"""Connections to PostgreSQL by libpq's own rules."""

from contextlib import suppress
from typing import Any

import psycopg

from pgduet.database.errors import readable_errors
from pgduet.errors import PgduetError

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(conninfo: str = "", *, autocommit: bool = False, application_name: str = "pgduet") -> Connection:
    """Open a connection to the database that `conninfo` and the PG* environment name.

    Raises PgduetError with libpq's reason when the server cannot be reached or refuses.
    """
    try:
        return psycopg.connect(conninfo, autocommit=autocommit, application_name=application_name)
    except psycopg.OperationalError as error:
        raise PgduetError(
            f"cannot connect to PostgreSQL: {str(error).strip()}",
            hint="set PGHOST, PGPORT, PGUSER and PGDATABASE, or pass --dsn; for the demo: source .pgduet/env",
        ) from error


def wait_for_notify(connection: Connection, seconds: float) -> set[str]:
    """Wait so long at most for a NOTIFY on what the connection listens to; return the channels it came on.

    Raises DatabaseError when the connection is lost.
    """
    with readable_errors():
        return {notify.channel for notify in connection.notifies(timeout=seconds, stop_after=1)}


def is_pooled(connection: Connection) -> bool:
    """Tell whether a pooler stands between: the server process that answers is not the one that was promised."""
    with readable_errors():
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid


def cancel(connection: Connection) -> None:
    """End the statement that another thread runs on a connection; a connection that is gone is fine too."""
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=5)
