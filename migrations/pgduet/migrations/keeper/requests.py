"""What was asked for in SQL by pgduet.reindex(), which cannot build: that takes statements outside a transaction."""

from typing import Any, LiteralString

import psycopg

from pgduet.database.queries import load_queries

Connection = psycopg.Connection[Any]


def open_requests(connection: Connection) -> list[int]:
    """Return the requests that nobody has served yet."""
    return [request_id for (request_id,) in connection.execute(_queries()["open"])]


def close_requests(connection: Connection, requests: list[int], outcome: str) -> None:
    """Say in words what became of requests."""
    if requests:
        connection.execute(_queries()["close"], {"requests": requests, "outcome": outcome})


def _queries() -> dict[str, LiteralString]:
    return load_queries("requests", "pgduet.migrations.keeper")
