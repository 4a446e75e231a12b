"""The score of a trainee on pairs that it does not learn from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pgduet.encoding.manifest import Role
from pgduet.training.metrics import score
from pgduet.training.ranking import rank_all
from pgduet.training.vectors import encode

if TYPE_CHECKING:
    from pgduet.encoding import Duet

Pair = tuple[str, str]


class HeldOut:
    """Questions and the documents that answer them; every document is ranked for every question."""

    def __init__(self, duet: "Duet", pairs: Sequence[Pair]) -> None:
        self._duet = duet
        self._documents = list(dict.fromkeys(document for _, document in pairs))
        row = {document: number for number, document in enumerate(self._documents)}
        answers: dict[str, set[int]] = {}
        for question, document in pairs:
            answers.setdefault(question, set()).add(row[document])
        self._questions = list(answers)
        self._relevant = [sorted(rows) for rows in answers.values()]

    def __len__(self) -> int:
        """Count the questions."""
        return len(self._questions)

    def values(self) -> npt.NDArray[np.float64]:
        """Return nDCG@10 of each question by the duet as it is now."""
        queries = encode(self._duet, self._questions, Role.QUERY, _silent)
        documents = encode(self._duet, self._documents, Role.DOCUMENT, _silent)
        (ranks,) = rank_all(queries, documents, self._relevant, [self._duet.weights])
        return score(ranks)[:, 0]

    def score(self) -> float:
        """Return the mean of the values."""
        return float(self.values().mean())


def _silent(_what: str, _done: int, _total: int) -> None:
    return
