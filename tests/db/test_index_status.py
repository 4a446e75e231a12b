"""What the database tells of its index: recall by kind of query, trend, what is wrong with it and what to do."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database, new_database
from fix_vectors import load_vectors, structured
from pgduet.local.cluster import Cluster
from pgduet.migrations.keeper import calibration, keep_index
from pgduet.migrations.keeper.calibration import calibrate, check_due, check_recall
from pgduet.migrations.keeper.sampling import Setting, try_setting
from stub_sidecar import StubSidecar

ROWS = 600
RECALL = "SELECT query_kind, queries, recall, way FROM pgduet.index_recall"
WARNINGS = "SELECT aspect, detail, advice FROM pgduet.index_health() WHERE status = 'warn'"


@pytest.fixture(scope="module")
def indexed(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database with 600 vectors and an index that each test gets a copy of."""
    with new_database(cluster, template) as database:
        database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
        database.set("index_min_rows", "100")
        with database.connect() as session:
            load_vectors(
                session,
                structured(ROWS),
                languages=["zig" if row % 20 == 0 else "python" for row in range(ROWS)],
                symbols=[f"http.Client{row}.readFile{chr(65 + row % 26)}" for row in range(ROWS)],
            )
            keep_index(session)
        yield database


@pytest.fixture
def session(indexed: Database) -> Iterator[Connection]:
    with new_database(indexed.cluster, indexed.name) as database, database.connect() as connection:
        yield connection


@pytest.fixture
def empty_session(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


def index_name(session: Connection) -> str:
    (name,) = session.execute("SELECT index_name FROM pgduet._search_index(1)").fetchone() or ("",)
    return str(name)


def warnings(session: Connection) -> dict[str, tuple[str, str]]:
    return {aspect: (detail, advice) for aspect, detail, advice in session.execute(WARNINGS).fetchall()}


def write_sample(session: Connection, recall: float, low: float, high: float, hours_ago: int) -> None:
    session.execute(
        "INSERT INTO pgduet._recall_sample (generation_id, index_name, measured_at, query_kind, queries, k, recall,"
        " recall_low, recall_high, index_ms, exact_ms, rows, changes)"
        " SELECT 1, %s, now() - make_interval(hours => %s), 'stored', 50, 10, %s, %s, %s, 1, 5, n.rows, n.changes"
        " FROM pgduet._vector_count(1) n",
        (index_name(session), hours_ago, recall, low, high),
    )


def test_the_view_shows_what_the_calibration_chose_and_measured(session: Connection) -> None:
    row = session.execute(
        "SELECT kind, valid, lists, probes, depth, rows_at_build, rows_now, recall_target, measured_with, recall,"
        " recall_low, recall_high, recall_trend, phase FROM pgduet.index_status"
    ).fetchone()
    assert row is not None
    (
        kind,
        valid,
        lists,
        probes,
        depth,
        rows_at_build,
        rows_now,
        target,
        measured_with,
        found,
        low,
        high,
        trend,
        phase,
    ) = row
    assert (kind, valid, rows_at_build, rows_now, target, measured_with) == ("sketch", True, ROWS, ROWS, 0.97, "stored")
    assert 1 <= probes <= lists
    assert depth in (50, 100, 200, 400)
    assert low <= found <= high
    assert (trend, phase) == (None, None)


@pytest.mark.parametrize(
    ("before", "trend"), [((0.99, 0.98, 1.0), "falling"), ((0.8, 0.7, 0.88), "rising"), ((0.92, 0.9, 0.95), "steady")]
)
def test_the_trend_tells_change_from_chance(
    session: Connection, before: tuple[float, float, float], trend: str
) -> None:
    session.execute("DELETE FROM pgduet._recall_sample")
    write_sample(session, *before, hours_ago=2)
    write_sample(session, 0.92, 0.9, 0.95, hours_ago=1)
    found = session.execute("SELECT recall, recall_before, recall_trend FROM pgduet.index_status").fetchall()
    assert found == [(0.92, before[0], trend)]


def test_readers_and_monitors_may_look(session: Connection) -> None:
    for role in ("pgduet_reader", "pg_monitor"):
        session.execute(f"SET ROLE {role}")
        assert session.execute("SELECT count(*) FROM pgduet.index_status").fetchone() == (1,)
        assert session.execute("SELECT count(*) FROM pgduet.index_health()").fetchone() == (3,)
        session.execute("RESET ROLE")


def test_recall_is_measured_where_nothing_may_be_written(session: Connection) -> None:
    session.execute("SET default_transaction_read_only = on; SET ROLE pgduet_reader")
    session.execute("SET pgduet.search_mode = 'index'")
    (row,) = session.execute(f"{RECALL}(20)").fetchall()
    assert row[:2] == ("stored", 20)
    assert row[3] == "index"


def test_recall_of_a_filtered_search_is_that_of_the_rows_that_match(session: Connection) -> None:
    assert session.execute(f"{RECALL}(100, language => 'zig')").fetchall() == [("stored", ROWS // 20, 1.0, "exact")]
    assert session.execute(f"{RECALL}(100, language => 'cobol')").fetchall() == []


def test_names_of_symbols_are_asked_for_where_a_sidecar_answers(session: Connection, stub: StubSidecar) -> None:
    session.execute("UPDATE pgduet._setting SET value = %s WHERE key = 'sidecar_address'", (stub.address,))
    found = session.execute(f"{RECALL}(20)").fetchall()
    assert [row[:2] for row in found] == [("stored", 20), ("symbol", 20)]
    assert {request.role for request in stub.requests} == {"query"}
    names = {name for request in stub.requests for name in request.contents}
    assert len(names) == 20
    assert names <= {f"http client read file {chr(97 + letter)}" for letter in range(26)}


def test_what_people_asked_counts_more_than_names_where_the_sidecar_keeps_it(
    session: Connection, stub: StubSidecar
) -> None:
    session.execute("UPDATE pgduet._setting SET value = %s WHERE key = 'sidecar_address'", (stub.address,))
    stub.recent = [f"question {number}" for number in range(25)]
    assert [row[:2] for row in session.execute(f"{RECALL}(30)").fetchall()] == [("stored", 30), ("real", 25)]
    check_recall(session, 1, index_name(session))
    kinds = session.execute("SELECT DISTINCT query_kind FROM pgduet._recall_sample ORDER BY 1").fetchall()
    assert kinds == [("real",), ("stored",)]
    assert stub.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [("0", "sample must be"), ("NULL", "sample must be"), ("10, 0", "k must be"), ("10, 1001", "k must be")],
)
def test_recall_refuses_numbers_that_make_no_sense(session: Connection, arguments: str, message: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message) as caught:
        session.execute(f"SELECT * FROM pgduet.index_recall({arguments})")
    assert caught.value.diag.message_hint


def test_a_search_that_is_spoilt_is_noticed_and_mended(session: Connection) -> None:
    name = index_name(session)
    session.execute("UPDATE pgduet._index_build SET probes = 1, depth = 10")
    check = check_recall(session, 1, name)
    assert check.below
    assert check.low <= check.recall <= check.high < 0.97
    assert "recall" in warnings(session)
    assert "is good" in keep_index(session)
    session.execute("DELETE FROM pgduet._recall_sample")
    assert "had fallen" in keep_index(session)
    assert check_recall(session, 1, name).recall >= 0.95
    assert "recall" not in warnings(session)


def test_recall_is_due_after_a_tenth_changed_or_an_hour_with_a_change(session: Connection) -> None:
    name = index_name(session)
    session.execute("DELETE FROM pgduet._recall_sample")
    assert check_due(session, 1, name)
    check_recall(session, 1, name)
    assert not check_due(session, 1, name)
    session.execute("UPDATE pgduet._recall_sample SET measured_at = measured_at - interval '2 hours'")
    assert not check_due(session, 1, name)
    session.execute("UPDATE pgduet._recall_sample SET changes = changes - 1")
    assert check_due(session, 1, name)
    session.execute("UPDATE pgduet._recall_sample SET measured_at = now()")
    assert not check_due(session, 1, name)
    session.execute("UPDATE pgduet._recall_sample SET changes = changes - %s", (ROWS // 10,))
    assert check_due(session, 1, name)


def test_a_target_that_is_out_of_reach_is_told_with_what_to_do(session: Connection) -> None:
    session.execute("UPDATE pgduet._index_build SET probes = lists")
    write_sample(session, 0.8, 0.75, 0.84, hours_ago=0)
    detail, advice = warnings(session)["recall"]
    assert "0.800" in detail
    assert "recall_target" in advice


def test_a_target_that_no_search_can_miss_takes_every_list(session: Connection) -> None:
    found = calibrate(session, 1, index_name(session), target=1.0)
    assert found.recall == pytest.approx(1, abs=0.02)


def test_an_empty_generation_is_calibrated_to_look_everywhere(session: Connection) -> None:
    session.execute("TRUNCATE pgduet.code_embeddings")
    found = calibrate(session, 1, index_name(session), target=0.97)
    lists = session.execute("SELECT lists, probes FROM pgduet.index_status").fetchone()
    assert lists == (found.probes, found.probes)


def test_without_an_active_generation_there_is_nothing_to_measure(session: Connection) -> None:
    session.execute("UPDATE pgduet.generations SET state = 'retired'")
    assert session.execute("SELECT * FROM pgduet.index_recall()").fetchall() == []


def test_rows_are_known_also_after_the_statistics_were_lost(session: Connection) -> None:
    session.execute("ANALYZE pgduet.code_embeddings_g1")
    query = "SELECT rows FROM pgduet._vector_count(1)"
    before = session.execute(query).fetchone()
    session.execute("SELECT pg_stat_reset_single_table_counters('pgduet.code_embeddings_g1'::regclass)")
    session.execute("SELECT pg_stat_clear_snapshot()")
    assert before is not None
    assert session.execute(query).fetchone() == (pytest.approx(before[0], rel=0.1),)


def test_a_calibration_keeps_to_its_time(session: Connection) -> None:
    found = calibrate(session, 1, index_name(session), target=0.97, seconds=0)
    assert found.reached


def test_a_calibration_that_is_late_chooses_on_few_queries_and_not_all_lists(
    session: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of the two seconds are for looking, and then as much again twice with ten queries a setting.
    times = chain([0.0], repeat(1.5))
    monkeypatch.setattr(calibration, "time", SimpleNamespace(monotonic=lambda: next(times)))
    tried: Counter[Setting] = Counter()

    def counted(
        connection: Connection, generation: int, setting: Setting, query: dict[str, Any]
    ) -> tuple[float, float]:
        tried[setting] += 1
        return try_setting(connection, generation, setting, query)

    monkeypatch.setattr(calibration, "try_setting", counted)
    found = calibrate(session, 1, index_name(session), target=0.9, seconds=2)
    ((lists,),) = session.execute("SELECT lists FROM pgduet.index_status").fetchall()
    assert found.probes is not None
    assert found.probes < 0.8 * lists
    assert found.recall > 0.8
    assert max(tried.values()) <= 30, "ten of each kind of query"


def test_health_tells_of_an_index_that_the_table_outgrew(session: Connection, indexed: Database) -> None:
    assert warnings(session) == {}
    session.execute("UPDATE pgduet._index_build SET rows_at_build = 100")
    detail, advice = warnings(session)["growth"]
    assert detail == f"built on 100 vectors, {ROWS} now"
    assert "pgduet worker" in advice
    (status,) = session.execute("SELECT status FROM pgduet.health() WHERE component = 'index'").fetchone() or ("",)
    assert status == "warn"


def test_health_tells_of_another_kind_a_memory_limit_and_a_costly_search(session: Connection) -> None:
    session.execute("UPDATE pgduet._setting SET value = 'hnsw' WHERE key = 'index_kind'")
    session.execute("UPDATE pgduet._index_build SET lists = 10")
    found = warnings(session)
    assert "kind" in found["growth"][0]
    assert "index_memory_mb" in found["memory"][1]


def test_health_tells_of_builds_that_failed_and_of_what_they_left(session: Connection) -> None:
    session.execute("UPDATE pgduet._index_build SET error = 'memory required is 832 MB'")
    assert "index_memory_mb" in warnings(session)["build"][1]
    session.execute("UPDATE pgduet._index_build SET error = NULL, finished_at = NULL")
    assert "session ended" in warnings(session)["build"][0]
    session.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = ('pgduet.' || %s)::regclass", (index_name(session),)
    )
    assert "not valid" in warnings(session)["leftover"][0]


def test_health_tells_of_an_index_on_the_vectors_that_somebody_else_made(session: Connection) -> None:
    session.execute(
        "CREATE INDEX mine ON pgduet.code_embeddings_g1 USING ivfflat (embedding halfvec_cosine_ops) WITH (lists = 5)"
    )
    detail, advice = warnings(session)["other index"]
    assert "8 kB a row" in detail
    assert advice.startswith("DROP INDEX CONCURRENTLY pgduet.mine")


def test_health_of_a_table_without_an_index(empty_session: Connection) -> None:
    assert empty_session.execute("SELECT aspect, status FROM pgduet.index_health()").fetchall() == [("index", "ok")]
    load_vectors(empty_session, np.tile(structured(1), (1100, 1)))
    empty_session.execute("SELECT pg_stat_force_next_flush()")
    found = warnings(empty_session)
    assert "pgduet db index" in found["index"][1]
    assert found["statistics"][1].startswith("ANALYZE pgduet.code_embeddings_g1")
