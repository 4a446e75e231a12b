"""Generations as the command line and the worker see them."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError

_LOCK_NOT_AVAILABLE = "55P03"
_TRIES = 5


class Generation(NamedTuple):
    """Describe one generation, with the columns of `pgduet.generation_status`; None where there is nothing to say."""

    generation_id: int
    name: str
    model: str
    fingerprint: str | None
    state: str
    parent: str | None
    vectors: int
    lacking: int | None
    failed: int | None
    share_done: float | None
    has_index: bool
    recall: float | None
    metric: str | None
    score_before: float | None
    score: float | None
    gate_passed: bool | None
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


class Switch(NamedTuple):
    """Describe one switch of the active generation; `forced` where something stood against it."""

    at: datetime
    kind: str
    before: str | None
    after: str
    by: str
    forced: bool
    reason: str | None


Report = Callable[[Generation], None]


def list_generations(connection: Connection, *, dropped: bool = False) -> list[Generation]:
    """Return all generations, the oldest first; those that were dropped only where asked for. Raises DatabaseError."""
    return [Generation(*row) for row in _rows(connection, "status", name=None, dropped=dropped)]


def read_generation(connection: Connection, name: str) -> Generation:
    """Return one generation. Raises PgduetError for an unknown name."""
    for row in _rows(connection, "status", name=name, dropped=True):
        return Generation(*row)
    known = ", ".join(one.name for one in list_generations(connection)) or "none"
    raise PgduetError(f"there is no generation {name!r}", hint=f"the generations are: {known}")


def read_history(connection: Connection, name: str) -> list[Switch]:
    """Return the last ten switches to and from a generation, the newest first. Needs an admin; raises DatabaseError."""
    return [Switch(*row) for row in _rows(connection, "history", name=name)]


def add_generation(connection: Connection, model: str, name: str | None = None) -> str:
    """Begin a generation for a duet; say what happens next. Tries again while another session holds a lock.

    Raises DatabaseError.
    """
    for left in reversed(range(_TRIES)):
        try:
            return _said(connection, "add", model=model, name=name)
        except DatabaseError as error:
            if error.sqlstate != _LOCK_NOT_AVAILABLE or not left:
                raise
    raise AssertionError


def judge(connection: Connection, name: str, gate: Mapping[str, Any]) -> None:
    """Write down what an evaluation said of a generation, which `promote` asks for. Raises DatabaseError."""
    _rows(connection, "judge", name=name, gate=json.dumps(gate))


def promote(connection: Connection, name: str, *, force: bool = False, reason: str | None = None) -> str:
    """Make a generation the active one; say what that means. Raises DatabaseError with what stands against it."""
    return _said(connection, "promote", name=name, force=force, reason=reason)


def rollback(connection: Connection) -> str:
    """Make the generation active that the last promotion replaced; say which. Raises DatabaseError."""
    return _said(connection, "rollback")


def retire(connection: Connection, name: str) -> str:
    """Give a generation up; say what is left of it. Raises DatabaseError."""
    return _said(connection, "retire", name=name)


def settle_generations(connection: Connection) -> int | None:
    """Call generations ready that lack nothing; return the id of the newest that is filled. Raises DatabaseError."""
    found = _rows(connection, "settle")[0][0]
    return None if found is None else int(found)


def has_worker(connection: Connection) -> bool:
    """Tell whether a worker gave a sign of life within a minute."""
    return bool(_rows(connection, "workers")[0][0])


def wait_until_ready(
    connection: Connection, name: str, report: Report, *, timeout: float | None = None, pause: float = 2.0
) -> Generation:
    """Wait until a generation is complete; `report` is told every `pause` seconds how far it is.

    Raises PgduetError after `timeout` seconds, and where the generation was given up.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    may_settle = bool(_rows(connection, "may_settle")[0][0])
    while True:
        found = read_generation(connection, name)
        if found.state == "building" and not found.lacking and may_settle:
            settle_generations(connection)
            found = read_generation(connection, name)
        report(found)
        if found.state in ("ready", "active"):
            return found
        if found.state != "building":
            raise PgduetError(f"generation {name} is {found.state}", hint="add a new one: pgduet generation add")
        if deadline is not None and time.monotonic() > deadline:
            lacks = f"{found.lacking} chunks lack a vector" if found.lacking else "its index is not built"
            worker = "" if has_worker(connection) else "no worker is running: start `pgduet worker`; "
            raise PgduetError(
                f"generation {name} is not ready after {timeout:g} s: {lacks}",
                hint=f"{worker}see pgduet.worker_status for what a worker waits for",
            )
        time.sleep(pause)


def _said(connection: Connection, query: str, **values: Any) -> str:
    return str(_rows(connection, query, **values)[0][0])


def _rows(connection: Connection, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with readable_errors():
        return connection.execute(load_queries("generations")[query], values).fetchall()
