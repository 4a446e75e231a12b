"""Searches through the index find what is nearest while the table grows, shrinks and changes: the worker sees to it.

Chunks and vectors are written straight to the tables; recall@10 is counted here, from the vectors, for queries that are
not stored. At these sizes searches would compare all rows: the index is forced.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from fix_database import Connection, Database, new_database
from fix_vectors import Floats, bits, halfvec, load_vectors, replace_vectors, structured
from pgduet.database.connection import connect
from pgduet.local.cluster import Cluster
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

FIRST, TENFOLD, HUNDREDFOLD = 100, 1_000, 10_000
QUERIES = 60
RANKED = "SELECT distances FROM pgduet._ranked(%s, %s, 10, NULL, NULL, NULL, true, NULL, NULL)"


@dataclass
class Grown:
    """A database that grew a hundredfold, its vectors by id, and the recall at each stage."""

    database: Database
    vectors: Floats
    recalls: dict[str, float] = field(default_factory=dict)


def work(database: Database) -> None:
    Worker(lambda: connect(database.conninfo, autocommit=True), Options()).run(once=True)


def flush_statistics(session: Connection) -> None:
    session.execute("SELECT pg_stat_force_next_flush()")


def as_stored(vectors: Floats) -> Floats:
    return vectors.astype(np.float16).astype(np.float32)


def recall(session: Connection, vectors: Floats, topics: tuple[int, int]) -> float:
    """Count which of the ten nearest a search through the index finds, ties included."""
    queries = structured(QUERIES, seed=99, topics=topics)
    nearest = np.sort(1 - queries @ as_stored(vectors).T, axis=1)[:, :10]
    session.execute("SET pgduet.search_mode = 'index'")
    found = 0
    for query, distances in zip(queries, nearest, strict=True):
        row = session.execute(RANKED, (halfvec(query), bits(query))).fetchone()
        assert row is not None
        assert len(row[0]) == 10
        found += sum(distance <= distances[-1] + 1e-4 for distance in row[0])
    return found / (10 * QUERIES)


@cache
def drifting_parts() -> list[Floats]:
    return [
        structured(FIRST, topics=(0, 5)),
        structured(TENFOLD - FIRST, topics=(5, 40)),
        structured(HUNDREDFOLD - TENFOLD, topics=(40, 100)),
    ]


@pytest.fixture(scope="module")
def grown(cluster: Cluster, template: str) -> Iterator[Grown]:
    """Fill a database in drifting order, topic by topic; after each stage the worker runs."""
    with ExitStack() as stack:
        database = stack.enter_context(new_database(cluster, template))
        database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
        database.set("index_min_rows", str(FIRST))
        parts = drifting_parts()
        result = Grown(database, np.concatenate(parts))
        rows = 0
        for stage, part, topics in zip(("first", "tenfold", "hundredfold"), parts, (5, 40, 100), strict=True):
            rows += len(part)
            with database.connect() as session:
                load_vectors(session, part)
                session.execute("ANALYZE pgduet.code_embeddings")
                flush_statistics(session)
                work(database)
                result.recalls[stage] = recall(session, result.vectors[:rows], (0, topics))
        yield result


@pytest.fixture
def session(grown: Grown) -> Iterator[Connection]:
    """Give a session in a copy of the grown database."""
    with new_database(grown.database.cluster, grown.database.name) as database, database.connect() as connection:
        yield connection


def database_of(session: Connection, grown: Grown) -> Database:
    return Database(grown.database.cluster, session.info.dbname)


@pytest.mark.slow
def test_without_the_keeper_recall_falls_as_the_table_grows(database: Database) -> None:
    database.set("index_min_rows", str(FIRST))
    parts = drifting_parts()
    with database.connect() as session:
        load_vectors(session, parts[0])
        work(database)
        load_vectors(session, np.concatenate(parts[1:]))
        session.execute("ANALYZE pgduet.code_embeddings")
        assert recall(session, np.concatenate(parts), (0, 100)) < 0.8


@pytest.mark.parametrize("stage", ["first", "tenfold", "hundredfold"])
def test_the_worker_keeps_recall_while_the_table_grows_in_drifting_order(grown: Grown, stage: str) -> None:
    assert grown.recalls[stage] >= 0.95


def test_growth_leaves_a_history_of_builds_and_of_recall(session: Connection) -> None:
    builds = session.execute("SELECT rows_at_build, reason FROM pgduet._index_build ORDER BY build_id").fetchall()
    assert [rows for rows, _ in builds] == [FIRST, TENFOLD, HUNDREDFOLD]
    assert all(reason for _, reason in builds)
    samples = session.execute("SELECT count(DISTINCT index_name) FROM pgduet._recall_sample").fetchone()
    assert samples == (3,)


def test_recall_stays_after_a_fifth_is_deleted_and_vacuumed(session: Connection, grown: Grown) -> None:
    session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id % 5 = 0")
    work(database_of(session, grown))
    session.execute("VACUUM ANALYZE pgduet.code_embeddings")
    flush_statistics(session)
    work(database_of(session, grown))
    left = grown.vectors[np.arange(1, HUNDREDFOLD + 1) % 5 != 0]
    assert session.execute("SELECT count(*) FROM pgduet.code_embeddings").fetchone() == (len(left),)
    assert recall(session, left, (0, 100)) >= 0.95


def test_recall_stays_after_a_fifth_is_updated(session: Connection, grown: Grown) -> None:
    changed = structured(HUNDREDFOLD // 5, topics=(200, 230))
    replace_vectors(session, range(1, len(changed) + 1), changed)
    flush_statistics(session)
    work(database_of(session, grown))
    vectors = np.concatenate([changed, grown.vectors[len(changed) :]])
    # People ask for what is stored: a fifth of the time for what is new.
    assert 0.8 * recall(session, vectors, (0, 100)) + 0.2 * recall(session, vectors, (200, 230)) >= 0.95


def test_recall_stays_after_truncate_and_reload(session: Connection, grown: Grown) -> None:
    session.execute("TRUNCATE pgduet.code_chunks")
    work(database_of(session, grown))
    assert session.execute("SELECT count(*) FROM pgduet.code_embeddings").fetchone() == (0,)
    vectors = structured(TENFOLD, topics=(300, 340))
    load_vectors(session, vectors)
    flush_statistics(session)
    work(database_of(session, grown))
    assert session.execute("SELECT rows_at_build FROM pgduet.index_status").fetchall() == [(TENFOLD,)]
    assert recall(session, vectors, (300, 340)) >= 0.95


def test_index_recall_agrees_with_what_is_counted_from_the_vectors(session: Connection) -> None:
    session.execute("SET pgduet.search_mode = 'index'")
    rows = session.execute(
        "SELECT query_kind, queries, recall, recall_low, recall_high, way, search_ms, exact_ms"
        " FROM pgduet.index_recall(40)"
    ).fetchall()
    assert [row[:2] for row in rows] == [("stored", 40)]
    _, _, found, low, high, way, search_ms, exact_ms = rows[0]
    assert low <= found <= high
    assert found >= 0.95
    assert way == "index"
    assert 0 < search_ms < exact_ms
