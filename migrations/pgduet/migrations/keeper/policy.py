"""What the keeper decides from numbers alone: whether a build is due, with how many lists and how much memory."""

import math
from dataclasses import dataclass
from typing import NamedTuple

KINDS = ("sketch", "halfvec", "hnsw")

_WIDTH = 2560
# Lists by sqrt(rows), and the most. At equal recall, on 50,000 code chunks, a search through 4 sqrt(rows) lists of
# sketches took 0.7 to 0.8 of the processor time of one through 2 sqrt(rows); 7 sqrt(rows) gained a twentieth more for
# half as long a build again. On vectors k-means measures 2,560 numbers a distance: it takes too long beyond.
_LISTS_BY_SQRT = {"sketch": 4.0, "halfvec": 2.0}
_MAX_LISTS = {"sketch": 4000, "halfvec": 1500}

# The smallest maintenance_work_mem with which a build passed, in MB, on 23,000 random rows (pgvector 0.8.6, PostgreSQL
# 15.20; below it PostgreSQL refuses with "memory required is ... MB"):
#   lists     109   200   447  1000  1500  2000
#   sketch      9    14    51   118   180   243
#   halfvec    56    61   158   356   537   720
# They follow from what k-means keeps, which build_memory adds up: 50 samples a list and at least 10,000, the centres
# twice and as sums, a bound for every sample and list, the distances between the centres.
_ITEM_BYTES = {"sketch": 328, "halfvec": 5128}
_SAMPLES_PER_LIST = 50
_LEAST_SAMPLES = 10_000
# An HNSW graph on the sketches no longer fitted into 8, 16 and 24 MB after 7,631, 15,246 and 22,876 rows (m = 16). One
# that does not fit is built all the same, half as fast.
_GRAPH_BYTES = 1100
# PostgreSQL's own default; sorting the rows into lists is slow with less.
_LEAST_MEMORY = 64
_SPARE = 1.05

# Of the vectors an index learnt from, so many may go or change until it learns anew.
_MOST_CHANGED = 0.5
# A new index learns something new only where at least so many did.
_WORTH_LEARNING = 0.1

_LEAST_SECONDS = 4.0
_MOST_SECONDS = 60.0

_FIRST_PAUSE = 60.0
_LONGEST_PAUSE = 3600.0


@dataclass(frozen=True)
class Policy:
    """What an admin set: see the settings of the same names; `lexical` is lexical_index."""

    kind: str = "sketch"
    min_rows: int = 1000
    growth: float = 2.0
    memory_mb: int = 1024
    recall_target: float = 0.97
    lexical: bool = False


class Index(NamedTuple):
    """The index that searches use now, and what it was built on."""

    name: str
    kind: str
    lists: int | None
    rows_at_build: int
    changes_at_build: int
    calibrated_for: float | None


@dataclass(frozen=True)
class State:
    """One generation as the keeper finds it; `changes` are rows updated or deleted, counted since long before.

    `failures` builds failed since the last that passed, the last of them `failed_ago` seconds ago with `failure`.
    """

    generation_id: int
    rows: int
    is_counted: bool
    changes: int
    index: Index | None = None
    failures: int = 0
    failed_ago: float = 0.0
    failure: str = ""


class Plan(NamedTuple):
    """How an index is to be built; `remark` tells where memory sets a limit, empty where it does not."""

    kind: str
    lists: int | None
    memory_mb: int
    remark: str


def wanted_lists(rows: int, kind: str = "sketch") -> int:
    """Return the number of lists for so many rows: 4 sqrt(rows), at most 4,000; on vectors 2 sqrt(rows), at most 1,500.

    Measured on 10,000 to 200,000 code chunks.
    """
    return max(1, min(_MAX_LISTS[kind], round(_LISTS_BY_SQRT[kind] * math.sqrt(rows))))


def choose_lists(rows: int, kind: str = "sketch", memory_mb: int = 1024) -> int:
    """Return the number of lists for so many rows, fewer where building them would take more than `memory_mb`."""
    fits, above = 1, wanted_lists(rows, kind) + 1
    while above - fits > 1:
        lists = (fits + above) // 2
        if build_memory(rows, kind, lists) <= memory_mb:
            fits = lists
        else:
            above = lists
    return fits


def build_memory(rows: int, kind: str, lists: int | None) -> int:
    """Return the MB of maintenance_work_mem that a build takes; for `hnsw` what the whole graph takes."""
    if kind == "hnsw" or lists is None:
        return rows * _GRAPH_BYTES // 2**20 + 1
    item, samples = _ITEM_BYTES[kind], max(_SAMPLES_PER_LIST * lists, _LEAST_SAMPLES)
    drawn = min(samples, rows)
    centres = lists * (2 * item + 4 * _WIDTH)
    bounds = 4 * drawn * lists + 4 * lists**2 + 8 * drawn
    return (samples * item + centres + bounds) // 2**20 + 1


def plan_build(rows: int, policy: Policy) -> Plan:
    """Choose lists and memory within what index_memory_mb allows."""
    kind, most = policy.kind, policy.memory_mb
    if kind == "hnsw":
        needed, remark, lists = build_memory(rows, kind, None), "", None
        if needed > most:
            remark = f"its graph takes {needed:,} MB to build and index_memory_mb is {most:,}: it was built on disk"
    else:
        lists, wanted = choose_lists(rows, kind, most), wanted_lists(rows, kind)
        needed, remark = build_memory(rows, kind, lists), ""
        if lists < wanted:
            more = build_memory(rows, kind, wanted)
            remark = f"index_memory_mb is {most:,}: {wanted:,} lists, which are better, take {more:,} MB to build"
    return Plan(kind, lists, min(most, max(_LEAST_MEMORY, math.ceil(needed * _SPARE))), remark)


def why_due(state: State, policy: Policy) -> str | None:
    """Say in words why an index must be built, or built anew; None where none must."""
    index, rows = state.index, state.rows
    if index is None:
        return "it is the first" if rows >= policy.min_rows else None
    known, changed = index.rows_at_build, _changed(state)
    if index.kind != policy.kind:
        return f"index_kind is {policy.kind} now, was {index.kind}"
    if known == 0:
        return "the table was emptied since the last one was built"
    if rows > known * policy.growth or rows * policy.growth < known:
        return f"{rows:,} vectors, the last one learnt from {known:,}"
    if changed > known * _MOST_CHANGED:
        return f"{changed:,} vectors changed or went of the {known:,} that the last one learnt from"
    return None


def is_worth_learning(state: State) -> bool:
    """Tell whether the rows differ from those the index learnt from so much that a new one may be better."""
    index = state.index
    if index is None:
        return True
    return _changed(state) + abs(state.rows - index.rows_at_build) >= _WORTH_LEARNING * index.rows_at_build


def calibration_seconds(rows: int) -> float:
    """Return how long a calibration may take: a minute, less where tables are so small that searches scan exactly.

    Even there it is long enough to ask some queries, for a search that is made to take the index.
    """
    return max(_LEAST_SECONDS, min(_MOST_SECONDS, rows / 500))


def pause_left(state: State) -> float:
    """Return the seconds until a build that failed is tried again: a minute, twice that each time, at most an hour."""
    if not state.failures:
        return 0.0
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(state.failures - 1, 10))
    return max(0.0, pause - state.failed_ago)


def _changed(state: State) -> int:
    """Count the rows updated or deleted since the build; statistics that were reset start at nothing."""
    before = state.index.changes_at_build if state.index else 0
    return state.changes - before if state.changes >= before else state.changes
