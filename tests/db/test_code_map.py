"""The map of chunks: learnt once, kept up with the table, learnt anew when that has grown; and the worker's part."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import psycopg
import pytest

from fix_database import Connection, Database
from fix_vectors import load_vectors, replace_vectors, structured
from pgduet.database.connection import connect
from pgduet.database.snapshots import COUNTED, Snapshots
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.loop import Worker
from pgduet.worker.mapping import fit_map, keep_map
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar

ROWS = 200


def keep(session: Connection) -> int:
    """Keep the map as a worker does, however young it is."""
    session.execute("SELECT pg_stat_force_next_flush()")
    session.execute("UPDATE pgduet._snapshot SET refreshed_at = '-infinity'")
    return keep_map(Snapshots(session), lambda: False)


def points(session: Connection) -> dict[int, tuple[float, float, int]]:
    rows = session.execute("SELECT chunk_id, x, y, cluster FROM pgduet.code_map").fetchall()
    return {chunk_id: (x, y, cluster) for chunk_id, x, y, cluster in rows}


def exact_points(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Project on the two principal axes, by way of all products of the rows, which needs no axes."""
    halves = vectors.astype(np.float16).astype(np.float64)
    centred = halves - halves.mean(axis=0)
    strengths, places = np.linalg.eigh(centred @ centred.T)
    found: npt.NDArray[np.float64] = places[:, [-1, -2]] * np.sqrt(strengths[[-1, -2]])
    return found


def test_points_are_those_of_the_principal_axes_and_clusters_are_topics(database: Database) -> None:
    topics = [structured(ROWS // 4, seed=3, topics=(topic, topic + 1)) for topic in range(4)]
    vectors = np.concatenate(topics)
    with database.connect() as session:
        load_vectors(session, vectors)
        assert keep(session) == 1
        found = points(session)
        (shown,) = session.execute("SELECT shown FROM pgduet._map").fetchone() or (0,)
    assert sorted(found) == list(range(1, ROWS + 1))
    exact = exact_points(vectors)
    ours = np.array([found[chunk_id][:2] for chunk_id in range(1, ROWS + 1)])
    for axis in range(2):
        assert abs(np.corrcoef(ours[:, axis], exact[:, axis])[0, 1]) > 0.999
        assert ours[:, axis].std() == pytest.approx(exact[:, axis].std(), rel=0.01)
    assert shown == pytest.approx(exact.var(axis=0).sum() / vectors.var(axis=0).sum(), rel=0.01)
    clusters = [found[chunk_id][2] for chunk_id in range(1, ROWS + 1)]
    assert min(clusters) == 1
    assert Counter(clusters).most_common(1)[0][0] == 1
    # What is of one topic is mostly in one cluster or two.
    within = [Counter(clusters[at : at + ROWS // 4]).most_common(2) for at in range(0, ROWS, ROWS // 4)]
    assert all(sum(count for _, count in most) > 0.6 * ROWS / 4 for most in within)


def test_the_same_vectors_give_the_same_map_and_few_or_equal_ones_give_one_too() -> None:
    vectors = structured(60)
    first, again = fit_map(vectors), fit_map(vectors)
    assert np.array_equal(first.axes, again.axes)
    assert np.array_equal(first.centres, again.centres)
    assert np.allclose(np.linalg.norm(first.axes, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(first.centres, axis=1), 1, atol=1e-5)
    for few in (structured(3), np.tile(structured(1), (5, 1))):
        fit = fit_map(few)
        assert fit.axes.shape == (2, 2560)
        assert np.isfinite(fit.axes).all()
        assert 0 <= fit.shown <= 1


def test_new_changed_and_deleted_chunks_move_and_others_stay(database: Database) -> None:
    with database.connect() as session:
        load_vectors(session, structured(ROWS))
        assert keep(session) == 1
        before = points(session)
        assert keep(session) == 0, "nothing changed"
        times = "SELECT max(computed_at) FROM pgduet._map_point"
        computed = session.execute(times).fetchone()
        new = load_vectors(session, structured(5, seed=9))
        replace_vectors(session, [1, 2], structured(2, seed=10))
        session.execute("DELETE FROM pgduet.code_embeddings WHERE chunk_id = 3")
        assert set(points(session)) == set(before) - {1, 2}, "a changed content has no point until it has a new one"
        assert keep(session) == 1
        after = points(session)
        assert set(after) == (set(before) | set(new)) - {3}
        assert {one for one in set(before) & set(after) if before[one] != after[one]} == {1, 2}
        moved = "SELECT count(*) FROM pgduet._map_point WHERE computed_at > %s"
        assert session.execute(moved, computed).fetchone() == (7,)


def test_a_table_twice_as_large_gets_a_new_map_and_the_old_one_is_shown_until_then(database: Database) -> None:
    with database.connect() as session:
        load_vectors(session, structured(10))
        keep(session)
        before = points(session)
        load_vectors(session, structured(20, seed=5))
        session.execute("UPDATE pgduet._snapshot SET refreshed_at = '-infinity'")
        calls = iter([False, True])
        assert keep_map(Snapshots(session), lambda: next(calls)) == 0, "stopped while it was learnt"
        assert session.execute("SELECT count(*) FROM pgduet._map").fetchone() == (1,), "nothing was begun"
        calls = iter([False, False, False, True])
        assert keep_map(Snapshots(session), lambda: next(calls)) == 0, "stopped on the way"
        assert session.execute("SELECT count(*) FROM pgduet._map").fetchone() == (2,)
        assert points(session) == before
        assert keep(session) == 1
        assert len(points(session)) == 30
        assert session.execute("SELECT count(*), count(DISTINCT map_id) FROM pgduet._map_point").fetchone() == (30, 1)
        assert session.execute("SELECT count(*) FROM pgduet._map").fetchone() == (1,)


def test_a_generation_that_may_follow_has_its_map_before_it_is_active(database: Database) -> None:
    with database.connect() as session:
        load_vectors(session, structured(6))
        session.execute("SELECT pgduet._create_generation('next', 'next', 'ready')")
        session.execute(
            "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch)"
            " SELECT chunk_id, 2, content_hash, embedding, sketch FROM pgduet.code_embeddings"
        )
        assert keep(session) == 2
        names = "SELECT DISTINCT generation FROM pgduet.code_map"
        assert session.execute(names).fetchall() == [("small",)]
        session.execute("UPDATE pgduet.generations SET state = 'retired' WHERE generation_id = 1")
        session.execute("UPDATE pgduet.generations SET state = 'active' WHERE generation_id = 2")
        assert session.execute(names).fetchall() == [("next",)]
        load_vectors(session, structured(1), generation_id=2)
        assert keep(session) == 1
        assert session.execute("SELECT DISTINCT generation_id FROM pgduet._map").fetchall() == [(2,)]


def test_one_worker_at_a_time_and_none_where_the_map_is_off(database: Database) -> None:
    with database.connect() as session:
        load_vectors(session, structured(6))
        with psycopg.connect(database.conninfo) as other:
            other.execute("SELECT pgduet._lock_snapshots()")
            assert keep(session) == 0
        database.set("code_map", "off")
        assert keep(session) == 0
        assert points(session) == {}
        database.set("code_map", "on")
        assert keep(session) == 1
        with pytest.raises(psycopg.errors.CheckViolation):
            session.execute("UPDATE pgduet._setting SET value = 'maybe' WHERE key = 'code_map'")


def test_a_worker_that_only_may_work_refreshes_all_that_is_due(stub_database: Database, stub: StubSidecar) -> None:
    stub.times = pb.TimingsResponse(
        since=1_700_000_000,
        stages=[
            pb.StageTimes(stage="request", lane="query", bounds=[0.1, 1], counts=[98, 1, 1], total_seconds=5),
            pb.StageTimes(stage="wait", lane="query", bounds=[0.1, 1], counts=[0, 0, 0]),
        ],
        slowest=[pb.SlowQuery(at=1_700_000_100, request_id="r1", seconds=2.5)],
    )
    with stub_database.connect() as session:
        stub_database.set("trigger_mode", "queue")
        session.execute(
            "INSERT INTO pgduet.code_chunks (repo, content) SELECT 'r', 'text ' || i FROM generate_series(1, 9) i"
        )
        session.execute("CREATE ROLE plain_worker LOGIN IN ROLE pgduet_worker")
        try:
            conninfo = f"{stub_database.conninfo} user=plain_worker"
            Worker(lambda: connect(conninfo, autocommit=True), Options(index=False)).run(once=True)
            names = session.execute("SELECT name, age_seconds < 60 FROM pgduet.snapshot_status ORDER BY 1").fetchall()
            assert names == [(name, True) for name in sorted([*COUNTED, "search_times", "code_map"])]
            assert session.execute("SELECT chunks, embedded FROM pgduet.coverage_snapshot").fetchall() == [(9, 9)]
            assert len(points(session)) == 9
            query = (
                "SELECT sidecar, stage, calls, mean_ms, p50_ms, p99_ms, over_100_ms, over_1000_ms,"
                " extract(epoch FROM since)::integer FROM pgduet.search_times"
            )
            assert session.execute(query).fetchall() == [
                (stub.address, "request", 100, 50, pytest.approx(51.0, abs=0.1), 1000, 2, 1, 1_700_000_000)
            ]
            query = "SELECT request_id, ms, tokens FROM pgduet.slowest_searches"
            assert session.execute(query).fetchall() == [("r1", 2500, None)]
            # An older sidecar tells nothing: what it told stays, until no setting names it.
            stub.times = None
            session.execute("UPDATE pgduet._snapshot SET refreshed_at = '-infinity'")
            Worker(lambda: connect(conninfo, autocommit=True), Options(index=False)).run(once=True)
            assert session.execute("SELECT count(*) FROM pgduet.search_times").fetchone() == (1,)
            Snapshots(session).forget_sidecars(["elsewhere"], 0)
            assert session.execute("SELECT count(*) FROM pgduet.slowest_searches").fetchone() == (0,)
        finally:
            session.execute("DROP ROLE plain_worker")
