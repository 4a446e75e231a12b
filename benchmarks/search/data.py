"""What is searched, what is asked, and what is right: exact cosine over every row, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from corpus import Row, read_corpus
from vectors import Floats, sketches_of, vectors_of

K = 10
Ids = Sequence[int] | npt.NDArray[np.int64]
_BLOCK = 8192


@dataclass(frozen=True)
class Documents:
    """Chunks with their unit vectors [n, 2560] and packed sketches [n, 320]; a chunk's id is its place plus one."""

    rows: Sequence[Row]
    vectors: Floats
    sketches: npt.NDArray[np.uint8]

    def first(self, count: int) -> "Documents":
        """Return the first `count`, which are a sample of all."""
        return Documents(self.rows[:count], self.vectors[:count], self.sketches[:count])

    def ordered(self, places: Sequence[int]) -> "Documents":
        """Return them in another order, with other ids."""
        return Documents([self.rows[place] for place in places], self.vectors[places], self.sketches[places])


@dataclass(frozen=True)
class Questions:
    """Vectors and sketches of one kind of held-out questions."""

    kind: str
    vectors: Floats
    sketches: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.vectors)


class Truth:
    """The distance of the k-th nearest for each question; whatever is found within it is right, ties included."""

    def __init__(
        self, questions: Questions, documents: Documents, allowed: npt.NDArray[np.bool_] | None = None
    ) -> None:
        self.questions, self.documents, self.allowed = questions, documents, allowed
        self.matching = len(documents.rows) if allowed is None else int(allowed.sum())
        self.wanted = min(K, self.matching)
        best = np.full((len(questions), self.wanted), -2.0, np.float32)
        for start in range(0, len(documents.rows), _BLOCK):
            scores = questions.vectors @ documents.vectors[start : start + _BLOCK].T
            if allowed is not None:
                scores = scores[:, allowed[start : start + _BLOCK]]
            both = np.concatenate([best, scores], axis=1)
            best = np.partition(both, both.shape[1] - self.wanted, axis=1)[:, both.shape[1] - self.wanted :]
        self._farthest = 1 - best.min(axis=1)

    def hits(self, number: int, ids: Ids) -> int:
        """Count the ids that belong to the k nearest of a question."""
        places = np.unique(np.asarray(ids, np.int64)[:K]) - 1
        if self.allowed is not None and not self.allowed[places].all():
            raise SystemExit("a search returned rows that its filter leaves out")
        distances = 1 - self.documents.vectors[places] @ self.questions.vectors[number]
        return min(self.wanted, int((distances <= self._farthest[number] + 1e-6).sum()))

    def recall(self, found: dict[int, Ids]) -> float:
        """Return the share of the nearest that were found, over the questions asked."""
        return sum(self.hits(number, ids) for number, ids in found.items()) / (self.wanted * len(found))


def load(count: int) -> tuple[Documents, dict[str, Questions]]:
    """Read `count` chunks and the questions of both kinds; compute the vectors that are not in the cache yet."""
    rows, asked = read_corpus(count)
    vectors, question_vectors = (_as_stored(part) for part in vectors_of(count))
    kinds = np.array([question.kind for question in asked])
    sketches = sketches_of(question_vectors)
    questions = {
        kind: Questions(kind, question_vectors[kinds == kind], sketches[kinds == kind]) for kind in ("nl", "code")
    }
    return Documents(rows, vectors, sketches_of(vectors)), questions


def _as_stored(vectors: Floats) -> Floats:
    """Round to half precision, as the database does: everybody searches the same numbers."""
    for start in range(0, len(vectors), _BLOCK):
        part = vectors[start : start + _BLOCK].astype(np.float16).astype(np.float32)
        vectors[start : start + _BLOCK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return vectors
