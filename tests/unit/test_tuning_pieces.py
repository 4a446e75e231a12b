"""Batches that are read in pieces: the same losses and gradients, with less in memory."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fix_tuning import final, interrupt, losses, run_apart, start, train_here, triplets
from pgduet.encoding import load_duet
from pgduet.training.tuning.batches import Batches, Ids
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.objective import Measured, Objective
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

# Weights whose gradient is added up over all tokens of a batch.
SHARED = "embeddings.token_type_embeddings"


def measured(store: Path, plan: Plan, sums: dict[str, float] | None = None) -> tuple[Trainee, Measured]:
    """Compute a batch; the way back notes in `sums` what was added up for each of SHARED, without signs."""
    duet = load_duet("tiny", store)
    trainee = Trainee(duet, plan)
    for slot, encoder in trainee.encoders.items():

        def look(_: Any, __: Any, states: torch.Tensor, name: str = f"encoders.{slot}.{SHARED}.weight") -> None:
            def note(gradient: torch.Tensor) -> None:
                assert sums is not None
                sums[name] = sums.get(name, 0.0) + float(gradient.abs().sum(dim=(0, 1)).max())

            if sums is not None and states.requires_grad:
                states.register_hook(note)  # type: ignore[no-untyped-call]

        encoder.get_submodule(SHARED).register_forward_hook(look)
    with torch.no_grad():
        # A change that is zero has no gradient on one side.
        for number, (name, weights) in enumerate(trainee.learning()):
            if "lora_B" in name:
                torch.manual_seed(number)
                weights.normal_(std=0.1)
    return trainee, Objective(trainee, plan)(Batches(duet, triplets(), plan).columns(0))


@pytest.mark.parametrize("chunk", [3, 100])
@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "triplet"},
        {"objective": "in-batch"},
        {"objective": "in-batch", "fused": True, "words": True},
        {"objective": "in-batch", "lora_rank": 4},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_losses_and_gradients_are_those_of_the_whole_batch(
    tiny_store: Path, changes: dict[str, Any], chunk: int
) -> None:
    sums: dict[str, float] = {}
    results = []
    for size in (0, chunk):
        trainee, part = measured(tiny_store, Plan(batch=8, chunk=size, **changes), {} if size else sums)
        part.loss.backward()  # type: ignore[no-untyped-call]
        gradients = {name: weights.grad for name, weights in trainee.learning()}
        results.append((float(part.loss.detach()), part.active, part.similarity, gradients))
    whole, pieces = results
    assert pieces[:3] == pytest.approx(whole[:3], abs=1e-6)
    assert pieces[3].keys() == whole[3].keys()
    assert len(whole[3]) > 20
    norm = float(torch.nn.utils.get_total_norm([each for each in whole[3].values() if each is not None]))
    for name, gradient in whole[3].items():
        other = pieces[3][name]
        assert gradient is not None, name
        assert other is not None, name
        apart = float((other - gradient).abs().max())
        # A number that all tokens of a batch share, that of their type, is a sum whose order differs.
        assert apart <= 1e-6 * sums.get(name, 0.2 * norm), name
        # A number added to all keys alike changes no attention: that gradient is rounding alone.
        assert apart <= 1e-2 * float(gradient.abs().max()) or name.endswith("key.bias"), name


def test_only_vectors_are_kept_until_the_way_back(tiny_store: Path) -> None:
    kept = []
    for chunk in (0, 4):
        sizes: dict[int, int] = {}

        def note(values: torch.Tensor, sizes: dict[int, int] = sizes) -> torch.Tensor:
            sizes[values.data_ptr()] = values.nbytes
            return values

        with torch.autograd.graph.saved_tensors_hooks(note, lambda values: values):
            trainee, part = measured(tiny_store, Plan(batch=8, chunk=chunk))
        weights = {values.data_ptr() for values in trainee.parameters()}
        kept.append(sum(size for place, size in sizes.items() if place not in weights))
        assert float(part.loss.detach()) > 0
    assert kept[1] < kept[0] / 10


def test_a_piece_is_as_wide_as_its_longest_text() -> None:
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    pieces = list(Ids(mask * torch.arange(12).view(3, 4), mask).pieces(2))
    assert [piece.ids.tolist() for piece in pieces] == [[[0, 1, 0], [4, 5, 6]], [[8, 9, 10, 11]]]
    assert [piece.mask.tolist() for piece in pieces] == [[[1, 1, 0], [1, 1, 1]], [[1, 1, 1, 1]]]


def test_a_run_goes_on_in_smaller_pieces(tiny_store: Path, tmp_path: Path) -> None:
    train_here(str(tiny_store), str(tmp_path / "whole"), "in-batch", "0")
    plan = Plan(objective="in-batch", batch=8, steps=6, check_every=2, rate=1e-3)
    _, _, run = start(tiny_store, plan, tmp_path / "pieces")
    with pytest.raises(KeyboardInterrupt):
        run.train(interrupt)
    train_here(str(tiny_store), str(tmp_path / "pieces"), "in-batch", "0", json.dumps({"chunk": 3}))
    whole, pieces = final(tmp_path / "whole"), final(tmp_path / "pieces")
    assert max(float((whole[name] - pieces[name]).abs().max()) for name in whole) < 1e-5
    with pytest.raises(TuningError, match="of another run"):
        train_here(str(tiny_store), str(tmp_path / "pieces"), "in-batch", "0", json.dumps({"lora_rank": 3}))


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"chunk": 3}, {"lora_rank": 4}], ids=["pieces", "lora"])
@pytest.mark.parametrize("objective", ["in-batch", "triplet"])
def test_two_processes_learn_as_one_does(
    tiny_store: Path, tmp_path: Path, objective: str, changes: dict[str, int]
) -> None:
    alone = {name: value for name, value in changes.items() if name != "chunk"}
    train_here(str(tiny_store), str(tmp_path / "one"), objective, "0", json.dumps(alone))
    assert run_apart(tiny_store, tmp_path / "two", processes=2, objective=objective, **changes) == 0
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-3)
