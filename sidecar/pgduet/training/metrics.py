"""Retrieval scores, and how far chance moves them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgduet.training.ranking import Ranks

CUT = 10
METRICS = (f"ndcg@{CUT}", f"mrr@{CUT}", f"recall@{CUT}", "recall@1")
RESAMPLES = 10_000
SEED = 20_260
_DRAWN_AT_ONCE = 1 << 22

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over queries and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def ndcg(ranks: Sequence[int] | npt.NDArray[np.int64], cut: int = CUT) -> float:
    """Return nDCG at `cut` of one query from the ranks (from 1) of all its relevant documents; each gains 1."""
    found = np.asarray([rank for rank in ranks if rank <= cut], np.float64)
    ideal = np.arange(1, min(len(ranks), cut) + 1)
    return float((1 / np.log2(found + 1)).sum() / (1 / np.log2(ideal + 1)).sum())


def reciprocal_rank(ranks: Sequence[int] | npt.NDArray[np.int64], cut: int = CUT) -> float:
    """Return 1 / rank of the first relevant document, or 0 when it stands behind `cut`."""
    first = min(ranks)
    return 1 / float(first) if first <= cut else 0.0


def recall(ranks: Sequence[int] | npt.NDArray[np.int64], cut: int = CUT) -> float:
    """Return the share of the relevant documents that stand among the first `cut`."""
    return sum(int(rank) <= cut for rank in ranks) / len(ranks)


def score(ranks: Ranks) -> Values:
    """Return the METRICS of every query, [n, 4], from the ranks of its relevant documents."""
    rows = [(ndcg(one), reciprocal_rank(one), recall(one), recall(one, 1)) for one in ranks]
    return np.array(rows, np.float64).reshape(-1, len(METRICS))


def estimate(values: Values, resamples: int = RESAMPLES, seed: int = SEED) -> list[Estimate]:
    """Return the mean of every column of `values` [n, m] with its 95 % interval.

    Percentile bootstrap: queries are drawn n at a time with replacement, `resamples` times, from a fixed seed, the
    same draws for every column. Equal inputs give equal intervals. For the difference of two systems give the
    differences query by query: that interval is paired.
    """
    count = len(values)
    drawn = np.empty((resamples, values.shape[1]))
    generator = np.random.default_rng(seed)
    step = max(1, _DRAWN_AT_ONCE // count)
    for start in range(0, resamples, step):
        rows = generator.integers(0, count, (min(step, resamples - start), count))
        for column in range(values.shape[1]):
            drawn[start : start + len(rows), column] = values[:, column][rows].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [Estimate(float(m), float(a), float(b)) for m, a, b in zip(values.mean(axis=0), low, high, strict=True)]
