"""Connections that only read, shared by the threads of a program that answers many people."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue

import psycopg

from pgduet.database.connection import Connection, cancel, connect
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.queries import load_queries

READER = "pgduet_reader"
_TOO_MANY = "53300"
# The role is not there; it is, and the session may not take it.
_NO_SUCH_ROLE, _NOT_A_MEMBER = "22023", "42501"


class Readers:
    """Keep up to `size` connections; each use is one read-only transaction in a role, with a time limit.

    All that is set is set for the transaction, so a pooler may stand between. `role` "none" keeps the session's own;
    `seconds` is each statement's limit, and how long a caller waits for a connection.
    """

    def __init__(self, conninfo: str = "", *, role: str = READER, seconds: float = 10.0, size: int = 4) -> None:
        self._conninfo, self._role, self._seconds = conninfo, role, seconds
        self._free: LifoQueue[Connection | None] = LifoQueue()
        self._busy: set[Connection] = set()
        for _ in range(size):
            self._free.put(None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection for one transaction.

        Raises DatabaseError where all are in use or the role cannot be taken, PgduetError where no server answers.
        """
        try:
            found = self._free.get(timeout=self._seconds)
        except Empty:
            raise DatabaseError(
                f"all connections were in use for {self._seconds:g} seconds", "try again in a moment", _TOO_MANY
            ) from None
        connection = None
        try:
            connection = found if found is not None and _lives(found) else self._open()
            self._busy.add(connection)
            with readable_errors(), connection.transaction():
                self._settle_in(connection)
                yield connection
        finally:
            if connection is not None:
                self._busy.discard(connection)
            self._free.put(None if connection is None or connection.closed else connection)

    def close(self) -> None:
        """Cancel what runs and close what is idle."""
        for connection in tuple(self._busy):
            cancel(connection)
        with suppress(Empty):
            while True:
                idle = self._free.get_nowait()
                if idle is not None:
                    idle.close()

    def _open(self) -> Connection:
        connection = connect(self._conninfo, autocommit=True, application_name="pgduet ui")
        connection.read_only = True
        connection.prepare_threshold = None
        return connection

    def _settle_in(self, connection: Connection) -> None:
        limits = {"role": self._role, "timeout": f"{self._seconds * 1000:.0f}ms"}
        try:
            with readable_errors():
                connection.execute(load_queries("reading")["settle_in"], limits)
        except DatabaseError as error:
            if error.sqlstate not in (_NO_SUCH_ROLE, _NOT_A_MEMBER):
                raise
            hint = f"GRANT {READER} TO your login role, or keep its own rights with --role none"
            if error.sqlstate == _NO_SUCH_ROLE:
                hint = "install pgduet in this database: `pgduet db migrate`"
            raise DatabaseError(str(error), hint, error.sqlstate) from error


def _lives(connection: Connection) -> bool:
    """Tell whether an idle connection still leads to a server: it may have restarted meanwhile."""
    try:
        connection.execute("SELECT")
    except psycopg.Error:
        connection.close()
        return False
    return True
