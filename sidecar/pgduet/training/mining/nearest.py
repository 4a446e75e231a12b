"""The neighbours of each chunk: by measuring all pairs where the table is small, by the index where it is not."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.training.mining.options import Progress
from pgduet.training.mining.table import Chunk, Cosines, Ids, Table

# Measuring all pairs takes 15 kB a chunk and, for so many, about as long as asking the index.
SMALL = 20_000
# Copies of neighbours count among the first; a search leaves them out by itself.
_EXACT, _INDEX = 24, 10
_BLOCK = 256
_CODE = 1536


class Near(NamedTuple):
    """Pairs of a chunk [n] and its neighbour [n] with their cosines, all of one chunk together."""

    chunk: Ids
    neighbour: Ids
    cosines: Cosines

    def ranges(self) -> dict[int, range]:
        """Return where the pairs of each chunk stand."""
        starts = np.flatnonzero(np.diff(self.chunk, prepend=-1, append=-1)).tolist()
        return {int(self.chunk[start]): range(start, end) for start, end in pairwise(starts)}


def measured(table: Table, chunks: Sequence[Chunk], report: Progress) -> Near:
    """Find the nearest chunks of each among all of `chunks` by exact cosine; pairs of row numbers.

    Copies of the chunk itself are left out.
    """
    found, halfs = table.vectors([chunk.chunk_id for chunk in chunks])
    rows = {chunk.chunk_id: row for row, chunk in enumerate(chunks)}
    row_of = np.array([rows[chunk_id] for chunk_id in found], np.int64)
    plain = np.array([chunks[row].likeness.plain for row in row_of.tolist()], np.uint64)
    vectors = halfs.astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    k = min(_EXACT, len(vectors))
    parts: list[tuple[npt.NDArray[np.int64], ...]] = []
    cosines = []
    for start in range(0, len(vectors), _BLOCK):
        report("looking for neighbours", start, len(vectors))
        block = slice(start, start + _BLOCK)
        scores = vectors[block] @ vectors.T
        scores[plain[block, None] == plain[None, :]] = -np.inf
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best.sort(axis=1)
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable"), 1)
        whole = np.take_along_axis(scores, best, 1)
        real = np.isfinite(whole)
        anchors = np.broadcast_to(np.arange(start, start + len(scores))[:, None], best.shape)[real]
        parts.append((row_of[anchors], row_of[best[real]]))
        cosines.append(_cosines(vectors, anchors, best[real], whole[real]))
    report("looking for neighbours", len(vectors), len(vectors))
    if not parts:
        return Near(np.empty(0, np.int64), np.empty(0, np.int64), Cosines(np.empty(0), np.empty((0, 2))))
    first, second = (np.concatenate(part) for part in zip(*parts, strict=True))
    whole_cosines, halves = (np.concatenate(part) for part in zip(*cosines, strict=True))
    return Near(first, second, Cosines(whole_cosines, halves))


def searched(table: Table, chunk_ids: Sequence[int], report: Progress) -> list[tuple[int, int]]:
    """Find the nearest chunks of each in the whole table, as a search finds them; pairs of ids, best first."""
    return list(table.neighbours(chunk_ids, _INDEX, report))


def _cosines(vectors: npt.NDArray[np.float32], first: Ids, second: Ids, whole: npt.NDArray[np.float32]) -> Cosines:
    halves = np.empty((len(first), 2))
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        one, other = vectors[first[part]], vectors[second[part]]
        for column, half in enumerate((slice(0, _CODE), slice(_CODE, None))):
            a, b = one[:, half], other[:, half]
            lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
            # A half without weight has no direction.
            dots = (a * b).sum(axis=1)
            halves[part, column] = np.divide(
                dots, lengths, out=np.full(len(dots), np.nan, np.float32), where=lengths > 0
            )
    return Cosines(whole.astype(np.float64), halves)
