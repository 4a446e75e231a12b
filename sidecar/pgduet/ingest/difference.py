"""Names the chunks of a file by keys that outlive a change, and compares them with what the database holds."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pgduet.chunking import Chunk
from pgduet.database.chunks import ChunkRow, StoredChunk


@dataclass(slots=True)
class Difference:
    """Hold what must be done to the database; `unchanged` counts what need not be touched."""

    new: list[ChunkRow] = field(default_factory=list)
    changed: list[ChunkRow] = field(default_factory=list)
    moved: list[ChunkRow] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    unchanged: int = 0


def name_chunks(chunks: Iterable[Chunk], repo: str, path: str, source: str) -> list[ChunkRow]:
    """Give the rows of one file, each under a key that a change elsewhere in the file leaves alone.

    A definition goes by its symbol (`path::symbol`), a block by its content (`path::block:hash`); repeats and the parts
    of one that was split are numbered from `#2`.
    """
    seen: Counter[str] = Counter()
    rows = []
    for chunk in chunks:
        named = chunk.symbol and chunk.kind != "block"
        key = f"{path}::{chunk.symbol}" if named else f"{path}::block:{_digest(chunk.content).hex()[:16]}"
        seen[key] += 1
        if seen[key] > 1:
            key = f"{key}#{seen[key]}"
        rows.append(
            ChunkRow(
                repo=repo,
                path=path,
                symbol=chunk.symbol or None,
                kind=chunk.kind,
                language=chunk.language or None,
                start_line=chunk.start_line,
                end_line=chunk.end_line,
                content=chunk.content,
                source=source,
                source_key=key,
            )
        )
    return rows


def compare(rows: Iterable[ChunkRow], stored: Mapping[str, StoredChunk]) -> Difference:
    """Tell new, changed, moved and gone chunks apart; `stored` is by source key.

    The hash of the content decides whether a chunk changed (and will be embedded again) or only moved.
    """
    difference = Difference()
    left = dict(stored)
    for row in rows:
        old = left.pop(row.source_key, None)
        if old is None:
            difference.new.append(row)
        elif old.content_hash != _digest(row.content):
            difference.changed.append(row)
        elif old.place != row.place:
            difference.moved.append(row)
        else:
            difference.unchanged += 1
    difference.gone = sorted(old.chunk_id for old in left.values())
    return difference


def _digest(content: str) -> bytes:
    """Hash as the database does in `code_chunks.content_hash`."""
    return hashlib.sha256(content.encode("utf-8")).digest()
