"""The score of a trainee on pairs that it does not learn from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.encoding.manifest import Role
from pgduet.training.metrics import score
from pgduet.training.ranking import Halves, rank_all
from pgduet.training.vectors import encode

if TYPE_CHECKING:
    from pgduet.encoding import Duet

Pair = tuple[str, str]
Weights = tuple[float, float]
Scores = npt.NDArray[np.float64]


class Encoded(NamedTuple):
    """The halves of the questions and of the documents, as the duet gave them at one time."""

    queries: Halves
    documents: Halves


class HeldOut:
    """Questions and the documents that answer them; every document is ranked for every question."""

    def __init__(self, duet: "Duet", pairs: Sequence[Pair], others: Sequence[str] = ()) -> None:
        """Take pairs of a question and a document that answers it, and documents that answer none."""
        self._duet = duet
        self._documents = list(dict.fromkeys([*(document for _, document in pairs), *others]))
        row = {document: number for number, document in enumerate(self._documents)}
        answers: dict[str, set[int]] = {}
        for question, document in pairs:
            answers.setdefault(question, set()).add(row[document])
        self._questions = list(answers)
        self._relevant = [sorted(rows) for rows in answers.values()]

    def __len__(self) -> int:
        """Count the questions."""
        return len(self._questions)

    def encoded(self) -> Encoded:
        """Encode everything with the duet as it is now."""
        return Encoded(
            encode(self._duet, self._questions, Role.QUERY, _silent),
            encode(self._duet, self._documents, Role.DOCUMENT, _silent),
        )

    def values(self, encoded: Encoded, weights: Sequence[Weights]) -> list[Scores]:
        """Return nDCG@10 of each question, once for each (code, text) weights."""
        return [score(ranks)[:, 0] for ranks in rank_all(*encoded, self._relevant, weights)]

    def score(self) -> float:
        """Return the mean nDCG@10 of the duet as it is now, with its own weights."""
        return float(self.values(self.encoded(), [self._duet.weights])[0].mean())


def _silent(_what: str, _done: int, _total: int) -> None:
    return
