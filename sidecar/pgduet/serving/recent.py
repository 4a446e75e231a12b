"""Vectors of the last queries, for measuring recall on what is really asked."""

from itertools import islice

from pgduet.serving.cache import Row


class RecentQueries:
    """Keep the vectors and sketches of the last `most` distinct queries, nothing else about them; 0 keeps none.

    Not thread-safe: the event loop owns it. One takes about 6 kB.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sketches: dict[bytes, bytes] = {}

    def note(self, row: Row) -> None:
        """Keep the vector of one query as the newest; the oldest makes room. One that is not finite is not kept."""
        if not self._most or not row.finite:
            return
        # A dashboard asks the same every minute, and would leave nothing else.
        self._sketches.pop(row.embedding, None)
        self._sketches[row.embedding] = row.sketch
        if len(self._sketches) > self._most:
            del self._sketches[next(iter(self._sketches))]

    def newest(self, most: int) -> list[tuple[bytes, bytes]]:
        """Return packed vectors and sketches, the newest first; at most `most`, all for 0."""
        return list(islice(reversed(self._sketches.items()), most or None))
