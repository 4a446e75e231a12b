"""Queries with their exact answers, drawn from what is stored, and what share of these one way of searching finds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

import psycopg

from pgduet.database.queries import load_queries

Connection = psycopg.Connection[Any]

NEIGHBOURS = 10
# Fewer queries that people asked say too little of what others will ask.
_ENOUGH_REAL = 20
# Sentences about code need far more lists than stored chunks do. Where nothing stands for sentences, of stored chunks
# only a third of what the target lets pass may be missed: measured on 4,000 to 24,000 chunks and on CoSQA, that asks
# for 8 to 70 % more lists than sentences need, where the plain target asks for up to 44 % too few.
_STORED_ALONE = 1 / 3


@dataclass(frozen=True)
class Setting:
    """How a search goes through an index: `probes` lists or `ef_search` elements, then `depth` rows by cosine."""

    index_kind: str
    probes: int | None
    ef_search: int | None
    depth: int | None


@dataclass(frozen=True)
class Sample:
    """Queries of one kind, each the parameters that _recall_try takes; `target` is the recall that is asked of them."""

    query_kind: str
    target: float
    queries: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """What one setting finds of one sample: recall@10 with its interval of 95 %, and median times."""

    query_kind: str
    queries: int
    recall: float
    low: float
    high: float
    index_ms: float
    exact_ms: float
    target: float

    @property
    def margin(self) -> float:
        """Return how far recall is above what is asked of this kind of query; negative where it is below."""
        return self.recall - self.target


def draw_samples(
    connection: Connection, generation_id: int, *, target: float, count: int, seconds: float
) -> list[Sample]:
    """Draw `count` queries of each kind there is, and find their exact answers within about so many seconds.

    Stored chunks are asked for always; beside them what people asked, where enough is known of it, or else names of
    stored symbols, where the sidecar embeds them.
    """
    values = {"generation_id": generation_id, "sample": count, "k": NEIGHBOURS, "seconds": seconds / 2}
    drawn = {}
    for kind, least in (("stored", 1), ("real", _ENOUGH_REAL), ("symbol", 1)):
        queries = _draw(connection, {**values, "query_kind": kind})
        if len(queries) >= least:
            drawn[kind] = queries
        if kind == "real" and kind in drawn:
            break
    alone = 1 - (1 - target) * _STORED_ALONE
    return [Sample(kind, alone if len(drawn) == 1 else target, queries) for kind, queries in drawn.items()]


def try_setting(
    connection: Connection, generation_id: int, setting: Setting, query: dict[str, Any]
) -> tuple[float, float]:
    """Return the share of its ten nearest that a query finds, and the milliseconds it takes."""
    # A scan without a depth of its own looks at k rows.
    values = {"generation_id": generation_id, "k": NEIGHBOURS, **asdict(setting), "depth": setting.depth or NEIGHBOURS}
    row = connection.execute(_queries()["try"], {**values, **query}).fetchone()
    assert row is not None
    recall, milliseconds = row
    return recall, milliseconds


def measure(connection: Connection, generation_id: int, setting: Setting, sample: Sample) -> Measured:
    """Try a setting with all queries of a sample."""
    tried = [try_setting(connection, generation_id, setting, query) for query in sample.queries]
    recalls, times = zip(*tried, strict=True)
    values = {"recalls": list(recalls), "k": NEIGHBOURS}
    row = connection.execute(_queries()["interval"], values).fetchone()
    assert row is not None
    recall, low, high = row
    exact_ms = statistics.median(query["exact_ms"] for query in sample.queries)
    return Measured(
        sample.query_kind, len(recalls), recall, low, high, statistics.median(times), exact_ms, sample.target
    )


def write_samples(
    connection: Connection, generation_id: int, index_name: str, setting: Setting, measured: Sequence[Measured]
) -> None:
    """Keep what was measured, all under one time; forget what is older than 90 days."""
    values = {"generation_id": generation_id, "index_name": index_name, "k": NEIGHBOURS, **asdict(setting)}
    with connection.transaction():
        for one in measured:
            connection.execute(_queries()["write"], {**values, **asdict(one)})
        connection.execute(_queries()["forget"])


def _draw(connection: Connection, values: dict[str, Any]) -> list[dict[str, Any]]:
    columns = ("embedding", "sketch", "except_id", "except_hash", "nearest", "kth", "exact_ms")
    rows = connection.execute(_queries()["truth"], values).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _queries() -> dict[str, LiteralString]:
    return load_queries("sampling", "pgduet.migrations.keeper")
