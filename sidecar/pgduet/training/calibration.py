"""The weights of the halves, so that both move the ranking alike."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgduet.training.errors import CalibrationError
from pgduet.training.ranking import Halves

PAIRS = 20_000
SEED = 5
_LEAST_PAIRS = 100
_AT_ONCE = 2_000
# Less spread than this between unrelated texts is rounding, not meaning.
_LEAST_STD = 1e-5


@dataclass(frozen=True)
class Calibration:
    """Weights that sum to one, and the spread (std) of each half's cosines over the sample that they come from."""

    weights: tuple[float, float]
    code_std: float
    text_std: float
    pairs: int
    queries: int
    documents: int


@dataclass(frozen=True)
class Split:
    """The rows of the queries to calibrate on, and of those to score."""

    calibrating: list[int]
    scored: list[int]


def inverse_spread(code_std: float, text_std: float) -> tuple[float, float]:
    """Return weights proportional to 1 / std: weighted so, both halves' cosines spread alike."""
    total = 1 / code_std + 1 / text_std
    return 1 / code_std / total, 1 / text_std / total


def calibrate(queries: Halves, documents: Halves) -> Calibration:
    """Weigh the halves by the spread of their query-document cosines over 20,000 random pairs (all, if fewer).

    The pairs are drawn with replacement from a fixed seed; which document answers a query is not used. The code weight
    is rounded to four digits. Raises CalibrationError when there are fewer than 100 pairs, or a half hardly tells texts
    apart.
    """
    queries, documents = queries.take(np.flatnonzero(queries.finite)), documents.take(np.flatnonzero(documents.finite))
    possible = len(queries) * len(documents)
    if possible < _LEAST_PAIRS:
        raise CalibrationError(
            f"{len(queries)} queries with {len(documents)} codes are {possible} pairs: too few to calibrate on",
            hint=f"give at least {_LEAST_PAIRS} pairs, better {PAIRS}",
        )
    code, text = _cosines(queries, documents, _sample(possible))
    code_std, text_std = float(code.std()), float(text.std())
    for half, std in (("code", code_std), ("text", text_std)):
        if std < _LEAST_STD:
            raise CalibrationError(
                f"the {half} half gives the same cosine ({std:.1e} of spread) whatever the texts are",
                hint="look at its encoder first: pgduet models verify, pgduet models probe",
            )
    weight = round(inverse_spread(code_std, text_std)[0], 4)
    return Calibration((weight, round(1 - weight, 4)), code_std, text_std, len(code), len(queries), len(documents))


def split(texts: list[str]) -> Split:
    """Split queries into two halves by the order of their sha256.

    The order of the file does not matter. Raises CalibrationError for fewer than two queries.
    """
    if len(texts) < 2:
        raise CalibrationError("one query cannot be split into two halves", hint="give at least 2 queries, better 200")
    order = sorted(
        range(len(texts)), key=lambda row: hashlib.sha256(texts[row].encode("utf-8", "surrogatepass")).digest()
    )
    middle = len(texts) // 2
    return Split(sorted(order[:middle]), sorted(order[middle:]))


def _sample(possible: int) -> npt.NDArray[np.int64]:
    if possible <= PAIRS:
        return np.arange(possible)
    return np.random.default_rng(SEED).integers(0, possible, PAIRS)


def _cosines(queries: Halves, documents: Halves, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the cosines [2, pairs] of the code and of the text half."""
    parts = []
    for start in range(0, len(pairs), _AT_ONCE):
        query, document = np.divmod(pairs[start : start + _AT_ONCE], len(documents))
        asked, stored = queries.take(query), documents.take(document)
        parts.append([(asked.code * stored.code).sum(axis=1), (asked.text * stored.text).sum(axis=1)])
    return np.concatenate(parts, axis=1).astype(np.float64)
