"""Keeps the IVFFLAT index on the sketches: built when there are rows enough, rebuilt when the table outgrew it."""

import math
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from pgduet.database.queries import load_queries

Connection = psycopg.Connection[Any]

# Any fixed number does; two keepers never work at the same time.
_LOCK = 7096_2561

# IVFFLAT learns its lists from the rows it is built on: on few rows it learns nonsense.
_MIN_ROWS = 1000
# Build memory grows with the square of the lists: about 200 bytes x lists^2.
_MAX_LISTS = 1500
_GROWTH = 2.0


class _State(NamedTuple):
    generation_id: int
    rows: int
    index_name: str | None
    rows_at_build: int | None


def choose_lists(rows: int) -> int:
    """Return the number of lists for so many rows: 2 sqrt(rows), at most 1,500.

    Measured on 10,000 to 200,000 code chunks: twice the usual sqrt(rows) gives the least work at equal recall.
    """
    return max(1, min(_MAX_LISTS, round(2 * math.sqrt(rows))))


def keep_index(connection: Connection, *, rebuild: bool = False) -> str:
    """Build or rebuild the active generation's index where that is due; say in one sentence what was done.

    The build is CONCURRENT under a new name, and the old index goes afterwards: neither readers nor writers wait.
    The connection is in autocommit mode and belongs to the owner of the tables or a superuser.
    """
    locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not locked or not locked[0]:
        return "another session is building the index"
    try:
        state = _read_state(connection)
        if state is None:
            return "there is no active generation"
        _drop_superseded(connection, state)
        if state.rows < _MIN_ROWS and not rebuild:
            return f"{state.rows:,} vectors: no index yet, searches scan exactly (an index comes at {_MIN_ROWS:,})"
        if not rebuild and not _is_due(state):
            return f"index {state.index_name} is good for {state.rows:,} vectors"
        return _build(connection, state)
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _is_due(state: _State) -> bool:
    if state.index_name is None or state.rows_at_build is None:
        return True
    return state.rows > state.rows_at_build * _GROWTH


def _queries() -> dict[str, LiteralString]:
    return load_queries("index", "pgduet.migrations")


def _read_state(connection: Connection) -> _State | None:
    row = connection.execute(_queries()["state"]).fetchone()
    return _State(*row) if row else None


def _drop_superseded(connection: Connection, state: _State) -> None:
    """Drop what cancelled builds left behind: half-built indexes, and old ones that a new one has replaced."""
    values = {"generation_id": state.generation_id, "current": state.index_name}
    for (name,) in connection.execute(_queries()["superseded"], values).fetchall():
        _drop(connection, name)


def _build(connection: Connection, state: _State) -> str:
    lists, queries = choose_lists(state.rows), _queries()
    values = {"generation_id": state.generation_id, "lists": lists, "rows": state.rows}
    new = connection.execute(queries["start"], values).fetchone()
    assert new is not None
    build_id, name, schema = new
    # k-means keeps 50 samples a list, distances and centres in memory; below what it needs the build fails.
    megabytes = 64 + math.ceil(50 * lists * 400 / 2**20 + 200 * lists**2 / 2**20)
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(sql.Literal(f"{megabytes}MB")))
    try:
        connection.execute(
            sql.SQL(queries["create"]).format(
                index=sql.Identifier(name),
                table=sql.Identifier("pgduet", f"code_embeddings_g{state.generation_id}"),
                operators=sql.Identifier(schema, "bit_hamming_ops"),
                lists=sql.Literal(lists),
            )
        )
    finally:
        connection.execute("RESET maintenance_work_mem")
    connection.execute(queries["finish"], {"build_id": build_id})
    if state.index_name is not None:
        _drop(connection, state.index_name)
    return f"built {name} with {lists} lists on {state.rows:,} vectors"


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier("pgduet", name)))
