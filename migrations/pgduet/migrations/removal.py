"""Takes pgduet out of a database: all of it, or what is code and leaves the data."""

from typing import Any, LiteralString

import psycopg

from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError
from pgduet.migrations.install import changing_schema
from pgduet.migrations.roles import drop_roles

Connection = psycopg.Connection[Any]


def uninstall(connection: Connection) -> list[str]:
    """Drop the schema with everything in it, then the roles that no other database needs.

    Returns the roles that had to stay. The extensions stay: others may use them. Raises PgduetError.
    """
    with changing_schema(connection):
        connection.execute("DROP SCHEMA IF EXISTS pgduet CASCADE")
        return drop_roles(connection)


def remove_code(connection: Connection) -> None:
    """Drop functions, views and triggers; tables, vectors, indexes, settings and roles stay.

    `migrate` brings back what went. Until then writes to `code_chunks` are seen by nobody; a worker finds them later.
    Rows of watched tables are still queued. Raises PgduetError, with nothing changed, where others depend on what goes.
    """
    with changing_schema(connection):
        try:
            with connection.transaction():
                connection.execute(_queries()["remove_code"])
        except psycopg.errors.DependentObjectsStillExist as error:
            raise PgduetError(
                f"{error.diag.message_primary}: {error.diag.message_detail}",
                "nothing was changed. Save the definitions (pg_get_viewdef), drop them, and run this again",
            ) from error


def _queries() -> dict[str, LiteralString]:
    return load_queries("removal", "pgduet.migrations")
