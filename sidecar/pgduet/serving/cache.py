"""Rows that were computed already."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

# What the entry, the key and the row take beside their bytes (measured on CPython 3.11, rounded up).
OVERHEAD_BYTES = 600


@dataclass(frozen=True, slots=True)
class Row:
    """The answer for one text: packed little-endian halfs, packed sketch bits, and what the tokenisers said.

    Of one half alone there is no sketch, and the other half has no tokens.
    """

    embedding: bytes
    sketch: bytes
    code_tokens: int
    text_tokens: int
    code_truncated: bool
    text_truncated: bool
    finite: bool = True


Key = tuple[str, str, str, bytes]


def cache_key(fingerprint: str, role: str, part: str, text: str) -> Key:
    """Make the key of a text; it holds the text's SHA-256, so that the cache keeps no source code."""
    return fingerprint, role, part, hashlib.sha256(text.encode()).digest()


class RowCache:
    """Keep the rows used last within a limit of bytes. Not thread-safe: the event loop owns it."""

    def __init__(self, max_bytes: int) -> None:
        self.bytes = 0
        self._max_bytes = max_bytes
        self._rows: OrderedDict[Key, Row] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        """Return the row and count it as used, or None."""
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
        return row

    def put(self, key: Key, row: Row) -> None:
        """Keep a row; those used longest ago make room. Rows that are not finite are not kept."""
        if not row.finite or key in self._rows:
            return
        self._rows[key] = row
        self.bytes += _size(key, row)
        while self.bytes > self._max_bytes:
            self.bytes -= _size(*self._rows.popitem(last=False))


def _size(key: Key, row: Row) -> int:
    return OVERHEAD_BYTES + sum(map(len, key)) + len(row.embedding) + len(row.sketch)
