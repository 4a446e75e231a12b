"""Views for BI tools: their types, comments and rights, and what they show of a table whose content is known."""

import subprocess
import warnings
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.types import NullType

from fix_bi import views
from fix_database import Connection, Database, new_database
from fix_standby import hot_standby
from pgduet.database.snapshots import Snapshots
from pgduet.local.binaries import find_binaries
from stub_sidecar import StubSidecar

PLAIN = ["bigint", "boolean", "double precision", "integer", "text", "timestamp with time zone"]
# Copies of code and names of paths are none of a monitor's business.
NOT_FOR_MONITORS = {"chunk_status", "code_map", "duplicates", "failures", "triplets", "watch_failures"}
SNAPSHOT_TABLES = [
    f"_snapshot{name}" for name in ("", "_coverage", "_freshness", "_generation", "_duplicate", "_stage", "_slow")
] + ["_map", "_map_centre", "_map_point"]


@pytest.fixture
def session(filled: Database) -> Iterator[Connection]:
    with new_database(filled.cluster, filled.name) as database, database.connect() as connection:
        yield connection


def test_every_column_of_every_view_is_of_a_plain_type(database: Database) -> None:
    query = (
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_'"
    )
    with database.connect() as connection:
        columns = connection.execute(query).fetchall()
    assert len({view for view, _, _ in columns}) >= 23
    assert [column for column in columns if column[2] not in PLAIN] == []


def test_every_view_and_column_is_described_and_runs_with_its_readers_rights(database: Database) -> None:
    query = (
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_'"
        " AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)"
    )
    own = (
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind = 'v'"
        " AND c.relname !~ '^_' AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'"
    )
    with database.connect() as connection:
        assert connection.execute(query).fetchall() == []
        assert connection.execute(own).fetchall() == []


def test_counts_of_a_known_table(session: Connection) -> None:
    columns = "repo, language, chunks, embedded, blank, pending, truncated"
    counted = session.execute(f"SELECT {columns} FROM pgduet.coverage_snapshot ORDER BY 1, 2").fetchall()
    assert counted == [
        ("a", "go", 1, 1, 0, 0, 0),
        ("a", "python", 2, 2, 0, 0, 0),
        ("b", "go", 5, 2, 1, 2, 1),
        ("b", "python", 1, 1, 0, 0, 0),
        (None, None, 1, 0, 0, 1, 0),
    ]
    assert counted == session.execute(f"SELECT {columns} FROM pgduet.coverage ORDER BY 1, 2").fetchall()
    query = (
        "SELECT repo, chunks, pending, failed, round(lag_seconds::numeric / 60), last_embedded_at IS NOT NULL"
        " FROM pgduet.freshness ORDER BY 1"
    )
    assert session.execute(query).fetchall() == [
        ("a", 3, 0, 0, 0, True),
        ("b", 6, 1, 1, 60, True),
        (None, 1, 1, 0, 120, False),
    ]
    query = "SELECT name, state, vectors, chunks, lacking, failed, share_done FROM pgduet.generation_scores"
    assert session.execute(query).fetchall() == [("small", "active", 6, 9, 2, 1, pytest.approx(6 / 9))]


def test_failures_are_counted_by_class(session: Connection) -> None:
    query = (
        "SELECT state, error_class, chunks, most_attempts, first_failed_at = last_failed_at, next_attempt_at > now(),"
        " example FROM pgduet.failure_classes ORDER BY state"
    )
    assert session.execute(query).fetchall() == [
        ("failed", "row_permanent", 1, 3, True, None, "too long"),
        ("retrying", "row_temporary", 1, 2, None, True, "late"),
    ]


def test_contents_that_several_repositories_have_are_found_once(session: Connection) -> None:
    query = "SELECT repos, copies, repo_names, chunk_id, repo, path, language, characters FROM pgduet.duplicates"
    assert session.execute(query).fetchall() == [(2, 2, "a, b", 2, "a", "file1", "python", 3)]


def test_scores_of_generations_and_their_gain(session: Connection) -> None:
    gate = '{"metric": "nDCG@10", "before": 0.5, "after": 0.75, "passed": true}'
    session.execute("UPDATE pgduet.generations SET metrics = jsonb_build_object('gate', %s::jsonb)", (gate,))
    query = "SELECT metric, score_before, score, gain, gate_passed FROM pgduet.generation_scores"
    assert session.execute(query).fetchall() == [("nDCG@10", 0.5, 0.75, 0.25, True)]


def test_history_of_recall_and_of_builds(session: Connection) -> None:
    session.execute(
        "INSERT INTO pgduet._index_build (generation_id, index_name, lists, rows_at_build, started_at, finished_at,"
        " error) VALUES (1, 'gone', 10, 5, now() - interval '1 minute', now(), NULL), (1, 'bad', 10, 5, now(), now(),"
        " 'no memory'), (1, 'code_embeddings_g1_pkey', 10, 5, now(), NULL, NULL)"
    )
    session.execute(
        "INSERT INTO pgduet._recall_sample (generation_id, index_name, measured_at, query_kind, queries, k, recall,"
        " recall_low, recall_high, index_ms, exact_ms, rows, changes) SELECT 1, 'gone', now() - i * interval '1 hour',"
        " kind, 50, 10, 0.9 + i / 32.0, 0.8, 1, 2, 9, 5, 5"
        " FROM generate_series(0, 1) i, unnest('{real,stored}'::text[]) kind"
    )
    query = "SELECT state, seconds, still_there, error FROM pgduet.index_builds ORDER BY build_id"
    built = session.execute(query).fetchall()
    assert built == [("built", 60, False, None), ("failed", 0, False, "no memory"), ("building", None, True, None)]
    query = (
        "SELECT generation, query_kind, recall_change, search_ms, exact_ms FROM pgduet.recall_history"
        " ORDER BY query_kind, measured_at"
    )
    assert session.execute(query).fetchall() == [
        ("small", kind, change, 2, 9) for kind in ("real", "stored") for change in (None, pytest.approx(-1 / 32))
    ]
    assert session.execute("TABLE pgduet.index_findings").fetchall() == (
        session.execute("SELECT * FROM pgduet.index_health()").fetchall()
    )


def test_a_snapshot_shows_its_age_and_is_counted_anew_when_it_is_due(session: Connection) -> None:
    snapshots = Snapshots(session)
    age = "SELECT max(age_seconds) < 60, min(age_seconds) >= 0 FROM pgduet.coverage_snapshot"
    assert session.execute(age).fetchone() == (True, True)
    session.execute("DELETE FROM pgduet.code_chunks WHERE repo = 'b'")
    assert not snapshots.count("coverage"), "it is young"
    stored = "SELECT count(*) FROM pgduet.coverage_snapshot WHERE repo = 'b'"
    assert session.execute(stored).fetchone() == (2,)
    # Small tables are counted ten times as often as snapshot_seconds says.
    session.execute("UPDATE pgduet._snapshot SET refreshed_at = now() - interval '31 seconds'")
    with psycopg.connect(session.info.dsn, autocommit=False) as other:
        other.execute("SELECT pgduet._lock_snapshots()")
        assert not snapshots.count("coverage"), "another worker is at it"
    assert snapshots.count("coverage")
    assert session.execute(stored).fetchone() == (0,)
    # What took ten seconds is not counted again before snapshot_seconds have passed.
    session.execute("UPDATE pgduet._snapshot SET refreshed_at = now() - interval '290 seconds', seconds = 10")
    assert not snapshots.count("coverage")
    session.execute("UPDATE pgduet._snapshot SET refreshed_at = '-infinity'")
    session.execute("UPDATE pgduet._setting SET value = '0' WHERE key = 'snapshot_seconds'")
    assert not snapshots.is_due("coverage")
    assert not snapshots.is_due("code_map")


def test_a_reader_may_read_all_and_write_none(session: Connection) -> None:
    names = views(session)
    session.execute("SET ROLE pgduet_reader")
    for name in names:
        session.execute(f"TABLE pgduet.{name}")
        with pytest.raises(psycopg.Error, match=r"permission denied|cannot (insert|update|delete)"):
            session.execute(f"DELETE FROM pgduet.{name}")
    for name in SNAPSHOT_TABLES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"DELETE FROM pgduet.{name}")
    for statement in ("TABLE pgduet._setting", "SELECT x_axis FROM pgduet._map", "TABLE pgduet._map_centre"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("SELECT pgduet._refresh_snapshot('coverage')")
    session.execute("RESET ROLE; SET ROLE pg_monitor")
    readable = []
    for name in names:
        try:
            session.execute(f"TABLE pgduet.{name}")
            readable.append(name)
        except psycopg.errors.InsufficientPrivilege:
            assert name in NOT_FOR_MONITORS
    assert set(names) - set(readable) == NOT_FOR_MONITORS


def test_row_security_holds_in_all_that_is_kept(session: Connection) -> None:
    session.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
    session.execute("CREATE POLICY own ON pgduet.code_chunks TO pgduet_reader USING (repo = 'b')")
    before = session.execute("SELECT count(*) FROM pgduet.code_map").fetchone()
    session.execute("SET ROLE pgduet_reader")
    for view in ("coverage_snapshot", "freshness", "code_map"):
        assert session.execute(f"SELECT DISTINCT repo FROM pgduet.{view}").fetchall() == [("b",)]
    assert session.execute("SELECT chunks, pending, failed, age_seconds FROM pgduet.freshness").fetchall() == [
        (6, 1, 1, 0)
    ]
    assert session.execute("SELECT chunks, lacking FROM pgduet.generation_scores").fetchall() == [(5, 1)]
    assert session.execute("TABLE pgduet.duplicates").fetchall() == [], "the other copy is not hers to see"
    assert session.execute("SELECT error_class FROM pgduet.failure_classes").fetchall() == [("row_permanent",)]
    for table in ("coverage", "freshness", "generation", "duplicate"):
        assert session.execute(f"SELECT count(*) FROM pgduet._snapshot_{table}").fetchone() == (0,)
    assert session.execute("SELECT count(*) FROM pgduet._map_point").fetchone() == (3,)
    session.execute("RESET ROLE")
    assert session.execute("SELECT count(*) FROM pgduet.code_map").fetchone() == before == (6,)
    assert session.execute("SELECT count(*) FROM pgduet.duplicates").fetchone() == (1,)


def test_sqlalchemy_reflects_every_view_without_a_warning(session: Connection) -> None:
    names = views(session)
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(session.info.dsn))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metadata = sqlalchemy.MetaData(schema="pgduet")
        metadata.reflect(engine, views=True, only=names)
        found = {name: metadata.tables[f"pgduet.{name}"] for name in names}
        with engine.connect() as connection:
            rows = connection.execute(sqlalchemy.select(found["code_map"])).mappings().all()
    engine.dispose()
    columns = [column for table in found.values() for column in table.columns]
    assert [column for column in columns if isinstance(column.type, NullType)] == []
    assert all(column.comment for column in columns)
    assert len(rows) == 6
    assert {type(rows[0][name]) for name in ("x", "y", "age_seconds")} == {float}


def test_psql_and_the_information_schema_describe_them(session: Connection) -> None:
    where = ["-h", session.info.host, "-p", str(session.info.port), "-U", "postgres", "-d", session.info.dbname]
    psql = [str(find_binaries()["psql"]), "--no-psqlrc", *where, "-c", r"\d+ pgduet.code_map"]
    told = subprocess.run(psql, check=True, capture_output=True, text=True).stdout
    assert "Along the direction in which the vectors differ most" in told
    query = (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'pgduet'"
        " AND table_name = ANY (%s) AND data_type IN ('USER-DEFINED', 'ARRAY', 'bytea', 'jsonb', 'numeric')"
    )
    assert session.execute(query, (views(session),)).fetchall() == []


def test_a_hot_standby_shows_all_views_and_searches(filled: Database, stub: StubSidecar) -> None:
    filled.set("sidecar_address", stub.address)
    with (
        hot_standby(filled.cluster) as standby,
        psycopg.connect(standby.conninfo(filled.name), autocommit=True) as here,
    ):
        assert here.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        for name in views(here):
            here.execute(f"TABLE pgduet.{name}")
        assert here.execute("SELECT count(*), count(DISTINCT cluster) FROM pgduet.code_map").fetchone() == (6, 2)
        assert here.execute("SELECT sum(chunks) FROM pgduet.coverage_snapshot").fetchone() == (10,)
        assert len(here.execute("SELECT * FROM pgduet.similar_to(1, k => 3)").fetchall()) == 3
        assert len(here.execute("SELECT * FROM pgduet.similar_code('what is it', k => 3)").fetchall()) == 3
