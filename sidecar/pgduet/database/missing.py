"""Chunks that lack a current vector, however that came about: a restore, a disabled trigger, replication.

The truth is the data: a chunk is current when the active generation holds a vector of the same content.
"""

from collections.abc import Sequence

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries


def find_missing(connection: Connection, after: int, limit: int) -> list[int]:
    """Return up to `limit` ids of chunks without a current vector, in order, from beyond the id `after`."""
    with readable_errors():
        rows = connection.execute(load_queries("missing")["find"], {"after": after, "limit": limit}).fetchall()
    return [int(chunk_id) for (chunk_id,) in rows]


def embed_chunks(connection: Connection, ids: Sequence[int]) -> int:
    """Embed chunks by one call to the sidecar; return how many vectors were stored.

    Raises DatabaseError; one that `is_passing` when the sidecar is away or busy.
    """
    with readable_errors():
        row = connection.execute(load_queries("missing")["embed"], {"ids": list(ids)}).fetchone()
    return int(row[0]) if row else 0
