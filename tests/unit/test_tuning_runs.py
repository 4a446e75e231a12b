"""Whole runs: killed and resumed, by several processes, stopped by a guard, exported."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fix_tuning import final, losses, run_apart, start, train_here, triplets
from pgduet.encoding import Part, Role, load_duet
from pgduet.encoding.store.layout import checked_manifest
from pgduet.training.tuning.batches import Batches, Triplet
from pgduet.training.tuning.checkpoint import Checkpoints, Progress
from pgduet.training.tuning.errors import (
    CollapseError,
    NotFiniteError,
    NothingToLearnError,
    TooLittleDataError,
    TuningError,
)
from pgduet.training.tuning.export import average, export, parent_weights
from pgduet.training.tuning.guards import Guards
from pgduet.training.tuning.held_out import HeldOut
from pgduet.training.tuning.objective import Measured
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee


def test_a_run_that_is_killed_while_it_writes_goes_on_to_the_same_weights(tiny_store: Path, tmp_path: Path) -> None:
    train_here(str(tiny_store), str(tmp_path / "whole"), "triplet", "0")
    # A checkpoint writes its state, its progress and its folder: the fourth is the state of the second checkpoint.
    assert run_apart(tiny_store, tmp_path / "killed", die_at=4) == -signal.SIGKILL
    assert [path.name for path in sorted((tmp_path / "killed" / "checkpoints").iterdir())] == [
        ".step-00000004.partial",
        "step-00000002",
    ]
    train_here(str(tiny_store), str(tmp_path / "killed"), "triplet", "0")
    whole, resumed = final(tmp_path / "whole"), final(tmp_path / "killed")
    assert whole.keys() == resumed.keys()
    assert max(float((whole[name] - resumed[name]).abs().max()) for name in whole) <= 1e-6
    assert losses(tmp_path / "killed") == pytest.approx(losses(tmp_path / "whole"), abs=1e-6)
    assert len(losses(tmp_path / "killed")) == 6
    # Not the weights it began with, which would be equal too.
    duet = load_duet("tiny", tiny_store)
    begun = parent_weights(Trainee(duet, Plan()))
    assert max(float((whole[name] - begun[name]).abs().max()) for name in whole) > 1e-4


@pytest.mark.parametrize("objective", ["in-batch", pytest.param("triplet", marks=pytest.mark.slow)])
def test_two_processes_learn_as_one_does(tiny_store: Path, tmp_path: Path, objective: str) -> None:
    train_here(str(tiny_store), str(tmp_path / "one"), objective, "0")
    assert run_apart(tiny_store, tmp_path / "two", processes=2, objective=objective) == 0
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-3)


def test_a_duet_learns_and_scores_better_on_pairs_it_never_saw(tiny_store: Path, tmp_path: Path) -> None:
    plan = Plan(objective="in-batch", batch=8, steps=40, rate=2e-3, check_every=10)
    duet, _, run = start(tiny_store, plan, tmp_path)
    held_out = HeldOut(duet, [row[:2] for row in triplets(40, seed=1)])
    run._score = held_out.score
    before = held_out.score()
    progress = run.train(lambda _: None)
    assert progress.best is not None
    assert progress.scores[progress.best] == max(progress.scores.values())
    assert held_out.score() == pytest.approx(progress.scores[progress.best], abs=1e-9)
    assert held_out.score() > before + 0.05
    assert losses(tmp_path)[-1] < 0.7 * losses(tmp_path)[0]


def test_a_run_ends_when_its_patience_does(tiny_store: Path, tmp_path: Path) -> None:
    plan = Plan(objective="triplet", batch=8, steps=50, check_every=1, patience=3)
    _, _, run = start(tiny_store, plan, tmp_path)
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.1, 0.9])
    run._score = lambda: next(scores)
    progress = run.train(lambda _: None)
    assert (progress.step, progress.best) == (5, 2)


def test_checkpoints_of_another_run_are_refused(tiny_store: Path, tmp_path: Path) -> None:
    _, _, run = start(tiny_store, Plan(objective="triplet", batch=8, steps=1), tmp_path)
    run.train(lambda _: None)
    _, _, other = start(tiny_store, Plan(objective="triplet", batch=8, steps=2), tmp_path)
    with pytest.raises(TuningError, match="of another run"):
        other.train(lambda _: None)


def test_the_best_checkpoint_is_kept_with_the_last_two(tmp_path: Path) -> None:
    checkpoints, progress = Checkpoints(tmp_path, "key"), Progress()
    for progress.step in range(1, 6):
        progress.note(1.0 if progress.step == 2 else 0.0)
        checkpoints.save(progress, {"step": torch.tensor(progress.step)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000004", "step-00000005"]
    assert int(checkpoints.at(2)["step"]) == 2


def test_numbers_that_are_not_finite_stop_a_run_before_they_reach_the_weights(tiny_store: Path, tmp_path: Path) -> None:
    _, trainee, run = start(tiny_store, Plan(objective="triplet", batch=8, steps=4), tmp_path)
    with torch.no_grad():
        dict(trainee.learning())["encoders.text.encoder.layer.0.output.dense.bias"][0] = float("nan")
    before = parent_weights(trainee)
    with pytest.raises(NotFiniteError, match=r"step 1: the loss is nan"):
        run.train(lambda _: None)
    for name, weights in trainee.learning():
        assert torch.equal(weights.nan_to_num(7.0), before[name].nan_to_num(7.0)), name


@pytest.mark.parametrize(
    ("objective", "loss", "active", "similarity", "error"),
    [
        ("triplet", 0.5, 1.0, 0.995, CollapseError),
        ("triplet", 0.2, 1.0, 0.995, None),
        ("triplet", 0.5, 1.0, 0.9, None),
        ("in-batch", 3.0, 1.0, 0.995, CollapseError),
        ("triplet", 0.0, 0.0, 0.1, NothingToLearnError),
        ("in-batch", 0.0, 0.0, 0.1, None),
        ("triplet", float("inf"), 1.0, 0.1, NotFiniteError),
    ],
)
def test_guards_stop_what_brings_nothing(
    objective: str, loss: float, active: float, similarity: float, error: type[TuningError] | None
) -> None:
    guards = Guards(Plan(objective=objective))

    def look() -> None:
        for step in range(25):
            guards.check(step, Measured(torch.tensor(loss), active, similarity), 1.0)

    if error is None:
        look()
        return
    with pytest.raises(error):
        look()
    # Twenty in a row, not twenty in all.
    if error is not NotFiniteError:
        guards = Guards(Plan(objective=objective))
        for step in range(60):
            fine = step % 10 == 9
            measured = Measured(
                torch.tensor(0.3 if fine else loss), 1.0 if fine else active, 0.3 if fine else similarity
            )
            guards.check(step, measured, 1.0)


def test_every_reason_to_stop_has_a_status_and_an_exit_code_of_its_own() -> None:
    errors = (TuningError, TooLittleDataError, NotFiniteError, CollapseError, NothingToLearnError)
    assert len({error.status for error in errors}) == len({error.exit_code for error in errors}) == len(errors)


def test_no_text_stands_twice_in_a_batch_and_the_order_follows_from_the_seed(tiny_store: Path) -> None:
    duet = load_duet("tiny", tiny_store)
    rows = [*triplets(), *(Triplet(row.anchor, row.positive, f"{row.negative}!") for row in triplets())]
    orders = []
    for seed in (1, 1, 2):
        batches = Batches(duet, rows, Plan(hard=True, batch=8, seed=seed))
        orders.append([batches.rows(number) for number in range(12)])
        for batch in orders[-1]:
            texts = [text for row in batch for text in row]
            assert len(batch) == 8
            assert len(set(texts)) == len(texts)
    assert orders[0] == orders[1] != orders[2]
    assert {row for batch in orders[0] for row in batch} == set(rows)


def test_too_few_triplets_are_told(tiny_store: Path) -> None:
    same = [Triplet("find it", f"find({number})", f"add({number})") for number in range(20)]
    with pytest.raises(TooLittleDataError, match="20 triplets do not fill a batch of 8"):
        Batches(load_duet("tiny", tiny_store), same, Plan(batch=8))


@pytest.mark.parametrize("changes", [{"margin": 2.0}, {"batch": 1}, {"rate": 0.0}, {"objective": "jaccard"}])
def test_a_plan_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TuningError, match=next(iter(changes))):
        Plan(**changes)


def test_an_exported_duet_gives_the_vectors_that_were_trained(
    tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import copytree

    store = copytree(tiny_store, tmp_path / "models")
    plan = Plan(objective="in-batch", batch=8, steps=6, rate=1e-3, part=Part.CODE)
    duet, trainee, run = start(store, plan, tmp_path / "run")
    parent = parent_weights(trainee)
    run.train(lambda _: None)
    tuned = parent_weights(trainee)
    average(trainee, parent, tuned, 0.5)
    folder = tmp_path / "run" / "export"
    folder.mkdir()
    made = export(trainee, "tiny", "tiny-1", folder, weights=(0.3, 0.7), models_dir=store)
    texts = [row.positive for row in triplets(6)]
    new, old = load_duet("tiny-1", store), load_duet("tiny", store)
    new.self_test()
    assert new.fingerprint != old.fingerprint
    assert new.weights == (0.3, 0.7)
    halves = [each.halves(each.tokenise(texts, Role.DOCUMENT)) for each in (new, duet, old)]
    assert np.abs(halves[0][0] - halves[1][0]).max() < 1e-6, "as trained"
    assert np.abs(halves[0][0] - halves[2][0]).max() > 1e-4, "not as before"
    assert np.array_equal(halves[0][1], halves[2][1]), "the other half is the parent's"
    assert checked_manifest(made).code.encoder.endswith(", fine-tuned")
    average(trainee, parent, tuned, 0.0)
    assert all(torch.equal(weights, parent[name]) for name, weights in trainee.learning())
