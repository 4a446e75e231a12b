"""Where the answers rank among all documents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ranks = list[npt.NDArray[np.int64]]

# A text's scores depend on its batch by about this much (measured in bfloat16: up to 4.3e-4): documents nearer than
# that are equal.
TIES = {"float32": 1e-6, "bfloat16": 1e-3, "int8": 1e-6}
NOT_FOUND = np.iinfo(np.int64).max
_SCORES_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class Halves:
    """Unit rows of the code half [n, a] and of the text half [n, b], and which rows are usable."""

    code: Floats
    text: Floats
    finite: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.finite)

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> "Halves":
        """Return some of the rows, in the order given."""
        return Halves(self.code[rows], self.text[rows], self.finite[rows])


def ranks_of(scores: Floats, relevant: Sequence[int], tie: float = TIES["float32"]) -> npt.NDArray[np.int64]:
    """Return the ranks (from 1, ascending) of the relevant ones among the scores [n] of all documents.

    Equal scores, to within `tie`, count against the relevant one: every other document that is as good stands before
    it. A relevant one whose score is not finite has the rank NOT_FOUND.
    """
    of_relevant = np.sort(scores[list(relevant)])[::-1]
    as_good = (scores[None, :] >= of_relevant[:, None] - tie).sum(axis=1)
    as_good_relevant = (of_relevant[None, :] >= of_relevant[:, None] - tie).sum(axis=1)
    ranks: npt.NDArray[np.int64] = as_good - as_good_relevant + np.arange(1, len(of_relevant) + 1)
    return np.where(np.isfinite(of_relevant), ranks, NOT_FOUND)


def rank_all(
    queries: Halves,
    documents: Halves,
    relevant: Sequence[Sequence[int]],
    weights: Sequence[tuple[float, float]],
    tie: float = TIES["float32"],
) -> list[Ranks]:
    """Rank every document for every query, once for each (code, text) pair of `weights`.

    Returns the ranks of the relevant documents: `result[w][q]`. A document without a usable vector is never found, and
    a query without one finds nothing. Beside the vectors it takes 32 MB for each kind of score, whatever the corpus.
    """
    result: list[Ranks] = [[] for _ in weights]
    for rows in _blocks(len(queries), len(documents)):
        code = queries.code[rows] @ documents.code.T
        text = queries.text[rows] @ documents.text.T
        for ranks, (code_weight, text_weight) in zip(result, weights, strict=True):
            scores = np.float32(code_weight) * code + np.float32(text_weight) * text
            scores[:, ~documents.finite] = -np.inf
            scores[~queries.finite[rows]] = -np.inf
            ranks += [ranks_of(row, relevant[query], tie) for row, query in zip(scores, rows, strict=True)]
    return result


def _blocks(queries: int, documents: int) -> Iterator[range]:
    size = max(1, _SCORES_AT_ONCE // max(1, documents))
    for start in range(0, queries, size):
        yield range(start, min(start + size, queries))
