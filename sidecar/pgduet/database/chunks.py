"""The rows of `pgduet.code_chunks` that an ingest reads and writes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pgduet.database.connection import Connection
from pgduet.database.errors import DatabaseError, readable_errors
from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError

_UNIQUE_VIOLATION = "23505"

Place = tuple[str | None, str | None, str | None, int | None, int | None]


class ChunkRow(NamedTuple):
    """Hold a chunk as it is written, in the order of the columns named in ingest.sql."""

    repo: str
    path: str
    symbol: str | None
    kind: str
    language: str | None
    start_line: int
    end_line: int
    content: str
    source: str
    source_key: str

    @property
    def place(self) -> Place:
        """Give what may differ while the content is the same."""
        return self.symbol, self.kind, self.language, self.start_line, self.end_line


class StoredChunk(NamedTuple):
    """Hold what a comparison needs of a chunk in the database; the hash is NULL for blank content."""

    chunk_id: int
    content_hash: bytes | None
    place: Place


def read_stored(connection: Connection, source: str, paths: Sequence[str]) -> dict[str, dict[str, StoredChunk]]:
    """Read the chunks that `source` has of these files: path -> source key -> chunk."""
    stored: dict[str, dict[str, StoredChunk]] = {path: {} for path in paths}
    with readable_errors(), connection.transaction():
        rows = connection.execute(load_queries("ingest")["stored"], {"source": source, "paths": list(paths)})
        for path, key, chunk_id, content_hash, *place in rows:
            symbol, kind, language, start_line, end_line = place
            found = StoredChunk(chunk_id, content_hash, (symbol, kind, language, start_line, end_line))
            stored[path][key] = found
    return stored


def read_paths(connection: Connection, source: str, below: str) -> dict[str, int]:
    """Count the chunks that `source` has of each file at or below the path `below` ("" for all)."""
    with readable_errors(), connection.transaction():
        rows = connection.execute(load_queries("ingest")["paths"], {"source": source, "below": below})
        return dict(rows.fetchall())


def insert_chunks(connection: Connection, rows: Sequence[ChunkRow]) -> None:
    """Write new chunks by one COPY in one transaction; the worker embeds them.

    Raises DatabaseError with the server's message and hint, PgduetError when another ingest wrote the same keys.
    """
    try:
        with readable_errors(), _queueing(connection):
            _copy(connection, "copy", rows)
    except DatabaseError as error:
        if error.sqlstate != _UNIQUE_VIOLATION:
            raise
        raise PgduetError(
            f"another ingest of {rows[0].repo!r} has just written the same chunks",
            hint="wait until it is done, then run this one again: it goes on where it stopped",
        ) from error


def update_chunks(connection: Connection, rows: Sequence[ChunkRow]) -> None:
    """Bring chunks, found by source and key, to these rows by one UPDATE in one transaction.

    The worker embeds those whose content differs. Raises DatabaseError with the server's message and hint.
    """
    queries = load_queries("ingest")
    with readable_errors(), _queueing(connection):
        connection.execute(queries["changed_table"])
        _copy(connection, "copy_changed", rows)
        connection.execute(queries["update"])


def delete_chunks(connection: Connection, chunk_ids: Sequence[int]) -> None:
    """Delete chunks by their id in one transaction. Raises DatabaseError."""
    with readable_errors(), _queueing(connection):
        connection.execute(load_queries("ingest")["delete"], {"chunk_ids": list(chunk_ids)})


def delete_files(connection: Connection, source: str, paths: Sequence[str]) -> None:
    """Delete all chunks that `source` has of these files in one transaction. Raises DatabaseError."""
    with readable_errors(), _queueing(connection):
        connection.execute(load_queries("ingest")["delete_files"], {"source": source, "paths": list(paths)})


@contextmanager
def _queueing(connection: Connection) -> Iterator[None]:
    """Open a transaction whose statements leave the vectors to the worker: a bulk load never waits for a model."""
    with connection.transaction():
        connection.execute("SET LOCAL pgduet.trigger_mode = 'queue'")
        yield


def _copy(connection: Connection, query: str, rows: Sequence[ChunkRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(load_queries("ingest")[query]) as copy:
        for row in rows:
            copy.write_row(row)
