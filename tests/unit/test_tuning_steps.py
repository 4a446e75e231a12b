"""One step: the loss by hand, gradients everywhere, the clipped norm, Adam's first move."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fix_tuning import start, triplets
from pgduet.encoding import Part, Role, load_duet
from pgduet.encoding.fusion import fuse
from pgduet.training.tuning.batches import Batches
from pgduet.training.tuning.objective import Objective
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

Rows = npt.NDArray[np.float32]


def spaces(store: Path, batches: Batches, *, fused: bool) -> list[list[Rows]]:
    """Encode the first batch as the sidecar would: anchors, positives and negatives, in each space that is trained."""
    duet = load_duet("tiny", store)
    columns = [
        duet.halves(duet.tokenise(texts, role))
        for texts, role in zip(
            zip(*batches.rows(0), strict=True), (Role.QUERY, Role.DOCUMENT, Role.DOCUMENT), strict=True
        )
    ]
    if fused:
        return [[fuse(code, text, *duet.weights) for code, text, _ in columns]]
    return [[column[0] for column in columns], [column[1] for column in columns]]


@pytest.mark.parametrize("fused", [False, True])
def test_the_triplet_loss_is_that_of_the_vectors_which_are_served(tiny_store: Path, fused: bool) -> None:
    plan = Plan(objective="triplet", batch=8, fused=fused)
    duet = load_duet("tiny", tiny_store)
    batches = Batches(duet, triplets(), plan)
    measured = Objective(Trainee(duet, plan), plan)(batches.columns(0))
    by_hand = [
        np.maximum(0, 0.5 + (1 - (a * p).sum(axis=1)) - (1 - (a * n).sum(axis=1)))
        for a, p, n in spaces(tiny_store, batches, fused=fused)
    ]
    assert float(measured.loss.detach()) == pytest.approx(float(np.mean(by_hand)), abs=1e-5)
    assert measured.active == pytest.approx(float(np.mean([row > 0 for row in by_hand])))


@pytest.mark.parametrize("hard", [False, True])
def test_the_loss_within_a_batch_is_the_cross_entropy_of_all_its_answers(tiny_store: Path, hard: bool) -> None:
    plan = Plan(objective="in-batch", hard=hard, batch=8, scale=10)
    duet = load_duet("tiny", tiny_store)
    batches = Batches(duet, triplets(), plan)
    measured = Objective(Trainee(duet, plan), plan)(batches.columns(0))
    by_hand = []
    for anchor, positive, negative in spaces(tiny_store, batches, fused=False):
        answers = np.concatenate([positive, negative]) if hard else positive
        scores = 10 * anchor.astype(np.float64) @ answers.T
        by_hand.append(np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diag(scores)))
    assert float(measured.loss.detach()) == pytest.approx(float(np.mean(by_hand)), abs=1e-4)


def test_a_pair_with_several_negatives_is_read_once_where_negatives_are_not(tiny_store: Path) -> None:
    duet = load_duet("tiny", tiny_store)
    rows = [row._replace(negative=negative) for row in triplets(8) for negative in (row.negative, "other(0)")]
    pairs = Batches(duet, rows, Plan(batch=8))
    assert sorted(row[:2] for row in pairs.rows(0)) == sorted(row[:2] for row in triplets(8))
    assert [len(Batches(duet, rows, plan).columns(0)) for plan in (Plan(batch=2), Plan(batch=2, hard=True))] == [2, 3]


@pytest.mark.parametrize(
    ("part", "halves"), [(Part.BOTH, ["code", "text"]), (Part.CODE, ["code"]), (Part.TEXT, ["text"])]
)
@pytest.mark.parametrize("words", [False, True])
def test_gradients_reach_every_weight_that_is_trained(
    tiny_store: Path, part: Part, halves: list[str], words: bool
) -> None:
    plan = Plan(objective="triplet", batch=8, part=part, words=words)
    duet = load_duet("tiny", tiny_store)
    trainee = Trainee(duet, plan)
    Objective(trainee, plan)(Batches(duet, triplets(), plan).columns(0)).loss.backward()  # type: ignore[no-untyped-call]
    learning = dict(trainee.learning())
    expected = {
        f"encoders.{half}.{name}"
        for half in halves
        for name, _ in trainee.encoders[half].named_parameters()
        if words or "word_embeddings" not in name
    }
    assert set(learning) == expected
    assert {name.split(".")[1] for name in learning} == set(halves)
    for name, weights in learning.items():
        assert weights.grad is not None, name
        # A number added to all keys alike changes no attention.
        assert float(weights.grad.abs().max()) > 0 or name.endswith("key.bias"), name


def test_the_norm_is_told_before_it_is_clipped_and_bounded_after(tiny_store: Path, tmp_path: Path) -> None:
    plan = Plan(objective="triplet", batch=8, steps=2, clip=0.01, rate=1e-3)
    _, trainee, run = start(tiny_store, plan, tmp_path)
    norms = []

    def look(step: object) -> None:
        gradients = [weights.grad for _, weights in trainee.learning() if weights.grad is not None]
        norms.append((step.norm, math.sqrt(sum(float((each**2).sum()) for each in gradients))))  # type: ignore[attr-defined]

    run.train(look)
    assert len(norms) == 2
    for told, left in norms:
        assert told > 0.1
        assert left == pytest.approx(0.01, rel=1e-3)


def test_the_first_step_of_adam_is_that_of_the_formula(tiny_store: Path, tmp_path: Path) -> None:
    plan = Plan(objective="triplet", batch=8, steps=1, warm_up=0, weight_decay=0.1, rate=1e-3)
    _, trainee, run = start(tiny_store, plan, tmp_path)
    before = {name: weights.detach().clone() for name, weights in trainee.learning()}
    run.train(lambda _: None)
    for name, weights in trainee.learning():
        gradient = weights.grad
        assert gradient is not None
        # With the means corrected for starting at zero, the first is g and the second g squared.
        decayed = before[name] * (1 - 1e-3 * (0.1 if weights.dim() > 1 else 0))
        expected = decayed - 1e-3 * gradient / (gradient.abs() + 1e-8)
        assert torch.allclose(weights, expected, atol=1e-7), name


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    plan = Plan(steps=10, warm_up=0.2, rate=1.0 - 1e-9)
    assert [round(plan.rate_at(step), 3) for step in range(10)] == [
        0.5,
        1,
        1,
        0.875,
        0.75,
        0.625,
        0.5,
        0.375,
        0.25,
        0.125,
    ]
