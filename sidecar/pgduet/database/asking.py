"""Queries whose failure is an answer for a person."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors


def ask(
    connection: Connection, query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run a query and give all its rows.

    Raises DatabaseError with the server's own message and hint when it refuses.
    """
    with readable_errors():
        return connection.execute(query, parameters).fetchall()
