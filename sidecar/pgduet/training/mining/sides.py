"""Which chunk is on which side: training, dev or test, so that nothing that is held out is ever learned from."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgduet.training.mining.copies import Sets
from pgduet.training.mining.options import SIDES, Side
from pgduet.training.mining.table import Chunk

# Of all groups 80 % train, 10 % are looked at while training, 10 % at the end.
_TRAIN, _DEV = 0.8, 0.9
# Groups that share so much of the smaller one move together: forks and copied files. Single copies need no more than
# to stay on one side.
_SHARED = 0.3
# But no more than this share of all chunks: else nothing would be left to hold out.
_LARGEST = 0.5
# Each side needs so large a share of chunks, or repositories are too few to be split by.
_LEAST_SIDE = 0.03


@dataclass(frozen=True)
class Sides:
    """The side of each chunk, None for a copy of what is on another side; `by` is repo or path.

    `groups` counts repositories (or files), `joined` those that move together with another.
    """

    by: str
    sides: list[Side | None]
    groups: int
    joined: int

    @property
    def left_out(self) -> int:
        """Count the copies that are on no side."""
        return self.sides.count(None)


def split(chunks: Sequence[Chunk], clusters: Sequence[int]) -> Sides:
    """Split by repository, or by file where that leaves a side without chunks.

    A group's side hangs on its name alone and stays the same from run to run. Groups that share three in ten of their
    chunks, as `clusters` of copies tell it, move together. A cluster that is on several sides even so is kept on the
    one that has most of it.
    """
    by_repo = _split("repo", [chunk.group[0] for chunk in chunks], clusters)
    found = Counter(by_repo.sides)
    if all(found[side] >= max(1, _LEAST_SIDE * len(chunks)) for side in SIDES):
        return by_repo
    return _split("path", ["\0".join(chunk.group) for chunk in chunks], clusters)


def side_of(group: str) -> Side:
    """Return the side that the name of a group falls on."""
    share = int.from_bytes(hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
    return "train" if share < _TRAIN else "dev" if share < _DEV else "test"


def _split(by: str, groups: list[str], clusters: Sequence[int]) -> Sides:
    names = sorted(set(groups))
    numbers = {name: number for number, name in enumerate(names)}
    together = _together([numbers[group] for group in groups], len(names), clusters)
    # The lowest number is the first name: it names the whole.
    sides: list[Side | None] = [side_of(names[together.find(numbers[group])]) for group in groups]
    members: dict[int, list[int]] = {}
    for chunk, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(chunk)
    for some in members.values():
        found = Counter(sides[chunk] for chunk in some)
        if len(found) > 1:
            kept = max(SIDES, key=lambda side: found[side])
            for chunk in some:
                sides[chunk] = kept if sides[chunk] == kept else None
    joined = sum(together.find(number) != number for number in range(len(names)))
    return Sides(by, sides, len(names), joined)


def _together(groups: list[int], count: int, clusters: Sequence[int]) -> Sets:
    """Join groups that share copies, those that share most first, up to the largest size that may be."""
    inside: dict[int, set[int]] = {}
    for group, cluster in zip(groups, clusters, strict=True):
        inside.setdefault(cluster, set()).add(group)
    shared: Counter[tuple[int, int]] = Counter()
    for some in inside.values():
        # Neighbours in the order of names suffice, and a phrase in a thousand files makes no million of pairs.
        shared.update(pairwise(sorted(some)))
    sizes = Counter(groups)
    shares = {pair: number / min(sizes[pair[0]], sizes[pair[1]]) for pair, number in shared.items()}
    sets = Sets(count)
    for pair in sorted(shares, key=lambda pair: (-shares[pair], pair)):
        first, second = (sets.find(group) for group in pair)
        size = sizes[first] + sizes[second]
        if first != second and shares[pair] >= _SHARED and size <= _LARGEST * len(groups):
            sets.join(first, second)
            sizes[min(first, second)] = size
    return sets
