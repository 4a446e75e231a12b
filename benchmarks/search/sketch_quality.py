"""How many of the ten nearest are among the first candidates by Hamming distance: for weights, and for centring."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from corpus import read_corpus
from data import K
from vectors import Floats, fused, halves_of, manifest, question_halves

from pgduet.encoding.sketch import Sketcher

DEPTHS = (20, 50, 100, 200, 400)
WEIGHTS = (0.5, 0.16)
_MOST_ROWS = 50_000


def measure_sketches(count: int) -> list[dict[str, Any]]:
    """Return, for each weight of the code half, raw and centred, recall@10 of the first candidates, in percent."""
    count = min(count, _MOST_ROWS)
    asked = np.array([question.kind == "nl" for question in read_corpus(1)[1]])
    blocks = list(halves_of(count))
    halves = tuple(np.concatenate([block[half] for block in blocks])[:count] for half in (0, 1))
    code, text = question_halves()
    lines = []
    for weight in WEIGHTS:
        weights = (weight, 1 - weight)
        documents = fused((halves[0], halves[1]), weights)
        questions = fused((code[asked], text[asked]), weights)
        scores = questions @ documents.T
        farthest = np.partition(scores, count - K, axis=1)[:, count - K]
        for name, centre in (("raw", np.float32(0)), ("mean-centred", documents.mean(axis=0))):
            found = [_bits(part - centre) for part in (documents, questions)]
            recalls = _recalls(found[0], found[1], scores, farthest)
            lines.append(
                {"code_weight": weight, "sketch": name, "recall": dict(zip(map(str, DEPTHS), recalls, strict=True))}
            )
    return lines


def _bits(vectors: Floats) -> npt.NDArray[np.uint64]:
    sketcher = Sketcher(vectors.shape[1], manifest().sketch_seed)
    parts = [sketcher.sketch(vectors[at : at + 4096]) for at in range(0, len(vectors), 4096)]
    return np.concatenate(parts).view(np.uint64)


def _recalls(
    documents: npt.NDArray[np.uint64], questions: npt.NDArray[np.uint64], scores: Floats, farthest: Floats
) -> list[float]:
    hits = np.zeros(len(DEPTHS))
    for number, order in enumerate(_orders(documents, questions)):
        near = scores[number, order] >= farthest[number] - 1e-6
        hits += [min(K, int(near[:depth].sum())) for depth in DEPTHS]
    return [float(share) for share in hits / (K * len(questions))]


def _orders(documents: npt.NDArray[np.uint64], questions: npt.NDArray[np.uint64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield for each question the places of the nearest by Hamming distance, nearest first."""
    most = min(max(DEPTHS), len(documents) - 1)
    for question in questions:
        distances = np.zeros(len(documents), np.int32)
        for word in range(documents.shape[1]):
            distances += np.bitwise_count(documents[:, word] ^ question[word])
        best = np.argpartition(distances, most)[:most]
        yield best[np.argsort(distances[best], kind="stable")]
