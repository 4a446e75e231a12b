"""LoRA: what learns, what stays, how changes are scaled and folded, and how a run of them goes on."""

import json
import signal
from pathlib import Path
from shutil import copytree

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors import safe_open

from fix_hub import slot
from fix_tuning import final, interrupt, run_apart, start, train_here, triplets
from pgduet.encoding import Duet, Manifest, Part, Role, load_duet
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import install
from pgduet.encoding.store.report import quiet
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.export import average, export, parent_weights
from pgduet.training.tuning.loop import Run
from pgduet.training.tuning.objective import Objective
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

BERT = [f"attention.self.{name}" for name in ("query", "key", "value")]
BERT += ["attention.output.dense", "intermediate.dense", "output.dense"]
QWEN2 = [f"self_attn.{name}_proj" for name in "qkvo"] + [f"mlp.{name}_proj" for name in ("gate", "up", "down")]
TEXTS = [row.positive for row in triplets(6)]

Rows = npt.NDArray[np.float32]


def lora(**changes: object) -> Plan:
    settings = {"objective": "in-batch", "batch": 8, "steps": 4, "rate": 1e-2, "warm_up": 0, "lora_rank": 4}
    return Plan(**(settings | changes))  # type: ignore[arg-type]


def code_and_text(duet: Duet) -> tuple[Rows, Rows]:
    code, text, finite = duet.halves(duet.tokenise(TEXTS, Role.DOCUMENT))
    assert finite.all()
    return code, text


def contents(trainee: Trainee) -> dict[str, bytes]:
    return {
        name: values.detach().contiguous().view(torch.uint8).numpy().tobytes()
        for name, values in trainee.named_parameters()
        if not values.requires_grad
    }


def adapters(layers: dict[str, list[str]]) -> set[str]:
    return {
        f"encoders.{name}.lora_{side}.default.weight" for names in layers.values() for name in names for side in "AB"
    }


def bert_layers(*halves: str) -> dict[str, list[str]]:
    return {half: [f"{half}.encoder.layer.0.{name}" for name in BERT] for half in halves}


def test_gradients_reach_every_adapter_of_both_halves_and_nothing_else_changes(
    tiny_store: Path, tmp_path: Path
) -> None:
    plan = lora()
    _, trainee, run = start(tiny_store, plan, tmp_path)
    before = contents(trainee)
    run.train(lambda _: None)
    trainee.zero_grad()
    # Not of the first step: as long as one factor of a change is zero, the other cannot be told which way to go.
    Objective(trainee, plan)(run._batches.columns(1)).loss.backward()  # type: ignore[no-untyped-call]
    learning = dict(trainee.learning())
    assert set(learning) == adapters(bert_layers("code", "text"))
    for name, weights in learning.items():
        assert weights.grad is not None, name
        assert float(weights.grad.abs().max()) > 0, name
    assert contents(trainee) == before
    assert len(before) == sum(len(list(encoder.parameters())) for encoder in trainee.encoders.values()) - len(learning)
    assert set(torch.load(tmp_path / "checkpoints" / "step-00000004" / "state.pt")["weights"]) == set(learning)


def test_a_change_is_alpha_over_rank_times_the_product_and_zero_at_first(tiny_store: Path, tmp_path: Path) -> None:
    _, trainee, run = start(tiny_store, lora(lora_alpha=12), tmp_path)
    layer = "encoder.layer.0.intermediate.dense"
    before = load_duet("tiny", tiny_store).code.encoders[Role.QUERY].model.module.state_dict()  # type: ignore[attr-defined]
    assert trainee.folded("code").keys() == before.keys()
    assert all(torch.equal(values, before[name]) for name, values in trainee.folded("code").items())
    run.train(lambda _: None)
    learnt = {name.removeprefix(f"encoders.code.{layer}."): values for name, values in trainee.learning()}
    product = learnt["lora_B.default.weight"] @ learnt["lora_A.default.weight"]
    after = trainee.folded("code")
    assert float(product.detach().abs().max()) > 1e-3
    assert torch.allclose(after[f"{layer}.weight"], before[f"{layer}.weight"] + 12 / 4 * product, atol=1e-6)
    assert torch.equal(after[f"{layer}.bias"], before[f"{layer}.bias"])


def test_an_alpha_that_is_left_out_is_twice_the_rank_and_the_seed_sets_the_start(tiny_store: Path) -> None:
    starts = [dict(Trainee(load_duet("tiny", tiny_store), lora(seed=seed)).learning()) for seed in (1, 1, 2)]
    name = "encoders.text.encoder.layer.0.output.dense.lora_A.default.weight"
    assert torch.equal(starts[0][name], starts[1][name])
    assert not torch.equal(starts[0][name], starts[2][name])
    trainee = Trainee(load_duet("tiny", tiny_store), lora(lora_rank=8))
    assert trainee.encoders["code"].encoder.layer[0].output.dense.scaling == {"default": 2.0}  # type: ignore[union-attr, index]


def test_averaging_keeps_a_share_of_the_folded_change(tiny_store: Path, tmp_path: Path) -> None:
    duet, trainee, run = start(tiny_store, lora(), tmp_path)
    parent, begun, vectors = parent_weights(trainee), trainee.folded("text"), code_and_text(duet)
    run.train(lambda _: None)
    tuned, learnt = parent_weights(trainee), trainee.folded("text")
    for share in (0.25, 1.0, 0.0):
        average(trainee, parent, tuned, share)
        for name, values in trainee.folded("text").items():
            expected = begun[name] + share * (learnt[name] - begun[name])
            assert torch.allclose(values, expected, atol=1e-6), (share, name)
    assert all(np.array_equal(*pair) for pair in zip(code_and_text(duet), vectors, strict=True))


def test_an_exported_duet_gives_the_vectors_that_were_trained(tiny_store: Path, tmp_path: Path) -> None:
    store = copytree(tiny_store, tmp_path / "models")
    duet, trainee, run = start(store, lora(part=Part.CODE), tmp_path / "run")
    exported_equals_trained(store, duet, trainee, run, tmp_path / "run", most=1e-5)


def exported_equals_trained(
    store: Path, duet: Duet, trainee: Trainee, run: Run, folder: Path, *, most: float, least: float = 1e-3
) -> None:
    """Train, export, and compare the vectors with those of the duet before and after; the text half does not learn."""
    old = code_and_text(duet)
    run.train(lambda _: None)
    trained = code_and_text(duet)
    (folder / "export").mkdir()
    made = export(trainee, duet.name, "tuned", folder / "export", models_dir=store)
    new = code_and_text(load_duet("tuned", store))
    assert np.abs(new[0] - trained[0]).max() <= most, "as trained"
    assert np.abs(new[0] - old[0]).max() > least, "not as before"
    assert np.array_equal(new[1], old[1]), "the other half is the parent's"
    names = []
    for place in (made, store / duet.name):
        with safe_open(place / "code" / "model.safetensors", "pt") as file:
            names.append({key: file.get_tensor(key).dtype for key in file.keys()})  # noqa: SIM118 (no mapping)
    assert names[0] == names[1], "under the parent's names, in its number type"


@pytest.mark.parametrize(("dtype", "most"), [("float32", 1e-5), pytest.param("bfloat16", 2e-2, marks=pytest.mark.slow)])
def test_a_qwen2_learns_and_is_exported(
    qwen2_folder: Path, checkpoints: tuple[Path, Path], tmp_path: Path, dtype: str, most: float
) -> None:
    about = {"pooling": "last", "width": 64, "end": "<|endoftext|>"}
    code = slot("code", FolderSource(str(qwen2_folder), "transformers"), **about)
    text = slot("text", FolderSource(str(checkpoints[1]), "transformers"))
    store = tmp_path / "models"
    install(Manifest("qwen", "A small Qwen2", dtype, 1, 2, "", code, text), None, store, quiet, False)
    plan = lora(part=Part.CODE, bfloat16=dtype == "bfloat16", steps=3)
    duet, trainee, run = start(store, plan, tmp_path / "run", "qwen")
    layers = [f"code.layers.{number}.{name}" for number in range(4) for name in QWEN2]
    assert {name for name, _ in trainee.learning()} == adapters({"code": layers})
    types = {values.requires_grad: str(values.dtype) for values in trainee.parameters()}
    assert types == {True: "torch.float32", False: f"torch.{dtype}"}
    exported_equals_trained(store, duet, trainee, run, tmp_path / "run", most=most, least=max(1e-3, 2 * most))


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_with_adapters_goes_on_to_the_same_weights(tiny_store: Path, tmp_path: Path, killed: bool) -> None:
    lora = json.dumps({"lora_rank": 2})
    train_here(str(tiny_store), str(tmp_path / "whole"), "triplet", "0", lora)
    if killed:
        assert run_apart(tiny_store, tmp_path / "killed", die_at=4, lora_rank=2) == -signal.SIGKILL
    else:
        plan = Plan(objective="triplet", batch=8, steps=6, check_every=2, rate=1e-3, lora_rank=2)
        with pytest.raises(KeyboardInterrupt):
            start(tiny_store, plan, tmp_path / "killed")[2].train(interrupt)
    train_here(str(tiny_store), str(tmp_path / "killed"), "triplet", "0", lora)
    whole, resumed = final(tmp_path / "whole"), final(tmp_path / "killed")
    assert whole.keys() == resumed.keys() == adapters(bert_layers("code", "text"))
    assert max(float((whole[name] - resumed[name]).abs().max()) for name in whole) <= 1e-6
    # Not the weights it began with, which would be equal too.
    assert min(float(whole[name].abs().max()) for name in whole if "lora_B" in name) > 1e-5


def test_words_and_adapters_exclude_each_other() -> None:
    with pytest.raises(TuningError, match="not for word vectors"):
        lora(words=True)
    with pytest.raises(TuningError, match="lora_rank is -1"):
        lora(lora_rank=-1)
