"""Chooses how many lists and candidates a search looks at, by measured recall, and watches that it stays enough."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

import psycopg

from pgduet.database.queries import load_queries
from pgduet.migrations.keeper.sampling import (
    NEIGHBOURS,
    Sample,
    Setting,
    draw_samples,
    measure,
    try_setting,
    write_samples,
)

Connection = psycopg.Connection[Any]

# Measured on 10,000 rows: settings chosen on 50 queries found 0.973 to 0.998 of what others ask for, once 0.928.
_QUERIES = 200
_QUERIES_OF_A_CHECK = 50
# Measured: re-ranking 400 finds what re-ranking every row finds, and 50 is enough for small tables.
_DEPTHS = (50, 100, 200, 400)
_USUAL_DEPTH = 100
# pgvector's most.
_MOST_ELEMENTS = 1000
_LEAST_ELEMENTS = 20
_STEP = 1.1
# A smaller depth is worth a few lists more.
_FEW_MORE = 1.25
# Of what the target lets pass, so much is kept in reserve: the next sample is another one, and rows come and go.
_RESERVE = 0.1
# After so many queries a setting that is clearly too weak, or clearly strong enough, is known.
_FIRST_LOOK = 10
_CLEARLY = 3.0


@dataclass(frozen=True)
class Calibration:
    """What was chosen, and the recall@10 it gives on the hardest kind of query with its interval of 95 %.

    `reached` tells whether that is the target at least.
    """

    probes: int | None
    ef_search: int | None
    depth: int | None
    recall: float
    low: float
    high: float
    reached: bool


@dataclass(frozen=True)
class Check:
    """Recall@10 of the hardest kind of query with its interval of 95 %.

    `below` tells that it is under the target by more than half of what the interval leaves to chance. Waiting until all
    of the interval is would let recall fall far: it is wide, and to calibrate anew is cheap.
    """

    recall: float
    low: float
    high: float
    below: bool


def calibrate(
    connection: Connection, generation_id: int, index_name: str, *, target: float, seconds: float = 60
) -> Calibration:
    """Choose the cheapest setting of an index that reaches the target on every kind of query; searches use it at once.

    Takes about so many seconds: with less time fewer queries are asked, on a server so busy that ten are too many twice
    as long. Where no setting reaches the target, the strongest is chosen. An empty generation gets the strongest
    without a measurement.
    """
    index = _index(connection, generation_id, index_name)
    samples = draw_samples(connection, generation_id, target=target, count=_QUERIES, seconds=seconds / 2)
    # Where the exact answers took all the time, as on very large tables, half of it is left for looking all the same.
    chosen = _Search(connection, generation_id, samples, seconds / 2).choose(index.kind, index.lists)
    measured = [measure(connection, generation_id, chosen, sample) for sample in samples]
    values = {"generation_id": generation_id, "index_name": index_name, "target": target}
    connection.execute(_queries()["chosen"], {**values, **vars(chosen)})
    write_samples(connection, generation_id, index_name, chosen, measured)
    worst = min(measured, key=lambda one: one.margin, default=None)
    recall = (worst.recall, worst.low, worst.high) if worst else (1.0, 0.0, 1.0)
    return Calibration(chosen.probes, chosen.ef_search, chosen.depth, *recall, reached=not worst or worst.margin >= 0)


def check_recall(connection: Connection, generation_id: int, index_name: str) -> Check:
    """Measure an index as searches use it now, with 50 queries of each kind, and keep what was found."""
    index = _index(connection, generation_id, index_name)
    setting = Setting(index.kind, index.probes or index.lists, index.ef_search, index.depth)
    target = index.recall_target or 0.0
    samples = draw_samples(connection, generation_id, target=target, count=_QUERIES_OF_A_CHECK, seconds=20)
    measured = [measure(connection, generation_id, setting, sample) for sample in samples]
    write_samples(connection, generation_id, index_name, setting, measured)
    if not measured:
        return Check(1.0, 0.0, 1.0, below=False)
    worst = min(measured, key=lambda one: one.margin)
    return Check(worst.recall, worst.low, worst.high, below=(worst.recall + worst.high) / 2 < worst.target)


def check_due(connection: Connection, generation_id: int, index_name: str) -> bool:
    """Tell whether a tenth of the rows changed since recall was measured, or any row and that is an hour ago."""
    values = {"generation_id": generation_id, "index_name": index_name}
    row = connection.execute(_queries()["due"], values).fetchone()
    return bool(row and row[0])


class _Index(NamedTuple):
    kind: str
    lists: int | None
    probes: int | None
    ef_search: int | None
    depth: int | None
    recall_target: float | None


class _Search:
    """Looks for the cheapest setting; what costs more always finds more, so that halving leads to it."""

    def __init__(self, connection: Connection, generation_id: int, samples: Sequence[Sample], seconds: float) -> None:
        self._connection = connection
        self._generation_id = generation_id
        self._samples = samples
        # From then on few queries are asked of a setting: one that was chosen on ten is better than all lists, which
        # make a busy server busier.
        self._hurry = time.monotonic() + seconds
        self._deadline = self._hurry + 2 * seconds
        # With what effort and depth queries found all: with more of both they do too.
        self._perfect: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def choose(self, kind: str, lists: int | None) -> Setting:
        """Return the cheapest setting that reaches the target, or the strongest there is."""
        ladder = _ladder(_LEAST_ELEMENTS, _MOST_ELEMENTS) if kind == "hnsw" else _ladder(1, lists or 1)
        if kind == "halfvec":
            return _setting(kind, self._least(kind, ladder, None), None)
        usual = self._with_depth(kind, ladder, _USUAL_DEPTH)
        if _effort(usual) <= ladder[-1] / 2:
            return usual
        # Where half of the lists is not enough, it may be the candidates that are too few.
        deep = self._with_depth(kind, ladder, _DEPTHS[-1])
        return min(
            (setting for setting in (usual, deep) if self._reaches(setting)), key=self._milliseconds, default=deep
        )

    def _with_depth(self, kind: str, ladder: Sequence[int], deepest: int) -> Setting:
        """Return the least effort with so many candidates, or with fewer where a little more effort makes up for it."""
        enough = self._least(kind, ladder, deepest)
        nearby = [effort for effort in ladder if enough <= effort <= max(enough * _FEW_MORE, enough + 1)]
        for depth in _DEPTHS[: _DEPTHS.index(deepest)]:
            if self._reaches(_setting(kind, nearby[-1], depth)):
                return _setting(kind, self._least(kind, nearby, depth), depth)
        return _setting(kind, enough, deepest)

    def _milliseconds(self, setting: Setting) -> float:
        queries = [query for sample in self._samples for query in sample.queries[:_FIRST_LOOK]]
        tried = [try_setting(self._connection, self._generation_id, setting, query) for query in queries]
        return statistics.median(milliseconds for _, milliseconds in tried)

    def _least(self, kind: str, ladder: Sequence[int], depth: int | None) -> int:
        """Return the least effort that reaches the target with this depth; the most, untried, where none below does."""
        low, high = 0, len(ladder) - 1
        while low < high and time.monotonic() < self._deadline:
            middle = (low + high) // 2
            if self._reaches(_setting(kind, ladder[middle], depth)):
                high = middle
            else:
                low = middle + 1
        return ladder[high]

    def _reaches(self, setting: Setting) -> bool:
        # Nothing that was not measured counts as enough.
        return bool(self._samples) and all(self._reaches_on(setting, sample) for sample in self._samples)

    def _reaches_on(self, setting: Setting, sample: Sample) -> bool:
        wanted = sample.target + (1 - sample.target) * _RESERVE
        recalls: list[float] = []
        for number in range(len(sample.queries)):
            recalls.append(self._recall(setting, sample, number))
            if len(recalls) < _FIRST_LOOK:
                continue
            if time.monotonic() > self._hurry:
                break
            spread = max(statistics.pstdev(recalls), math.sqrt(wanted * (1 - wanted) / NEIGHBOURS))
            if abs(statistics.fmean(recalls) - wanted) > _CLEARLY * spread / math.sqrt(len(recalls)):
                break
        return statistics.fmean(recalls) >= wanted

    def _recall(self, setting: Setting, sample: Sample, number: int) -> float:
        effort, depth = _effort(setting), setting.depth or 0
        perfect = self._perfect.setdefault((sample.query_kind, number), [])
        if any(less <= effort and fewer <= depth for less, fewer in perfect):
            return 1.0
        recall, _ = try_setting(self._connection, self._generation_id, setting, sample.queries[number])
        if recall == 1:
            perfect.append((effort, depth))
        return recall


def _effort(setting: Setting) -> int:
    return setting.probes or setting.ef_search or 0


def _setting(kind: str, effort: int, depth: int | None) -> Setting:
    if kind == "hnsw":
        return Setting(kind, None, effort, min(effort, depth or effort))
    return Setting(kind, effort, None, depth)


def _ladder(least: int, most: int) -> list[int]:
    """Return whole numbers from least to most, each up to 10 % above the one before."""
    steps = [min(least, most)]
    while steps[-1] < most:
        steps.append(min(most, max(steps[-1] + 1, round(steps[-1] * _STEP))))
    return steps


def _index(connection: Connection, generation_id: int, index_name: str) -> _Index:
    values = {"generation_id": generation_id, "index_name": index_name}
    row = connection.execute(_queries()["index"], values).fetchone()
    if row is None:
        raise LookupError(f"no index {index_name} was built for generation {generation_id}")
    return _Index(*row)


def _queries() -> dict[str, LiteralString]:
    return load_queries("sampling", "pgduet.migrations.keeper")
