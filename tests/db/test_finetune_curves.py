"""Curves of fine-tuning runs: kept as a trainer reads them, the same after a resume, and never in a run's way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fix_database import Connection, Database
from fix_dumps import dump, restore
from fix_generations import scalar
from fix_trainer import Bench
from pgduet.database.connection import connect
from pgduet.database.finetune import FinetuneRun, FinetuneRuns
from pgduet.migrations.install import migrate
from pgduet.migrations.removal import remove_code
from pgduet.training.requests.curve import MOST, Curve

CURVE = "SELECT step, loss, gradient_norm, learning_rate, dev_score FROM pgduet.finetune_curves ORDER BY run_id, step"


@pytest.fixture
def admin(bench: Bench) -> Iterator[Connection]:
    dsn = f"{bench.database.conninfo} options='-c role=pgduet_admin'"
    with connect(dsn, autocommit=True) as connection:
        yield connection


def curve(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.session.execute(CURVE.encode()).fetchall()


def begun(admin: Connection, trainer: str) -> tuple[FinetuneRuns, FinetuneRun]:
    """Take the run that waits, as a trainer of that name."""
    runs = FinetuneRuns(admin, trainer)
    run = runs.take(0)
    assert run is not None
    return runs, run


def write(log: Path, losses: dict[int, float]) -> None:
    told = [{"step": step, "loss": loss, "norm": 1.0, "rate": 0.1, "score": None} for step, loss in losses.items()]
    log.write_text("".join(json.dumps(one) + "\n" for one in told))


def keep(runs: FinetuneRuns, run: FinetuneRun, drawn: Curve) -> None:
    runs.note_steps(run, drawn.look())
    drawn.take_off()


def test_a_run_leaves_its_curve_and_another_attempt_no_step_twice(bench: Bench) -> None:
    bench.database.set("finetune_attempts", "3")
    bench.ask()
    bench.once("die")
    assert bench.row()["attempts"] == 3
    assert curve(bench) == [(1, 0.25, 1.5, 1e-5, 0.5), (2, 0.25, 1.5, 1e-5, None)]
    shown = bench.session.execute("SELECT DISTINCT run_id, name, state, steps FROM pgduet.finetune_curves").fetchall()
    assert shown == [(1, "small-ft-1", "failed", 100)]
    tables = "pgduet.finetune_curves, pgduet.finetune_runs"
    assert scalar(bench.session, f"SELECT bool_and(noted_at BETWEEN started_at AND ended_at) FROM {tables}")


def test_a_run_that_begins_anew_begins_its_curve_anew(bench: Bench) -> None:
    bench.database.set("finetune_attempts", "2")
    bench.ask()
    bench.session.execute("INSERT INTO pgduet.finetune_steps (run_id, step, loss) VALUES (1, 50, 9)")
    bench.once("mine:3")
    assert [step for step, *_ in curve(bench)] == [50], "nothing was trained"
    bench.session.execute("UPDATE pgduet.finetune_runs SET state = 'requested', status = NULL")
    bench.once("0")
    assert [step for step, *_ in curve(bench)] == [1, 2]


def test_steps_that_are_done_again_replace_those_of_the_attempt_before(bench: Bench, admin: Connection) -> None:
    bench.ask()
    log = bench.store / "steps.jsonl"
    runs, run = begun(admin, "first")
    write(log, dict.fromkeys(range(1, 7), 1.0))
    first = Curve(log, 100)
    keep(runs, run, first)
    times = "SELECT step, noted_at FROM pgduet.finetune_steps WHERE step <= 4 ORDER BY step"
    before = bench.session.execute(times).fetchall()
    # The same trainer goes on from the checkpoint after the fourth step, and so does another one with the same log.
    write(log, {**dict.fromkeys(range(1, 5), 1.0), 5: 0.5})
    keep(runs, run, first)
    assert [(step, loss) for step, loss, *_ in curve(bench)] == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 0.5)]
    runs, run = begun(admin, "second")
    write(log, {**dict.fromkeys(range(1, 5), 1.0), 5: 0.25, 6: 0.2})
    keep(runs, run, Curve(log, 100))
    assert [(step, loss) for step, loss, *_ in curve(bench)][4:] == [(5, 0.25), (6, 0.2)]
    assert bench.session.execute(times).fetchall() == before, "a step that stands was told anew"


def test_a_long_run_leaves_a_few_hundred_steps(bench: Bench, admin: Connection) -> None:
    bench.ask("steps => 20000")
    runs, run = begun(admin, "t")
    log = bench.store / "steps.jsonl"
    write(log, {step: 1 / step for step in range(1, 20_001)})
    keep(runs, run, Curve(log, run.options["steps"]))
    assert MOST <= len(curve(bench)) <= 2 * MOST


def test_only_who_has_a_run_in_hand_draws_its_curve_and_it_goes_with_the_run(bench: Bench, admin: Connection) -> None:
    bench.ask()
    runs, run = begun(admin, "t")
    note = 'SELECT pgduet._note_finetune_steps(1, %s, \'[{"step": 1, "loss": 2}]\')'
    admin.execute(note, ("somebody else",))
    assert curve(bench) == []
    admin.execute(note, ("t",))
    assert curve(bench) == [(1, 2, None, None, None)]
    runs.end(run, "done")
    admin.execute(note.replace(": 2", ": 3").encode(), ("t",))
    assert curve(bench) == [(1, 2, None, None, None)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute("DELETE FROM pgduet.finetune_steps")
    bench.session.execute("DELETE FROM pgduet.finetune_runs")
    assert curve(bench) == []


def test_curves_come_back_from_a_dump_and_stay_when_the_code_goes(
    bench: Bench, empty_database: Database, folder: Path
) -> None:
    bench.database.set("finetune_attempts", "1")
    bench.ask()
    bench.once("6")
    before = curve(bench)
    assert len(before) == 2
    file = dump(bench.database, folder / "dump")
    # One after the other: the foreign key is there before the rows, which come by the names of their tables.
    for part in ("--schema-only", "--data-only"):
        restore(file, empty_database, part)
    with empty_database.connect() as session:
        assert session.execute(CURVE.encode()).fetchall() == before
    remove_code(bench.session)
    assert migrate(bench.session).current
    assert curve(bench) == before


def test_a_curve_that_cannot_be_kept_is_no_failure_of_the_run(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.database.set("finetune_attempts", "1")
    ends = []
    with psycopg.connect(bench.database.conninfo) as other:
        other.execute("LOCK TABLE pgduet.finetune_steps")
        bench.ask()
        bench.once("6")
        ends.append(bench.row(1))
    bench.session.execute("ALTER FUNCTION pgduet._note_finetune_steps RENAME TO _away")
    bench.ask()
    bench.once("6")
    ends.append(bench.row(2))
    for found in ends:
        assert (found["state"], found["status"], found["attempts"]) == ("failed", "nothing to learn", 1)
    assert curve(bench) == []
    said = capsys.readouterr()
    assert (said.out + said.err).count("the curve is not kept") == 2
