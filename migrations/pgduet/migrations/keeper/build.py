"""Builds an index beside the one in use, without blocking readers or writers, and drops what is replaced."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pgduet.database.errors import DatabaseError
from pgduet.database.queries import load_queries
from pgduet.migrations.keeper.policy import Plan, State
from pgduet.migrations.keeper.watching import Progress, watching

Connection = psycopg.Connection[Any]

CANCELLED = "cancelled"
_NEEDED = re.compile(r"memory required is (\d+) MB")


def build_index(
    connection: Connection, state: State, plan: Plan, *, most_mb: int, reason: str, progress: Progress | None = None
) -> str:
    """Build a generation's index CONCURRENTLY under a new name and return the name; the one in use goes afterwards.

    Until it is calibrated it is searched as the one before was. Raises DatabaseError where PostgreSQL asks for more
    than `most_mb` of memory. Whatever ends the build early is written down, and what it left is dropped.
    """
    values = {"generation_id": state.generation_id, "kind": plan.kind, "lists": plan.lists, "rows": state.rows}
    new = connection.execute(_queries()["start"], {**values, "changes": state.changes, "reason": reason}).fetchone()
    assert new is not None
    build_id, name, schema = new
    table = sql.Identifier("pgduet", f"code_embeddings_g{state.generation_id}")
    statement = sql.SQL(_queries()[f"create_{plan.kind}"]).format(
        index=sql.Identifier(name),
        table=table,
        bits=sql.Identifier(schema, "bit_hamming_ops"),
        halfs=sql.Identifier(schema, "halfvec_cosine_ops"),
        lists=sql.Literal(plan.lists),
    )
    with _noted(connection, build_id, name), watching(connection, progress):
        _create(connection, statement, name, plan.memory_mb, most_mb)
        connection.execute(sql.SQL(_queries()["analyze"]).format(table=table))
        connection.execute(_queries()["finish"], {"build_id": build_id})
    if state.index is not None:
        drop_index(connection, state.index.name)
    return str(name)


def drop_index(connection: Connection, name: str) -> None:
    """Drop an index of pgduet's; searches go on meanwhile."""
    connection.execute(sql.SQL(_queries()["drop"]).format(sql.Identifier("pgduet", name)))


def drop_leftovers(connection: Connection, state: State) -> None:
    """Drop what builds left that ended early: half-built indexes, and old ones that a new one has replaced."""
    values = {"generation_id": state.generation_id, "current": state.index.name if state.index else None}
    for (name,) in connection.execute(_queries()["leftovers"], values).fetchall():
        drop_index(connection, name)


def in_words(error: BaseException) -> str:
    """Return what an error says, of PostgreSQL's the message alone."""
    message = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return message or str(error).strip()


@contextmanager
def setting(connection: Connection, **values: str) -> Iterator[None]:
    """Change settings of the session inside the block."""
    before = [connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in values]
    _set(connection, values)
    try:
        yield
    finally:
        # A lost connection has lost them anyway.
        with suppress(psycopg.OperationalError):
            _set(connection, {name: row[0] for name, row in zip(values, before, strict=True) if row})


def _set(connection: Connection, values: dict[str, str]) -> None:
    for name, value in values.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def _create(connection: Connection, statement: sql.Composed, name: str, megabytes: int, most_mb: int) -> None:
    """Run CREATE INDEX with so much memory; where pgvector reckons with more, with that, up to `most_mb`."""
    while True:
        try:
            with setting(connection, maintenance_work_mem=f"{megabytes}MB"):
                connection.execute(statement)
            return
        except (psycopg.errors.ProgramLimitExceeded, psycopg.errors.OutOfMemory) as error:
            found = _NEEDED.search(str(error))
            if found is None and isinstance(error, psycopg.errors.ProgramLimitExceeded):
                raise
            needed = int(found[1]) if found else 0
            if not megabytes < needed <= most_mb:
                raise DatabaseError(
                    f"building the index took more memory than it may: {error.diag.message_primary}",
                    f"index_memory_mb is {most_mb:,}: allow more with `pgduet db set index_memory_mb "
                    f"{max(needed, 2 * most_mb)}`, or less where the server has not so much",
                    error.sqlstate,
                ) from error
            megabytes = needed
            drop_index(connection, name)


@contextmanager
def _noted(connection: Connection, build_id: int, name: str) -> Iterator[None]:
    """Write down what ended a build early, and drop what it left: unless that has to wait for others."""
    try:
        yield
    except (psycopg.Error, DatabaseError, KeyboardInterrupt) as error:
        is_cancelled = isinstance(error, KeyboardInterrupt | psycopg.errors.QueryCanceled)
        words = CANCELLED if is_cancelled else in_words(error)
        with suppress(psycopg.Error):
            connection.execute(_queries()["fail"], {"build_id": build_id, "error": words})
            with setting(connection, lock_timeout="2s"):
                drop_index(connection, name)
        raise


def _queries() -> dict[str, LiteralString]:
    return load_queries("build", "pgduet.migrations.keeper")
