"""What the keeper finds: the policy that was set, and each live generation with its index."""

from dataclasses import replace
from typing import Any, LiteralString

import psycopg

from pgduet.database.queries import load_queries
from pgduet.migrations.keeper.policy import Index, Policy, State

Connection = psycopg.Connection[Any]


def read_policy(connection: Connection) -> Policy:
    """Read the settings of the index."""
    found = dict(connection.execute(_queries()["policy"]).fetchall())
    return Policy(
        kind=found["index_kind"],
        min_rows=int(found["index_min_rows"]),
        growth=float(found["index_growth"]),
        memory_mb=int(found["index_memory_mb"]),
        recall_target=float(found["recall_target"]),
        lexical=found["lexical_index"] == "on",
    )


def read_states(connection: Connection) -> list[State]:
    """Look at every live generation, the active one first; rows of large tables are estimated.

    Builds that ended with their session count as failed. Only who holds the keepers' lock may call it.
    """
    # Where there is none, no right to write is needed.
    if ended := [build_id for (build_id,) in connection.execute(_queries()["unfinished"])]:
        connection.execute(_queries()["interrupted"], {"builds": ended})
    return [_read(connection, *row) for row in connection.execute(_queries()["states"]).fetchall()]


def count_rows(connection: Connection, state: State) -> State:
    """Return the same with its rows counted."""
    if state.is_counted:
        return state
    row = connection.execute(_queries()["count"], {"generation_id": state.generation_id}).fetchone()
    assert row is not None
    return replace(state, rows=row[0], is_counted=True)


def _read(
    connection: Connection,
    generation_id: int,
    estimate: int | None,
    changes: int,
    failures: int,
    failed_ago: float | None,
    failure: str | None,
    *index: Any,
) -> State:
    state = State(
        generation_id,
        rows=estimate or 0,
        is_counted=False,
        changes=changes,
        index=Index(*index) if index[0] is not None else None,
        failures=failures,
        failed_ago=failed_ago or 0.0,
        failure=failure or "",
    )
    return count_rows(connection, state) if estimate is None else state


def _queries() -> dict[str, LiteralString]:
    return load_queries("state", "pgduet.migrations.keeper")
