"""Watched tables and the queue of their changed rows, as a worker and the command line see them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries


class ClaimedRow(NamedTuple):
    """Hold a changed row; without a key: look through the whole table."""

    watch_id: int
    row_key: str | None
    attempts: int


class SourceRow(NamedTuple):
    """Hold a row of a watched table; without content where it is blank, path and language "" where not known."""

    row_key: str
    row_version: str
    content: str | None
    path: str
    language: str
    row_hash: bytes


class SourceChunk(NamedTuple):
    """Hold a piece of a row's content as `code_chunks` takes it."""

    symbol: str | None
    kind: str | None
    language: str | None
    start_line: int
    end_line: int
    content: str


class WatchStatus(NamedTuple):
    """Count what became of a watched table's rows; `note` says what a person should know."""

    source: str
    table_name: str
    rows_known: int
    rows_waiting: int
    rows_blank: int
    rows_failed: int
    chunks: int
    note: str


class SourceQueue:
    """Work on changed rows under a name that no other claim has, on one connection in autocommit mode.

    Each call is one statement, and none needs a session. Every method raises DatabaseError.
    """

    def __init__(self, connection: Connection, owner: str) -> None:
        self._connection = connection
        self._owner = owner
        connection.prepare_threshold = None

    def claim(self, batch: int, lease: float) -> list[ClaimedRow]:
        """Lease up to `batch` rows for `lease` seconds."""
        return [ClaimedRow(*row) for row in self._rows("claim", batch=batch, lease=lease)]

    def resolve(self, watch_id: int, row_keys: Sequence[str]) -> list[SourceRow]:
        """Do all that needs no sidecar; return some or all of the rows that do, 16 MB at most."""
        return [SourceRow(*row) for row in self._rows("resolve", watch_id=watch_id, row_keys=list(row_keys))]

    def write(self, watch_id: int, row: SourceRow, chunks: Sequence[SourceChunk], error: str | None = None) -> bool:
        """Make these the row's chunks; False where another worker has the row by now."""
        columns = [list(column) for column in zip(*chunks, strict=True)] or [[] for _ in SourceChunk._fields]
        symbols, kinds, languages, start_lines, end_lines, contents = columns
        rows = self._rows(
            "write",
            watch_id=watch_id,
            row_key=row.row_key,
            row_version=row.row_version,
            row_hash=row.row_hash,
            error=error,
            path=row.path,
            symbols=symbols,
            kinds=kinds,
            languages=languages,
            start_lines=start_lines,
            end_lines=end_lines,
            contents=contents,
        )
        return bool(rows[0][0])

    def fail(self, watch_id: int, row_key: str, error: str) -> None:
        """Give a row back after a failure of its own; it comes back after a pause that doubles each time."""
        self._rows("fail", watch_id=watch_id, row_key=row_key, error=error)

    def release(self, seconds: float) -> int:
        """Give back all that is still held, due in so many seconds; return how many queue rows that were."""
        return int(self._rows("release", seconds=seconds)[0][0])

    def _rows(self, name: str, **values: Any) -> list[tuple[Any, ...]]:
        return _rows(self._connection, name, owner=self._owner, **values)


def rescan(connection: Connection, watch_id: int, slice_size: int) -> int:
    """Queue rows of a watched table that nobody told of, `slice_size` at most; return how many."""
    return int(_rows(connection, "rescan", watch_id=watch_id, slice=slice_size)[0][0])


def list_watches(connection: Connection) -> list[int]:
    """Return the number of every watch."""
    return [int(row[0]) for row in _rows(connection, "watches")]


def watch(connection: Connection, table: str, **values: Any) -> str:
    """Watch a table named as SQL writes it; return its source. `values` are the parameters of `pgduet.watch`."""
    return str(_rows(connection, "watch", table=table, **values)[0][0])


def unwatch(connection: Connection, table: str) -> int:
    """Stop watching a table; return how many chunks went."""
    return int(_rows(connection, "unwatch", table=table)[0][0])


def watch_status(connection: Connection) -> list[WatchStatus]:
    """Describe every watched table."""
    return [WatchStatus(*row) for row in _rows(connection, "status")]


def _rows(connection: Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    with readable_errors():
        return connection.execute(load_queries("sources")[name], values).fetchall()
