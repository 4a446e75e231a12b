"""What mining reads of the table: chunks in slices, vectors of many, cosines of pairs. Everything is bounded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from sys import intern
from typing import LiteralString, NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.database.connection import Connection
from pgduet.database.queries import load_queries
from pgduet.training.mining.documented import Documented, documented
from pgduet.training.mining.likeness import Likeness, likeness, text_hash
from pgduet.training.mining.options import Progress

# Longer chunks were not cut by the chunker, and encoders read their beginning only. In bytes.
LONGEST = 12_000
_WIDTH = 2560
_SLICE = 500
_PAIRS_AT_ONCE = 5_000

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Text(NamedTuple):
    """Hold a chunk's content as it is written into triplets, in both its forms."""

    content: str
    documented: Documented | None

    @property
    def code(self) -> str:
        """Return the content without the description: beside a positive without one, one would give it away."""
        return self.documented.code if self.documented else self.content


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is remembered of a chunk: where it comes from and what it is like, about 1 kB.

    `group` is (repo, path); `description` is the hash of its docstring or comment, None where it has none.
    """

    chunk_id: int
    group: tuple[str, str]
    symbol: str
    likeness: Likeness
    description: int | None


class Cosines(NamedTuple):
    """Cosines of pairs: of the whole vectors [n], and of the halves [n, 2], code first; NaN for a half unused."""

    whole: Floats
    halves: Floats


class Table:
    """The chunks with current vectors of the active generation, as one transaction sees them."""

    def __init__(self, connection: Connection, generation_id: int) -> None:
        self.connection = connection
        self.generation_id = generation_id

    def counts(self) -> tuple[int, int]:
        """Count all chunks, and those with a current vector."""
        ((chunks, embedded),) = self.connection.execute(
            queries()["chunks"], {"generation_id": self.generation_id}
        ).fetchall()
        return chunks, embedded

    def sample(self, most: int, seed: int) -> list[int]:
        """Draw chunks that have a vector, in the order in which they are drawn."""
        values = {"generation_id": self.generation_id, "longest": LONGEST, "seed": seed, "most": most}
        return [row[0] for row in self.connection.execute(queries()["sample"], values)]

    def chunks(self, chunk_ids: Sequence[int], what: str, report: Progress) -> Iterator[Chunk]:
        """Read what mining remembers of chunks, in their order; chunks of nothing but comments are left out."""
        for done, ids in self._slices(chunk_ids):
            report(what, done, len(chunk_ids))
            rows = self._contents(ids)
            for chunk_id in ids:
                chunk = _chunk(chunk_id, *rows[chunk_id]) if chunk_id in rows else None
                if chunk:
                    yield chunk
        report(what, len(chunk_ids), len(chunk_ids))

    def texts(self, chunk_ids: Sequence[int]) -> dict[int, Text]:
        """Read the texts of chunks; for one slice of triplets at a time."""
        rows = self._contents(list(chunk_ids))
        return {
            chunk_id: Text(content, documented(content, language))
            for chunk_id, (_, _, _, language, content) in rows.items()
        }

    def vectors(self, chunk_ids: Sequence[int]) -> tuple[list[int], npt.NDArray[np.float16]]:
        """Read vectors [n, 2560] of chunks, with the ids of those that have one; 5 kB each."""
        found: list[int] = []
        vectors = np.empty((len(chunk_ids), _WIDTH), np.float16)
        for _, ids in self._slices(chunk_ids):
            values = {"generation_id": self.generation_id, "chunk_ids": ids}
            rows: dict[int, bytes] = dict(
                self.connection.cursor(binary=True).execute(queries()["vectors"], values).fetchall()
            )
            for chunk_id in (one for one in ids if one in rows):
                # Two bytes of dimension and two unused stand before the numbers (source: halfvec_send in pgvector).
                vectors[len(found)] = np.frombuffer(rows[chunk_id], ">f2", offset=4)
                found.append(chunk_id)
        return found, vectors[: len(found)]

    def neighbours(self, chunk_ids: Sequence[int], k: int, report: Progress) -> Iterator[tuple[int, int]]:
        """Find the chunks nearest to each chunk by the index, as pairs (chunk, neighbour)."""
        for done, ids in self._slices(chunk_ids):
            report("looking for neighbours", done, len(chunk_ids))
            yield from self.connection.execute(queries()["neighbours"], {"chunk_ids": ids, "k": k}).fetchall()
        report("looking for neighbours", len(chunk_ids), len(chunk_ids))

    def namesakes(self, chunk_ids: Sequence[int], common: int) -> list[tuple[int, int]]:
        """Find chunks of other repositories with the same symbol, kind and language but other content, as pairs.

        Symbols that more than `common` chunks have are left out.
        """
        values = {"chunk_ids": list(chunk_ids), "common": common}
        return self.connection.execute(queries()["namesakes"], values).fetchall()

    def cosines(self, pairs: Sequence[tuple[int, int]]) -> Cosines:
        """Return the cosines of pairs of chunks; NaN where one has no current vector."""
        found = np.full((len(pairs), 3), np.nan)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = pairs[start : start + _PAIRS_AT_ONCE]
            values = {"first": [one for one, _ in part], "second": [other for _, other in part]}
            for place, *cosines in self.connection.execute(queries()["cosines"], values):
                found[start + place] = cosines
        return Cosines(found[:, 0], found[:, 1:])

    def _contents(self, ids: list[int]) -> dict[int, tuple[str, str, str, str | None, str]]:
        rows = self.connection.execute(queries()["contents"], {"chunk_ids": ids, "longest": LONGEST})
        return {
            chunk_id: (repo, path, symbol, language, content)
            for chunk_id, repo, path, symbol, language, content in rows
        }

    def _slices(self, chunk_ids: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        for start in range(0, len(chunk_ids), _SLICE):
            yield start, list(chunk_ids[start : start + _SLICE])


def queries() -> dict[str, LiteralString]:
    """Return the statements of mining.sql."""
    return load_queries("mining", "pgduet.training.mining")


def _chunk(chunk_id: int, repo: str, path: str, symbol: str, language: str | None, content: str) -> Chunk | None:
    alike = likeness(content, language, path, symbol)
    if alike is None:
        return None
    found = documented(content, language)
    # Rows without a path came from nowhere in common.
    group = (intern(repo), intern(path) if path else f"chunk {chunk_id}")
    return Chunk(chunk_id, group, symbol, alike, text_hash(found.description) if found else None)
