"""What a run learns from and is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pgduet.training import data
from pgduet.training.errors import DataError
from pgduet.training.mining import read_triplets
from pgduet.training.tuning.batches import Triplet
from pgduet.training.tuning.errors import TooLittleDataError
from pgduet.training.tuning.held_out import Pair

if TYPE_CHECKING:
    from pgduet.database.connection import Connection

_LEAST_QUESTIONS = 20


@dataclass(frozen=True)
class Retained:
    """Questions of another kind that the duet must not get worse at, their answers, and documents that answer none."""

    pairs: Sequence[Pair]
    others: Sequence[str] = ()


@dataclass(frozen=True)
class Material:
    """What a run learns from, what chooses the best of its checkpoints and its weights, and what judges it."""

    train: Sequence[Triplet]
    dev: Sequence[Pair]
    test: Sequence[Pair]
    retained: Retained | None = None

    def require_questions(self) -> None:
        """Raise TooLittleDataError where a held-out side has fewer than 20 questions."""
        for side, pairs in (("dev", self.dev), ("test", self.test)):
            questions = len({question for question, _ in pairs})
            if questions < _LEAST_QUESTIONS:
                raise TooLittleDataError(
                    f"the {side} side has {questions} questions: too few to tell whether training helps",
                    hint=f"it needs {_LEAST_QUESTIONS}: ingest more repositories or files, then mine again",
                )


def read_material(connection: "Connection", retained: Retained | None = None) -> Material:
    """Return the triplets that were mined, one for each negative, and the pairs of both held-out sides."""
    train = [
        Triplet(one.anchor, one.positive, negative)
        for one in read_triplets(connection, "train")
        for negative in one.negatives
    ]
    dev, test = ([(one.anchor, one.positive) for one in read_triplets(connection, side)] for side in ("dev", "test"))
    return Material(train, dev, test, retained)


def read_retained(queries: Path | None, codes: Path | None, limit: int) -> Retained | None:
    """Read queries and the codes that answer them, at most `limit` codes, from files of `pgduet evaluate`.

    Returns None where neither is given. Raises DataError where one is, or a file is not what it should be.
    """
    if not queries and not codes:
        return None
    if not (queries and codes):
        raise DataError("the queries to retain and their codes belong together", hint="name both files, or neither")
    asked = data.read_queries(queries)
    corpus = data.limited(asked, data.read_codes(codes), limit)
    rows = data.relevant_rows(asked, corpus)
    pairs = [(query.text, corpus.texts[row]) for query, found in zip(asked, rows, strict=True) for row in found]
    return Retained(pairs, corpus.texts)
