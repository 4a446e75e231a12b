"""Retrieval scores of a duet, of its halves alone, and of other ways to rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pgduet.training.calibration import Calibration, Split, calibrate
from pgduet.training.metrics import METRICS, Estimate, Values, estimate, score
from pgduet.training.ranking import TIES, Halves, Ranks, rank_all

Weights = tuple[float, float]
Rows = Sequence[Sequence[int]]
BOTH, CODE, TEXT = "both", "code", "text"
# The pair with the weights of its manifest, where `both` has calibrated ones.
BEFORE = "before"
BM25 = "bm25"
# The pair of another duet.
AGAINST = "against"
ALONE: dict[str, Weights] = {CODE: (1.0, 0.0), TEXT: (0.0, 1.0)}


@dataclass(frozen=True)
class Result:
    """The scores of one way to rank, by metric; `weights` are those of the halves, None where there are none."""

    part: str
    weights: Weights | None
    scores: dict[str, Estimate]


@dataclass(frozen=True)
class Difference:
    """How much `better` scores above `other`, query by query, by metric."""

    better: str
    other: str
    scores: dict[str, Estimate]


@dataclass(frozen=True)
class Evaluation:
    """The scores over `queries` queries, and the differences that matter."""

    queries: int
    results: list[Result]
    differences: list[Difference]

    def of(self, part: str) -> Result:
        """Return the result of a part."""
        return next(result for result in self.results if result.part == part)


@dataclass(frozen=True)
class Other:
    """Another way to rank: the METRICS of every query [n, 4], and the weights of its halves if it has any."""

    part: str
    values: Values
    weights: Weights | None = None


def evaluate(
    queries: Halves,
    documents: Halves,
    relevant: Rows,
    weights: Weights,
    before: Weights | None = None,
    tie: float = TIES["float32"],
    own: Rows | None = None,
    others: Sequence[Other] = (),
) -> Evaluation:
    """Rank all documents for every query by the pair with `weights` and by each half alone, and score the rankings.

    Documents whose scores differ by no more than `tie` are equal, see ranking.TIES; the rows `own` of a query are not
    ranked for it. With `before` the pair is also ranked with those weights, for comparison. Differences are those of
    the pair to each of the others.
    """
    ways: Mapping[str, Weights] = {BOTH: weights, **ALONE, **({BEFORE: before} if before else {})}
    measured = values_of(queries, documents, relevant, list(ways.values()), tie, own)
    all_ways = [Other(part, values, ways[part]) for part, values in zip(ways, measured, strict=True)] + list(others)
    both = all_ways[0].values
    results = [Result(one.part, one.weights, _named(estimate(one.values))) for one in all_ways]
    differences = [Difference(BOTH, one.part, _named(estimate(both - one.values))) for one in all_ways[1:]]
    return Evaluation(len(queries), results, differences)


def evaluate_calibrated(
    chosen: Split,
    queries: Halves,
    documents: Halves,
    relevant: Rows,
    before: Weights,
    tie: float = TIES["float32"],
    own: Rows | None = None,
    others: Sequence[Other] = (),
) -> tuple[Calibration, Evaluation]:
    """Calibrate the weights on some of the queries and score them on the others, beside the weights `before`.

    `relevant`, `own` and `others` are of all queries.
    """
    calibration = calibrate(queries.take(chosen.calibrating), documents)
    scored = evaluate(
        queries.take(chosen.scored),
        documents,
        [relevant[row] for row in chosen.scored],
        calibration.weights,
        before,
        tie,
        own and [own[row] for row in chosen.scored],
        [replace(one, values=one.values[chosen.scored]) for one in others],
    )
    return calibration, scored


def values_of(
    queries: Halves,
    documents: Halves,
    relevant: Rows,
    weights: Sequence[Weights],
    tie: float = TIES["float32"],
    own: Rows | None = None,
) -> list[Values]:
    """Return the METRICS of every query [n, 4], once for each pair of `weights`."""
    return [score(ranks) for ranks in _ranks(queries, documents, relevant, weights, tie, own)]


def _ranks(
    queries: Halves, documents: Halves, relevant: Rows, weights: Sequence[Weights], tie: float, own: Rows | None
) -> list[Ranks]:
    """Rank, for queries that leave out the same documents at once; a document left out is as one without a vector."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for query in range(len(queries)):
        groups.setdefault(tuple(own[query]) if own else (), []).append(query)
    result: list[Ranks] = [[np.empty(0, np.int64)] * len(queries) for _ in weights]
    for left_out, rows in groups.items():
        finite = documents.finite.copy()
        finite[list(left_out)] = False
        seen = replace(documents, finite=finite)
        ranked = rank_all(queries.take(rows), seen, [relevant[row] for row in rows], weights, tie)
        for ranks, some in zip(result, ranked, strict=True):
            for row, one in zip(rows, some, strict=True):
                ranks[row] = one
    return result


def _named(estimates: list[Estimate]) -> dict[str, Estimate]:
    return dict(zip(METRICS, estimates, strict=True))
