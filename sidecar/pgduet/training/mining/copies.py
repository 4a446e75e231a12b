"""Clusters of chunks that are copies of each other, or nearly."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgduet.training.mining.likeness import HASHES, are_near
from pgduet.training.mining.table import Chunk

# Four hashes a band: of near-copies that share 80 % all but one in ten million meet in a band.
_BAND = 4
# In a band many may meet; with so many before it each is compared.
_COMPARED = 8
# A description that more chunks have is a phrase, and makes no copies of them.
COMMON = 5


class Sets:
    """Elements 0 to n - 1 in sets that can be joined."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def find(self, element: int) -> int:
        """Return the element that stands for the set of an element: its lowest."""
        while self._above[element] != element:
            self._above[element] = self._above[self._above[element]]
            element = self._above[element]
        return element

    def join(self, first: int, second: int) -> None:
        """Make one set of the sets of two elements."""
        low, high = sorted((self.find(first), self.find(second)))
        self._above[high] = low


def clusters(chunks: Sequence[Chunk]) -> list[int]:
    """Number the cluster of each chunk: equal numbers for copies, renamed copies, near-copies and shared descriptions.

    Comments, white space and names of files play no part. Takes 0.1 ms and 0.2 kB a chunk.
    """
    sets = Sets(len(chunks))
    for key in ("plain", "renamed"):
        _join_equal(sets, (getattr(chunk.likeness, key) for chunk in chunks))
    common = phrases(chunks)
    _join_equal(sets, (None if chunk.description in common else chunk.description for chunk in chunks))
    if chunks:
        _join_near(sets, np.stack([chunk.likeness.signature for chunk in chunks]))
    return [sets.find(element) for element in range(len(chunks))]


def phrases(chunks: Iterable[Chunk]) -> set[int]:
    """Return the descriptions that stand above more different codes than say anything about one of them."""
    codes: dict[int, set[int]] = {}
    for chunk in chunks:
        if chunk.description is not None:
            codes.setdefault(chunk.description, set()).add(chunk.likeness.plain)
    return {description for description, different in codes.items() if len(different) > COMMON}


def _join_equal(sets: Sets, keys: Iterable[Hashable | None]) -> None:
    first: dict[Any, int] = {}
    for element, key in enumerate(keys):
        if key is not None:
            sets.join(first.setdefault(key, element), element)


def _join_near(sets: Sets, signatures: npt.NDArray[np.uint32]) -> None:
    """Join rows that agree on a whole band, and over all; one band at a time, to keep memory low."""
    for start in range(0, HASHES, _BAND):
        band = np.ascontiguousarray(signatures[:, start : start + _BAND]).view(f"V{4 * _BAND}").ravel()
        _, numbers = np.unique(band, return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        for meeting in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            if len(meeting) > 1:
                _join_meeting(sets, signatures, meeting.tolist())


def _join_meeting(sets: Sets, signatures: npt.NDArray[np.uint32], meeting: list[int]) -> None:
    for place, element in enumerate(meeting):
        for other in meeting[max(0, place - _COMPARED) : place]:
            if sets.find(element) != sets.find(other) and are_near(signatures[element], signatures[other]):
                sets.join(element, other)
