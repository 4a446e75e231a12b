"""From which cosine two chunks mean the same, and under which they have nothing in common, for each half."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.training.mining.table import Floats

# A threshold is of use where so many pairs are on its side, and so few random pairs on the wrong one.
_LEAST_YIELD = 0.01
_MOST_WRONG = 0.01
# Where absolute cosines are of no use: what so many percent of random pairs do not reach.
_POSITIVE_PERCENTILE = 99.5
_NEGATIVE_PERCENTILE = 50.0
_ALIKE_PERCENTILE = 95.0


class Wanted(NamedTuple):
    """Hold the admin's settings: cosines."""

    positive: float
    negative: float


@dataclass(frozen=True)
class Threshold:
    """The thresholds of one half, and where they come from: `absolute` or `percentile`.

    `positive_yield` is the share of nearest pairs at or above `positive`, `negative_yield` that of random pairs under
    `negative`; `alike` is what 95 % of random pairs do not reach.
    """

    half: str
    by: str
    positive: float
    negative: float
    alike: float
    positive_yield: float
    negative_yield: float


class Thresholds(tuple[Threshold, ...]):
    """The thresholds of the halves that are in use; a pair passes where each of its halves does."""

    def positive(self, halves: Floats) -> npt.NDArray[np.bool_]:
        """Tell which pairs [n, 2] mean the same."""
        return self._all(halves, lambda cosines, one: cosines >= one.positive)

    def negative(self, halves: Floats) -> npt.NDArray[np.bool_]:
        """Tell which pairs [n, 2] have nothing in common."""
        return self._all(halves, lambda cosines, one: cosines < one.negative)

    def alike(self, halves: Floats) -> npt.NDArray[np.bool_]:
        """Tell which pairs [n, 2] are more alike than chance makes them."""
        return self._all(halves, lambda cosines, one: cosines >= one.alike)

    def _all(
        self, halves: Floats, test: "Callable[[Floats, Threshold], npt.NDArray[np.bool_]]"
    ) -> npt.NDArray[np.bool_]:
        passed = np.full(len(halves), bool(self))
        for one in self:
            passed &= test(halves[:, ("code", "text").index(one.half)], one)
        return passed


def choose(wanted: Wanted, random: Floats, nearest: Floats) -> Thresholds:
    """Choose thresholds for each half from the cosines of random pairs [n, 2] and of nearest pairs [m, 2].

    The wanted cosines are taken where they separate: of nearest pairs one in a hundred is above, of random pairs one in
    a hundred is under, and hardly one is above. Otherwise percentiles of random pairs take their place. A half without
    cosines is left out.
    """
    found = []
    for column, half in enumerate(("code", "text")):
        drawn, near = (part[:, column][np.isfinite(part[:, column])] for part in (random, nearest))
        if len(drawn) and len(near):
            found.append(_of_half(half, wanted, drawn, near))
    return Thresholds(found)


def _of_half(half: str, wanted: Wanted, drawn: Floats, near: Floats) -> Threshold:
    useful = (
        (near >= wanted.positive).mean() >= _LEAST_YIELD
        and (drawn < wanted.negative).mean() >= _LEAST_YIELD
        and (drawn >= wanted.positive).mean() <= _MOST_WRONG
    )
    positive, negative = wanted
    if not useful:
        positive, negative = np.percentile(drawn, (_POSITIVE_PERCENTILE, _NEGATIVE_PERCENTILE))
    positive, negative = round(float(positive), 4), round(float(negative), 4)
    return Threshold(
        half,
        "absolute" if useful else "percentile",
        positive,
        negative,
        round(float(np.percentile(drawn, _ALIKE_PERCENTILE)), 4),
        round(float((near >= positive).mean()), 4),
        round(float((drawn < negative).mean()), 4),
    )
