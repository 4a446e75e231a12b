"""Which two texts mean the same: by structure, or by cosine."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pgduet.training.mining.copies import phrases
from pgduet.training.mining.nearest import Near
from pgduet.training.mining.options import Kind, Side
from pgduet.training.mining.table import Chunk
from pgduet.training.mining.thresholds import Thresholds

_UNKNOWN = (float("nan"),) * 3


class Pair(NamedTuple):
    """Hold the rows of an anchor and its positive (the same for a docstring), and their three cosines."""

    kind: Kind
    anchor: int
    positive: int
    cosines: tuple[float, float, float]


class Positives:
    """Finds the pairs of each anchor; copies of one code give anchors once."""

    def __init__(
        self, chunks: Sequence[Chunk], sides: Sequence[Side | None], thresholds: Thresholds, rejected: Counter[str]
    ) -> None:
        self._chunks = chunks
        self._sides = sides
        self._thresholds = thresholds
        self._rejected = rejected

    def anchors(self, count: int) -> list[int]:
        """Return those of the first `count` chunks that are on a side, of equal ones the first."""
        seen: set[int] = set()
        found = []
        for row in range(count):
            plain = self._chunks[row].likeness.plain
            if self._sides[row] is None or plain in seen:
                self._rejected["copy as an anchor"] += 1
            else:
                seen.add(plain)
                found.append(row)
        return found

    def of_docstrings(self, anchors: Sequence[int]) -> Iterator[Pair]:
        """Give each description with its code; a phrase that many share, and a second use of one, are left out."""
        seen = phrases(self._chunks)
        for row in anchors:
            description = self._chunks[row].description
            if description is None:
                continue
            if description in seen:
                self._rejected["description in use elsewhere"] += 1
            else:
                seen.add(description)
                yield Pair("docstring", row, row, _UNKNOWN)

    def of_pairs(self, kind: Kind, anchors: Sequence[int], near: Near) -> Iterator[Pair]:
        """Give each anchor its most similar partner that passes: on its side, no copy, and near enough.

        For the kind `cosine` near enough is the positive threshold, for a namesake what chance does not reach.
        """
        test = self._thresholds.positive if kind == "cosine" else self._thresholds.alike
        passed = test(near.cosines.halves)
        ranges = near.ranges()
        for row in anchors:
            for at in sorted(ranges.get(row, ()), key=lambda at: -near.cosines.whole[at]):
                other = int(near.neighbour[at])
                if passed[at] and self._may_pair(row, other):
                    yield Pair(kind, row, other, (near.cosines.whole[at], *near.cosines.halves[at]))
                    break

    def _may_pair(self, row: int, other: int) -> bool:
        one, two = self._chunks[row].likeness, self._chunks[other].likeness
        if one.plain == two.plain or (one.renamed is not None and one.renamed == two.renamed):
            self._rejected["copy as a positive"] += 1
            return False
        if self._sides[row] != self._sides[other]:
            self._rejected["positive on another side"] += 1
            return False
        return True


def distinct(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Leave out a pair that came before, in whatever order."""
    seen: set[frozenset[int]] = set()
    for pair in pairs:
        both = frozenset((pair.anchor, pair.positive))
        if len(both) == 1 or both not in seen:
            seen.add(both)
            yield pair
