"""Which texts do not mean the same: near ones from the index, guarded against copies, and drawn ones."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from pgduet.training.mining.nearest import Near
from pgduet.training.mining.options import Options, Side
from pgduet.training.mining.positives import Pair
from pgduet.training.mining.table import Chunk, Table
from pgduet.training.mining.thresholds import Thresholds

# A near chunk that comes so close to the positive's similarity may be an answer too.
MARGIN = 0.95
# How often another chunk is drawn where one was not dissimilar enough.
_DRAWS = 8


class Negative(NamedTuple):
    """Hold the row of a negative and its three cosines to the anchor's chunk."""

    kind: Literal["hard", "random"]
    row: int
    cosines: tuple[float, float, float]


class Negatives:
    """Finds the negatives of pairs, all on the pair's own side."""

    def __init__(
        self,
        chunks: Sequence[Chunk],
        clusters: Sequence[int],
        sides: Sequence[Side | None],
        thresholds: Thresholds,
        rejected: Counter[str],
    ) -> None:
        self._chunks = chunks
        self._clusters = clusters
        self._sides = sides
        self._thresholds = thresholds
        self._rejected = rejected

    def hard(self, pairs: Sequence[Pair], near: Near, most: int) -> list[list[Negative]]:
        """Return up to `most` of the nearest chunks for each pair that pass the guard, best first."""
        positive = self._thresholds.positive(near.cosines.halves)
        ranges = near.ranges()
        found = []
        for pair in pairs:
            some: list[Negative] = []
            for at in ranges.get(pair.anchor, ()):
                if len(some) == most:
                    break
                row, similarity = int(near.neighbour[at]), float(near.cosines.whole[at])
                reason = self._why_not(pair, row) or self._why_too_near(pair, similarity, bool(positive[at]))
                if reason:
                    self._rejected[reason] += 1
                else:
                    some.append(Negative("hard", row, (similarity, *near.cosines.halves[at].tolist())))
            found.append(some)
        return found

    def drawn(
        self, pairs: Sequence[Pair], taken: Sequence[Sequence[Negative]], table: Table, options: Options
    ) -> list[list[Negative]]:
        """Draw up to `random` chunks for each pair that have nothing in common with its anchor, none of `taken`."""
        draw = np.random.default_rng([options.seed, 1])
        pools = {
            side: np.array([row for row, found in enumerate(self._sides) if found == side], np.int64)
            for side in dict.fromkeys(self._sides)
            if side is not None
        }
        found: list[list[Negative]] = [[] for _ in pairs]
        for _ in range(_DRAWS * options.random):
            tried = []
            for number, pair in enumerate(pairs):
                if len(found[number]) < options.random:
                    pool = pools[self._side(pair)]
                    row = int(pool[draw.integers(len(pool))])
                    used = {one.row for one in (*taken[number], *found[number])}
                    if row not in used and not self._why_not(pair, row):
                        tried.append((number, row))
            ids = [(self._chunks[pairs[number].anchor].chunk_id, self._chunks[row].chunk_id) for number, row in tried]
            cosines = table.cosines(ids)
            passed = self._thresholds.negative(cosines.halves)
            for at, (number, row) in enumerate(tried):
                if passed[at]:
                    values = (float(cosines.whole[at]), *cosines.halves[at].tolist())
                    found[number].append(Negative("random", row, values))
            self._rejected["drawn, but too similar"] += int((~passed).sum())
        return found

    def _side(self, pair: Pair) -> Side:
        side = self._sides[pair.anchor]
        assert side is not None
        return side

    def _why_not(self, pair: Pair, row: int) -> str | None:
        """Say what stands against a chunk whatever its vector is."""
        if self._clusters[row] in (self._clusters[pair.anchor], self._clusters[pair.positive]):
            return "copy as a negative"
        symbols = {self._chunks[pair.anchor].symbol, self._chunks[pair.positive].symbol} - {""}
        if self._chunks[row].symbol in symbols:
            return "same symbol as a negative"
        if self._sides[row] != self._sides[pair.anchor]:
            return "negative on another side"
        return None

    def _why_too_near(self, pair: Pair, similarity: float, positive: bool) -> str | None:
        if positive:
            return "positive as a negative"
        # A docstring's code is the anchor's own chunk, whose similarity is 1.
        limit = MARGIN * (1.0 if pair.kind == "docstring" else pair.cosines[0])
        return "as similar as the positive" if similarity > limit else None
