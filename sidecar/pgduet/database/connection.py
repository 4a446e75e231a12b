"""Connections to PostgreSQL by libpq's own rules."""

from typing import Any

import psycopg

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
