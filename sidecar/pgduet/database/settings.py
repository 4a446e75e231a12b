"""The admin's settings in the database."""

import psycopg

from pgduet.database.connection import Connection
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError


def write_setting(connection: Connection, key: str, value: str) -> None:
    """Change one setting; raises PgduetError for an unknown key or a value that cannot be."""
    queries = load_queries("settings")
    try:
        changed = connection.execute(queries["write"], {"key": key, "value": value}).rowcount
    except psycopg.errors.CheckViolation as error:
        raise PgduetError(
            f"{value!r} is no value for {key}",
            hint="times and counts are whole numbers, files absolute paths on the server",
        ) from error
    if not changed:
        keys = ", ".join(row[0] for row in connection.execute(queries["keys"]))
        raise PgduetError(f"there is no setting {key!r}", hint=f"settings are: {keys}")
