"""Dropping the partition of a retired generation while everybody goes on working."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from psycopg import sql

from pgduet.database.connection import Connection, is_pooled
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError

_LOCK_NOT_AVAILABLE = "55P03"
# Whoever needs a table that we wait for waits behind us so long at most.
_LOCK_TIMEOUT = "2s"
_PAUSE = 0.5

Report = Callable[[str], None]


def drop_generation(connection: Connection, name: str, *, patience: float = 300.0, report: Report | None = None) -> int:
    """Drop the vectors of a retired generation; return how many bytes that freed, 0 where it was done before.

    Goes on where an earlier call was interrupted. The connection is direct, in autocommit mode, and of the owner of the
    tables or a superuser. Nobody waits longer than two seconds for it; it waits for transactions that still use the
    generation, `patience` seconds at most. Raises PgduetError.
    """
    say = report or (lambda _words: None)
    if is_pooled(connection):
        raise PgduetError(
            "a generation cannot be dropped through a pooler: each statement may reach another session",
            hint="name the server itself: --dsn 'host=... port=5432'",
        )
    if not _rows(connection, "may_drop")[0][0]:
        raise PgduetError(
            "this role may not drop a generation: it does not own the tables",
            hint="run it as a member of pgduet_owner or a superuser",
        )
    with readable_errors(), _locked(connection), _settings(connection):
        ((generation_id, state),) = _rows(connection, "find", name=name)
        if state == "dropped":
            return 0
        if state != "retired":
            raise PgduetError(
                f"generation {name} is {state}: only a retired one can be dropped",
                hint=f"give it up first: pgduet generation retire {name}",
            )
        work = _Dropping(connection, f"code_embeddings_g{generation_id}", time.monotonic() + patience, say)
        return work.run(generation_id)


class _Dropping:
    def __init__(self, connection: Connection, partition: str, deadline: float, say: Report) -> None:
        self._connection = connection
        self._partition = partition
        self._deadline = deadline
        self._say = say

    def run(self, generation_id: int) -> int:
        size = int(_rows(self._connection, "bytes", partition=f"pgduet.{self._partition}")[0][0])
        self._wait_for_searches()
        # One partition at a time can be half detached, so that of another drop comes first.
        for (other,) in _rows(self._connection, "half_detached"):
            self._say(f"ending the interrupted detaching of {other}")
            self._patiently("finalize", other)
        self._patiently("detach", self._partition)
        self._say(f"dropping {self._partition}")
        self._patiently("drop", self._partition)
        self._connection.execute(_queries()["forget"], {"generation_id": generation_id})
        return size

    def _wait_for_searches(self) -> None:
        """Wait for whoever may have seen the generation as a live one, and would search or write in it."""
        waiting = set(_rows(self._connection, "readers"))
        while waiting := waiting.intersection(_rows(self._connection, "readers")):
            self._wait("searches that began before", [pid for _, pid in waiting])

    def _patiently(self, query: str, partition: str) -> None:
        """Run a statement until it gets its locks; a detaching that lost them half way is ended by FINALIZE."""
        while True:
            if query != "drop":
                found = _rows(self._connection, "attached", partition=f"pgduet.{partition}")
                if not found:
                    return
                query = "finalize" if found[0][0] else "detach"
            self._say(f"{'dropping' if query == 'drop' else 'detaching'} {partition}")
            statement = sql.SQL(_queries()[query]).format(partition=sql.Identifier(partition))
            try:
                with readable_errors():
                    self._connection.execute(statement)
            except DatabaseError as error:
                if error.sqlstate != _LOCK_NOT_AVAILABLE:
                    raise
                holders = _rows(self._connection, "holders", partition=f"pgduet.{partition}")
                self._wait("transactions that use the vectors", [pid for (pid,) in holders])
            else:
                if query == "drop":
                    return

    def _wait(self, what: str, pids: list[int]) -> None:
        who = ", ".join(map(str, sorted(pids))) or "none any more"
        if time.monotonic() > self._deadline:
            raise PgduetError(
                f"the generation was not dropped: {what} have not ended (process ids: {who})",
                hint="nothing is lost: run it again later, or end them with pg_terminate_backend()",
            )
        self._say(f"waiting for {what} (process ids: {who})")
        time.sleep(_PAUSE)


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    if not _rows(connection, "try_lock")[0][0]:
        raise PgduetError("another session is dropping a generation", hint="run it again when that one has ended")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(_queries()["unlock"])


@contextmanager
def _settings(connection: Connection) -> Iterator[None]:
    """Wait for locks a short while only, and for a long statement as long as it takes."""
    before = {name: connection.execute(f"SHOW {name}").fetchone() for name in ("lock_timeout", "statement_timeout")}
    _set(connection, lock_timeout=_LOCK_TIMEOUT, statement_timeout="0")
    try:
        yield
    finally:
        with suppress(Exception):
            _set(connection, **{name: row[0] for name, row in before.items() if row})


def _set(connection: Connection, **values: str) -> None:
    for name, value in values.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def _queries() -> dict[str, Any]:
    return load_queries("generations")


def _rows(connection: Connection, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with readable_errors():
        return connection.execute(_queries()[query], values).fetchall()
