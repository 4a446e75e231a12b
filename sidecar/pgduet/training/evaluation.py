"""Retrieval scores of a duet and of its halves alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgduet.training.calibration import Calibration, Split, calibrate
from pgduet.training.metrics import METRICS, Estimate, estimate, score
from pgduet.training.ranking import TIES, Halves, rank_all

Weights = tuple[float, float]
BOTH, CODE, TEXT = "both", "code", "text"
# The pair with the weights of its manifest, where `both` has calibrated ones.
BEFORE = "before"
ALONE: dict[str, Weights] = {CODE: (1.0, 0.0), TEXT: (0.0, 1.0)}


@dataclass(frozen=True)
class Result:
    """The scores of one way to rank, by metric."""

    part: str
    weights: Weights
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


def evaluate(
    queries: Halves,
    documents: Halves,
    relevant: Sequence[Sequence[int]],
    weights: Weights,
    before: Weights | None = None,
    tie: float = TIES["float32"],
) -> Evaluation:
    """Rank all documents for every query by the pair with `weights` and by each half alone, and score the rankings.

    Documents whose scores differ by no more than `tie` are equal, see ranking.TIES. With `before` the pair is also
    ranked with those weights, for comparison. Differences are those of the pair to each of the others.
    """
    ways: Mapping[str, Weights] = {BOTH: weights, **ALONE, **({BEFORE: before} if before else {})}
    ranked = rank_all(queries, documents, relevant, list(ways.values()), tie)
    values = {part: score(ranks) for part, ranks in zip(ways, ranked, strict=True)}
    results = [Result(part, ways[part], _named(estimate(one))) for part, one in values.items()]
    differences = [
        Difference(BOTH, part, _named(estimate(values[BOTH] - one))) for part, one in values.items() if part != BOTH
    ]
    return Evaluation(len(queries), results, differences)


def evaluate_calibrated(
    chosen: Split,
    queries: Halves,
    documents: Halves,
    relevant: Sequence[Sequence[int]],
    before: Weights,
    tie: float = TIES["float32"],
) -> tuple[Calibration, Evaluation]:
    """Calibrate the weights on some of the queries and score them on the others, beside the weights `before`."""
    calibration = calibrate(queries.take(chosen.calibrating), documents)
    answers = [relevant[row] for row in chosen.scored]
    return calibration, evaluate(queries.take(chosen.scored), documents, answers, calibration.weights, before, tie)


def _named(estimates: list[Estimate]) -> dict[str, Estimate]:
    return dict(zip(METRICS, estimates, strict=True))
