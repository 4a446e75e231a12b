"""Connections of commands that work on the schema: opened here alone, and only to one that this release knows."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgduet.database.connection import Connection


def connect_known(
    dsn: str, *, application_name: str = "pgduet", warn: Callable[..., object] | None = None
) -> "Connection":
    """Connect, in autocommit, to a database whose schema this release knows.

    `warn`, a logger's method, is told of functions of another version. Raises SchemaError with the command that mends
    it where the schema is older or newer or not there, PgduetError where no server answers.
    """
    from pgduet.database.connection import connect
    from pgduet.migrations.schema import require_known

    connection = connect(dsn, autocommit=True, application_name=application_name)
    try:
        require_known(connection, warn)
    except BaseException:
        connection.close()
        raise
    return connection
