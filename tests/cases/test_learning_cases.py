"""Failures of fine-tuning that people met elsewhere: cases C35 and C37."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from fix_database import Connection, Database
from fix_generations import scalar
from fix_tuning import triplets
from pgduet.cli import finetune, mine
from pgduet.encoding import load_duet
from pgduet.encoding.manifest import Role
from pgduet.training.tuning import loop, material
from pgduet.training.tuning.material import Material
from pgduet.training.tuning.recipe import run_folder

PLAN = ("--batch=8", "--steps=50", "--check-every=5")


@pytest.fixture
def store(tiny_store: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_store, tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def session(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        connection.execute("UPDATE pgduet.generations SET model = 'tiny', name = 'tiny'")
        yield connection


def call(database: Database, *words: str) -> Result:
    app = typer.Typer()
    finetune.register(app)
    mine.register(app)
    return CliRunner().invoke(app, [*words, "--dsn", database.conninfo])


def enough(monkeypatch: pytest.MonkeyPatch, train: int = 24) -> None:
    held_out = [row[:2] for row in triplets(40, seed=1)]
    monkeypatch.setattr(material, "read_material", lambda *_: Material(triplets(24)[:train], held_out, held_out))


def left(session: Connection, store: Path) -> tuple[list[str], list[str]]:
    """Name the generations that there are, and the duets of the store."""
    names = [name for (name,) in session.execute("SELECT name FROM pgduet.generations").fetchall()]
    return names, sorted(path.name for path in store.iterdir() if (path / "duet.toml").exists())


@pytest.mark.parametrize("objective", ["triplet", "in-batch"])
def test_a_rate_that_makes_all_vectors_one_ends_the_run_and_changes_nothing(
    database: Database, session: Connection, store: Path, monkeypatch: pytest.MonkeyPatch, objective: str
) -> None:
    enough(monkeypatch)
    done = call(
        database, "finetune", "new", *PLAN, f"--objective={objective}", "--rate=0.99", "--models-dir", str(store)
    )
    assert done.exit_code == 5, done.output
    assert "all texts get the same vector" in done.output
    assert "hint: lower the learning rate" in done.output
    assert left(session, store) == (["tiny"], ["tiny"])
    assert scalar(session, "SELECT name FROM pgduet.generations WHERE state = 'active'") == "tiny"


def test_a_margin_for_another_distance_is_refused_before_anything_is_loaded(database: Database, store: Path) -> None:
    started = time.monotonic()
    done = call(database, "finetune", "new", "--objective=triplet", "--margin=5", "--models-dir", str(store))
    assert (done.exit_code, time.monotonic() - started < 10) == (1, True)
    assert "margin must be above 0 and below 2, the largest cosine distance" in done.output


def test_numbers_that_are_not_finite_end_the_run_and_reach_no_checkpoint(
    database: Database, session: Connection, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough(monkeypatch)
    check = loop.Run._check

    def spoiled(run: loop.Run) -> float | None:
        score = check(run)
        if run.progress.step == 10:
            with torch.no_grad():
                next(iter(run._weights.values())).fill_(float("nan"))
        return score

    monkeypatch.setattr(loop.Run, "_check", spoiled)
    done = call(database, "finetune", "new", *PLAN, "--models-dir", str(store))
    assert done.exit_code == 4, done.output
    assert "step 11: the loss is nan" in done.output
    assert left(session, store) == (["tiny"], ["tiny"])
    written = sorted((run_folder("new", store) / "checkpoints").iterdir())
    assert [path.name for path in written] == ["step-00000005", "step-00000010"]
    for path in written:
        state = torch.load(path / "state.pt", weights_only=True)
        assert all(torch.isfinite(weights).all() for weights in state["weights"].values())


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_table_with_hardly_any_rows_says_what_is_lacking(
    database: Database, session: Connection, store: Path, rows: int
) -> None:
    for number in range(rows):
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES (%s)", (f"def f{number}(): pass",))
    mined = call(database, "mine")
    assert (mined.exit_code, left(session, store)) == (3, (["tiny"], ["tiny"])), mined.output
    done = call(database, "finetune", "new", "--models-dir", str(store))
    assert done.exit_code == 3, done.output
    assert "the dev side has 0 questions" in done.output
    assert "it needs 20" in done.output
    assert left(session, store) == (["tiny"], ["tiny"])


def test_less_than_one_batch_is_too_little(
    database: Database, session: Connection, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough(monkeypatch, train=7)
    done = call(database, "finetune", "new", *PLAN, "--models-dir", str(store))
    assert done.exit_code == 3, done.output
    assert "7 triplets do not fill a batch of 8" in done.output
    assert left(session, store) == (["tiny"], ["tiny"])


def test_triplets_that_are_all_satisfied_give_a_loss_of_zero_and_end_the_run(
    database: Database, session: Connection, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duet = load_duet("tiny", store)
    rows = triplets(200)
    columns = [
        duet.halves(duet.tokenise(list(texts), role))
        for texts, role in zip(zip(*rows, strict=True), (Role.QUERY, Role.DOCUMENT, Role.DOCUMENT), strict=True)
    ]
    nearer = [(a * p).sum(axis=1) - (a * n).sum(axis=1) for a, p, n in list(zip(*columns, strict=True))[:2]]
    satisfied = [row for row, code, text in zip(rows, *nearer, strict=True) if min(code, text) > 0.002]
    assert len(satisfied) >= 8
    held_out = [row[:2] for row in triplets(40, seed=1)]
    monkeypatch.setattr(material, "read_material", lambda *_: Material(satisfied[:24], held_out, held_out))
    words = ("--objective=triplet", "--margin=0.001", "--rate=1e-6", "--models-dir", str(store))
    done = call(database, "finetune", "new", *PLAN, *words)
    assert done.exit_code == 6, done.output
    assert "no triplet was within the margin of 0.001" in done.output
    log = (run_folder("new", store) / "steps.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in log] == [0.0] * 19
    assert left(session, store) == (["tiny"], ["tiny"])
