"""A smaller duet: the layers that stay are the library's own, eight bits as written down, nothing half done."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

from fix_architectures import SEQUENCES, checkpoint
from fix_hub import duet_of
from pgduet.encoding import Duet, Role, fingerprint_of, load_duet
from pgduet.encoding.architecture import DECODERS, ENCODERS
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.engines import Runtime
from pgduet.encoding.errors import ManifestError, StoreError, WeightsError
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.int8 import Int8Embedding, quantised, restored
from pgduet.encoding.layers import kept
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import install
from pgduet.encoding.store.layout import checked_manifest, present_names
from pgduet.encoding.store.report import quiet
from pgduet.encoding.store.shrinking import Shrink, shrink
from pgduet.encoding.torch_model import TorchModel
from pgduet.errors import PgduetError
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

LAYERED = [kind for kind in (*ENCODERS, *DECODERS) if kind != "modernbert"]
# Enough numbers in the table of words for eight bits to be worth it.
WORDS = 2100


def accept(duet: Duet, folder: Path) -> None:
    """Take any duet that gives vectors."""
    assert folder.is_dir()
    assert duet.encode(duet.tokenise(["def a"], Role.DOCUMENT)).finite.all()


def store_of(root: Path, kind: str, *, shards: str = "5GB") -> Path:
    """Import a duet `big` whose code half is a random encoder of this architecture with four layers."""
    count = {"num_hidden_layers": 4, "vocab_size": WORDS} | ({"n_layers": 4} if kind == "distilbert" else {})
    code, text = checkpoint(root / "code", kind, **count), checkpoint(root / "text", "bert")
    if shards != "5GB":
        AutoModel.from_pretrained(code).save_pretrained(code, max_shard_size=shards)
        (code / "model.safetensors").unlink(missing_ok=True)
    recipe = duet_of(FolderSource(str(code), "transformers"), FolderSource(str(text), "transformers"), "big")
    end = "</s>" if kind in DECODERS else ""
    code_slot = replace(recipe.code, max_tokens=30, end=end)
    recipe = replace(recipe, code=code_slot, text=replace(recipe.text, max_tokens=30))
    install(recipe, None, root / "models", quiet, False)
    return root / "models"


def vectors(folder: Path) -> Floats:
    return Encoder(TorchModel(folder)).encode(SEQUENCES)[0]


@pytest.mark.parametrize("kind", LAYERED)
def test_layers_that_stay_give_what_the_library_gives_without_the_others(tmp_path: Path, kind: str) -> None:
    store = store_of(tmp_path, kind)
    folder = shrink("big", "small-big", Shrink({"code": 2}), accept, store)
    plain = AutoModel.from_pretrained(store / "big" / "code").eval()
    holder, name = next(
        (module, name)
        for module in plain.modules()
        for name in ("layer", "layers")
        if isinstance(getattr(module, name, None), torch.nn.ModuleList)
    )
    setattr(holder, name, torch.nn.ModuleList([getattr(holder, name)[0], getattr(holder, name)[3]]))
    plain.config.num_hidden_layers = 2
    plain.config.use_cache = False
    for sequence, vector in zip(SEQUENCES, vectors(folder / "code"), strict=True):
        ids = torch.tensor([sequence])
        with torch.inference_mode():
            states = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        assert np.abs(torch.nn.functional.normalize(states.mean(0), dim=0).numpy() - vector).max() < 1e-5
    made = checked_manifest(folder)
    assert made.code.encoder == "tiny-code, 2 layers"
    assert made.text == checked_manifest(store / "big").text


@pytest.mark.parametrize(
    ("count", "wanted", "layers"),
    [(4, 4, [0, 1, 2, 3]), (4, 1, [0]), (12, 6, [0, 2, 4, 7, 9, 11]), (6, 4, [0, 2, 3, 5]), (28, 2, [0, 27])],
)
def test_layers_are_spaced_evenly(count: int, wanted: int, layers: list[int]) -> None:
    assert kept(count, wanted) == layers


@pytest.mark.parametrize("kind", ["bert", "qwen2", "modernbert"])
def test_eight_bits_are_the_nearest_ones_and_words_stay_in_them(tmp_path: Path, kind: str) -> None:
    store = store_of(tmp_path, kind)
    before = store / "big" / "code"
    folder = shrink("big", "big-8", Shrink({}, int8=True), accept, store) / "code"
    model = TorchModel(folder)
    assert isinstance(model.module.get_input_embeddings(), Int8Embedding)
    # By hand, in numpy: each row's largest number is 127 steps.
    plain = AutoModel.from_pretrained(before).eval()
    table = plain.get_input_embeddings().weight.detach().numpy()
    step = np.abs(table).max(axis=1, keepdims=True) / 127
    with torch.no_grad():
        plain.get_input_embeddings().weight.copy_(torch.tensor(np.rint(table / step) * step))
    for sequence, vector in zip(SEQUENCES, vectors(folder), strict=True):
        ids = torch.tensor([sequence])
        with torch.inference_mode():
            states = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        assert np.abs(torch.nn.functional.normalize(states.mean(0), dim=0).numpy() - vector).max() < 1e-5
    original = vectors(before)
    assert 0.999 < (original * vectors(folder)).sum(axis=1).min() < 1 - 1e-7
    size, old = ((path / "model.safetensors").stat().st_size for path in (folder, before))
    assert size < old - 0.7 * 4 * table.size


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("kind", ["bert", "qwen2"])
def test_matrices_in_bfloat16_are_the_nearest_ones_and_all_is_computed_so(
    tmp_path: Path, kind: str, int8: bool
) -> None:
    store = store_of(tmp_path, kind)
    before = store / "big" / "code"
    made = shrink("big", "half", Shrink({}, int8=int8, bfloat16=True), accept, store)
    stored = load_file(made / "code" / "model.safetensors")
    for name, weights in load_file(before / "model.safetensors").items():
        if stored[name].dtype is not torch.int8:
            assert torch.equal(stored[name], weights.bfloat16() if weights.ndim > 1 else weights)
    assert (torch.int8 in {one.dtype for one in stored.values()}) == int8
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (made / "code", before)]
    assert sizes[0] < 0.55 * sizes[1]
    manifest = checked_manifest(made)
    assert manifest.dtype == "bfloat16"
    assert fingerprint_of(manifest) != fingerprint_of(checked_manifest(store / "big"))
    half, whole = (load_duet(name, store, runtime=Runtime("torch", "cpu")) for name in ("half", "big"))
    assert {one.dtype for one in half.encoders} == {"bfloat16"}
    given = [duet.encode(duet.tokenise(["def a(b):", "c = d"], Role.DOCUMENT)).embeddings for duet in (half, whole)]
    assert 0.999 < (given[0] * given[1]).sum(axis=1).min() < 1 - 1e-7
    with pytest.raises(ManifestError, match="in eight bits already" if int8 else "in bfloat16 already"):
        shrink("half", "quarter", Shrink({}, int8=int8, bfloat16=not int8), accept, store)


def test_eight_bits_to_compute_in_leave_nothing_for_bfloat16() -> None:
    with pytest.raises(ManifestError, match="leave nothing to compute in bfloat16"):
        Shrink({}, int8=True, activations=True, bfloat16=True)


def test_rows_of_zeros_and_huge_numbers_survive_eight_bits() -> None:
    rows = torch.zeros(3, 2**15)
    rows[1, 5], rows[2, 7] = 1e30, -1e-30
    stored = quantised("w", rows)
    assert stored["w"].dtype is torch.int8
    back = restored(stored["w"], stored["w.scale"], torch.float32)
    assert torch.equal(back[0], rows[0])
    torch.testing.assert_close(back, rows, rtol=1e-6, atol=0)
    assert list(quantised("small", torch.ones(4, 4))) == ["small"]
    assert list(quantised("bias", torch.ones(2**17))) == ["bias"]


def test_both_at_once_of_weights_in_several_files(tmp_path: Path) -> None:
    store = store_of(tmp_path, "qwen3", shards="100KB")
    assert (store / "big" / "code" / "model.safetensors.index.json").is_file()
    both = shrink("big", "both", Shrink({"code": 3}, int8=True), accept, store)
    first = shrink("big", "first", Shrink({"code": 3}), accept, store)
    assert first.is_dir()
    second = shrink("first", "second", Shrink({}, int8=True), accept, store)
    assert np.array_equal(vectors(both / "code"), vectors(second / "code"))
    places = json.loads((both / "code" / "model.safetensors.index.json").read_text())["weight_map"]
    assert {"layers.2.self_attn.q_proj.weight", "embed_tokens.weight.scale"} <= set(places)
    assert not any(name.startswith("layers.3.") for name in places)
    assert fingerprint_of(checked_manifest(both)) != fingerprint_of(checked_manifest(store / "big"))


@pytest.mark.parametrize(
    ("kind", "layers", "what"),
    [
        ("modernbert", {"code": 2}, "no layers of this modernbert encoder can be left out"),
        ("bert", {"code": 5}, "5 layers are wanted of an encoder that has 4"),
        ("bert", {}, "nothing was asked for"),
    ],
)
def test_what_cannot_be_made_smaller_is_told(tmp_path: Path, kind: str, layers: dict[str, int], what: str) -> None:
    store = store_of(tmp_path, kind)
    with pytest.raises((ManifestError, WeightsError), match=what):
        shrink("big", "other", Shrink(layers), accept, store)
    assert present_names(store) == ["big"]


def test_a_duet_that_is_refused_leaves_nothing_and_names_stay_their_owners(tmp_path: Path) -> None:
    store = store_of(tmp_path, "bert")

    def refuse(duet: Duet, folder: Path) -> None:
        raise PgduetError("worse")

    with pytest.raises(PgduetError, match="worse"):
        shrink("big", "other", Shrink({"code": 2}), refuse, store)
    assert present_names(store) == ["big"]
    assert [path.name for path in store.iterdir() if not path.name.endswith(".lock")] == ["big"]
    for taken in ("big", "small"):
        with pytest.raises(StoreError, match="is taken"):
            shrink("big", taken, Shrink({"code": 2}), accept, store)
    shrink("big", "eight", Shrink({}, int8=True), accept, store)
    with pytest.raises(ManifestError, match="in eight bits already"):
        shrink("eight", "four", Shrink({}, int8=True), accept, store)


def test_weights_in_eight_bits_are_not_trained_but_fewer_layers_are(tmp_path: Path) -> None:
    store = store_of(tmp_path, "bert")
    shrink("big", "eight", Shrink({}, int8=True), accept, store)
    shrink("big", "thin", Shrink({"code": 2}), accept, store)
    with pytest.raises(TuningError, match="in eight bits"):
        Trainee(load_duet("eight", store), Plan())
    assert Trainee(load_duet("thin", store), Plan()).encoders.keys() == {"code", "text"}
