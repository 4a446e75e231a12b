"""Chunks as a person walks through them: one, its neighbours in meaning, what filters there are, the map."""

from datetime import datetime
from typing import NamedTuple

from pgduet.database.asking import ask
from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError
from pgduet.database.queries import load_queries
from pgduet.database.search import Hit
from pgduet.errors import PgduetError

_NO_SUCH_VIEW = "42P01"


class Chunk(NamedTuple):
    """Hold one stored chunk."""

    chunk_id: int
    repo: str | None
    path: str | None
    symbol: str | None
    kind: str | None
    language: str | None
    start_line: int | None
    end_line: int | None
    content: str | None
    updated_at: datetime


class Facets(NamedTuple):
    """Hold what a search can be narrowed to: (name, chunks), the most frequent first."""

    languages: list[tuple[str, int]]
    repos: list[tuple[str, int]]


class Point(NamedTuple):
    """Hold one chunk's place on the map; `cluster` None where it belongs to none."""

    chunk_id: int
    x: float
    y: float
    cluster: int | None
    repo: str | None
    path: str | None
    symbol: str | None
    kind: str | None
    language: str | None


class CodeMap(NamedTuple):
    """Hold points of the active generation's map, evenly drawn from `total`."""

    generation: str
    computed_at: datetime
    total: int
    points: list[Point]


def read_chunk(connection: Connection, chunk_id: int) -> Chunk | None:
    """Read one chunk; None where there is none, or none that the role may see. Raises DatabaseError."""
    rows = ask(connection, load_queries("browsing")["chunk"], {"chunk_id": chunk_id})
    return Chunk(*rows[0]) if rows else None


def similar_to(connection: Connection, chunk_id: int, k: int) -> list[Hit]:
    """Find the `k` chunks nearest to a stored one, without a model call.

    Raises DatabaseError for one without a vector.
    """
    return [Hit(*row) for row in ask(connection, load_queries("browsing")["similar"], {"chunk_id": chunk_id, "k": k})]


def read_facets(connection: Connection) -> Facets:
    """Count the chunks of every language and repository. Raises DatabaseError."""
    rows = ask(connection, load_queries("browsing")["facets"])
    return Facets(*([(name, chunks) for of, name, chunks in rows if of == kind] for kind in ("language", "repo")))


def read_map(connection: Connection, most: int) -> CodeMap:
    """Read the active generation's map, thinned out evenly to about `most` points.

    Raises PgduetError with what to do where there is no map, DatabaseError for what else the server refuses.
    """
    queries = load_queries("browsing")
    try:
        rows = ask(connection, queries["map_size"])
        if not rows or not rows[0][2]:
            raise PgduetError(
                "the active generation has no map yet",
                hint="a worker computes it once there are vectors: see that `pgduet worker` runs, and look again later",
            )
        generation, computed_at, total = rows[0]
        stride = -(-total // most)
        points = ask(connection, queries["map"], {"generation": generation, "stride": stride})
    except DatabaseError as error:
        if error.sqlstate != _NO_SUCH_VIEW:
            raise
        raise DatabaseError(
            "this database has no code map: its version of pgduet is older than that",
            "run `pgduet db migrate`, then let a worker run",
            error.sqlstate,
        ) from error
    return CodeMap(generation, computed_at, total, [Point(*row) for row in points])
