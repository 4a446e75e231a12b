"""What a smaller duet costs and saves: size, speed and score beside those of the duet that it was made of."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from pgduet.encoding import Role
from pgduet.training.data import Benchmark
from pgduet.training.evaluation import ALONE, values_of
from pgduet.training.metrics import METRICS
from pgduet.training.ranking import TIES, Halves
from pgduet.training.tuning.gate import LEAST_COSINE, Gate, change
from pgduet.training.tuning.held_out import Scores
from pgduet.training.vectors import Report, encode

if TYPE_CHECKING:
    from pgduet.encoding import Duet

_TIMED_TEXTS = 48
_ROUNDS = 5
_SCORE = METRICS.index("ndcg@10")


@dataclass(frozen=True)
class Shrunk:
    """Bytes of the files and texts a second, each of the origin and of the smaller duet, and what the gate says."""

    bytes: tuple[int, int]
    speed: tuple[float, float]
    gate: Gate


def compare(
    benchmark: Benchmark,
    before: "Duet",
    after: "Duet",
    folders: tuple[Path, Path],
    most_lost: float,
    report: Report,
    alike: Collection[str] = (),
    cosine_wanted: float = LEAST_COSINE,
) -> Shrunk:
    """Compare a smaller duet with its origin; `folders` hold the files of both.

    The gate lets it pass where it loses `most_lost` of nDCG@10 at the most over the questions of the benchmark, and
    vectors of the halves `alike` have a cosine of `cosine_wanted` at least with those of the origin. Speeds are medians
    of five rounds over the same 48 documents, the two taking turns.
    """
    speed = _speeds([before, after], benchmark.corpus.texts)
    old, new = (_vectors(benchmark, duet, report) for duet in (before, after))
    # One for both: what is a tie for the rougher one is one for the other too, else that alone would be a loss.
    tie = max(TIES[half.dtype] for duet in (before, after) for half in duet.encoders)
    pair, code, text = _scores(benchmark, before.weights, tie, *old)
    new_pair, new_code, new_text = _scores(benchmark, after.weights, tie, *new)
    halves = {"code": (code, new_code), "text": (text, new_text)}
    means = {slot: (float(old.mean()), float(new.mean())) for slot, (old, new) in halves.items()}
    cosines = {slot: min(_least_cosine(a, b, slot) for a, b in zip(old, new, strict=True)) for slot in alike}
    gate = Gate(None, 0.0, means, change(pair, new_pair), most_lost, cosines, cosine_wanted)
    return Shrunk((_size(folders[0]), _size(folders[1])), speed, gate)


def _vectors(benchmark: Benchmark, duet: "Duet", report: Report) -> tuple[Halves, Halves]:
    """Encode the questions and the documents."""
    asked = [query.text for query in benchmark.queries]
    return (
        _encoded(duet, asked, Role.QUERY, report),
        _encoded(duet, benchmark.corpus.texts, Role.DOCUMENT, report),
    )


def _least_cosine(old: Halves, new: Halves, slot: str) -> float:
    usable = old.finite
    before, after = ((one.code if slot == "code" else one.text)[usable] for one in (old, new))
    return float((before * after).sum(axis=1).min(initial=1.0))


def _scores(
    benchmark: Benchmark, weights: tuple[float, float], tie: float, questions: Halves, documents: Halves
) -> list[Scores]:
    """Score every question with the pair, with the code half alone and with the text half alone."""
    ways = [weights, *ALONE.values()]
    found = values_of(questions, documents, benchmark.relevant, ways, tie, benchmark.own)
    return [values[:, _SCORE] for values in found]


def _encoded(duet: "Duet", texts: Sequence[str], role: Role, report: Report) -> Halves:
    return encode(duet, texts, role, lambda what, done, total: report(f"{duet.name}: {what}", done, total))


def _speeds(duets: "Sequence[Duet]", texts: Sequence[str]) -> tuple[float, float]:
    some = texts[:: max(1, len(texts) // _TIMED_TEXTS)][:_TIMED_TEXTS]
    taken: list[list[float]] = [[] for _ in duets]
    for _ in range(_ROUNDS):
        for duet, seconds in zip(duets, taken, strict=True):
            started = time.perf_counter()
            duet.encode(duet.tokenise(some, Role.DOCUMENT))
            seconds.append(time.perf_counter() - started)
    before, after = (len(some) / median(seconds) for seconds in taken)
    return before, after


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
