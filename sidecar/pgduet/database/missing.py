"""Chunks that lack a current vector."""

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries


def embed_missing(connection: Connection, slice_size: int) -> int:
    """Embed up to so many chunks that have no current vector; return how many there were.

    Raises DatabaseError; one that `is_passing` when the sidecar is away or busy.
    """
    with readable_errors():
        row = connection.execute(load_queries("missing")["embed"], {"slice": slice_size}).fetchone()
    return int(row[0]) if row else 0
