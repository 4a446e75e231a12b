"""Encoders that compute in eight bits: against the same arithmetic done by hand, and against their neighbours."""

import gc
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import AutoModel

from fix_architectures import SEQUENCES, checkpoint
from fix_hub import duet_of
from fix_worker import wait_until
from pgduet.cli.evaluate import encode
from pgduet.encoding import Duet, Role
from pgduet.encoding.errors import ManifestError, WeightsError
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.int8 import quantised, read_int8
from pgduet.encoding.int8_encoder import Int8Encoder
from pgduet.encoding.int8_model import Int8Model
from pgduet.encoding.onnx_model import open_session, run_session
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import install
from pgduet.encoding.store.layout import present_names
from pgduet.encoding.store.report import quiet
from pgduet.encoding.store.shrinking import Shrink, shrink
from pgduet.training.data import Corpus
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.trainee import Trainee

# Enough numbers in every matrix of a layer for eight bits to be worth it.
WIDE = {"hidden_size": 256, "intermediate_size": 320}
IN_EIGHT_BITS = Shrink({}, int8=True, activations=True)


def store_of(root: Path, kind: str, **sizes: Any) -> Path:
    """Import a duet `big` whose code half is a random encoder of this architecture."""
    recipe = duet_of(
        FolderSource(str(checkpoint(root / "code", kind, **(WIDE | sizes))), "transformers"),
        FolderSource(str(checkpoint(root / "text", "bert", **WIDE)), "transformers"),
        "big",
    )
    width = sizes.get("hidden_size", 256)
    recipe = replace(
        recipe,
        code=replace(recipe.code, max_tokens=30, width=width),
        text=replace(recipe.text, max_tokens=30, width=256),
    )
    install(recipe, None, root / "models", quiet, False)
    return root / "models"


def made(store: Path) -> Path:
    return shrink("big", "fast", IN_EIGHT_BITS, lambda *_: None, store)


class ByHand(torch.nn.Module):
    """A product as it should be: whole numbers of eight bits, multiplied and added without rounding."""

    def __init__(self, whole: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor, *, gelu: bool) -> None:
        super().__init__()
        self.whole, self.scale, self.bias, self.gelu = whole.double(), scale.double(), bias.double(), gelu

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        exact = states.double()
        if self.gelu:
            step = (exact.amax(-1, keepdim=True) / 239).clamp(min=0.17 / 16)
            whole = (exact / step).round().clamp(-16, 239)
        else:
            step = exact.abs().amax(-1, keepdim=True) / 127
            whole = (exact / step).round()
        return ((whole @ self.whole.T) * step * self.scale + self.bias).float()


def by_hand(origin: Path, folder: Path) -> Any:
    """Take the library's own encoder, with words and products as the files in `folder` say."""
    plain = AutoModel.from_pretrained(origin).eval()
    _, small = read_int8(folder, None)
    words = plain.embeddings.word_embeddings.weight
    if (name := "embeddings.word_embeddings.weight") in small:
        words.data = small[name] * small[name + ".scale"][:, None]
    for place, module in list(plain.named_modules()):
        if isinstance(module, torch.nn.Linear) and "pooler" not in place:
            gelu = place.endswith("output.dense") and "attention" not in place
            weights = small[f"{place}.weight"], small[f"{place}.weight.scale"]
            if place.endswith("value"):
                module.weight.data = weights[0] * weights[1][:, None]
                continue
            plain.set_submodule(place, ByHand(*weights, module.bias, gelu=gelu))
    return plain


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_those_of_whole_numbers_multiplied_by_hand(tmp_path: Path, kind: str, layers: int) -> None:
    store = store_of(tmp_path, kind, num_hidden_layers=layers)
    folder = made(store) / "code"
    plain, model = by_hand(store / "big" / "code", folder), Int8Model(folder)
    off, cosines = [], []
    for sequence in SEQUENCES:
        ids = torch.tensor([sequence])
        with torch.inference_mode():
            expected = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        found = model(ids, torch.ones_like(ids))[0]
        off.append((found - expected).abs().amax(dim=-1))
        cosines.append(torch.nn.functional.cosine_similarity(found, expected, dim=-1))
    # A number half-way between two whole ones may go either way: the token is a step off, and in the next layer all.
    assert (torch.cat(off) < 1e-4).float().mean() > (0.9 if layers == 1 else 0)
    assert torch.cat(cosines).min() > 0.999


def test_the_largest_sums_that_may_come_do_not_overflow() -> None:
    """Where 16 bits overflow, on CPUs without VNNI, these give 32,767 for each pair."""
    from pgduet.encoding import int8_graph

    class Ends(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = torch.nn.Linear(256, 256)
            self.LayerNorm = torch.nn.LayerNorm(256)

    weights = torch.randn(256, 256, generator=torch.Generator().manual_seed(1))
    weights[:, :2] = 9.0
    weights[::2, 2:4] = -9.0
    stored = quantised("w", weights, paired=True)
    whole = stored["w"].int()
    assert (whole[:, ::2] + whole[:, 1::2]).abs().max() <= 128
    assert whole.abs().max() <= 127
    graph = int8_graph.Graph()
    given = [graph.keep(numbers) for numbers in (stored["w"].t().contiguous().numpy(), stored["w.scale"].numpy())]
    one, zero = graph.keep(np.array(1, np.float32)), graph.keep(np.array(0, np.uint8))
    rows = torch.full((3, 256), 255, dtype=torch.uint8)
    rows[1, ::3], rows[2] = 0, 1
    name = graph.keep(rows.numpy())
    found = graph.add("MatMulIntegerToFloat", name, given[0], one, given[1], zero, domain="com.microsoft")
    session = open_session(int8_graph.written(graph, [], [(found, [3, 256])]))
    (products,) = session.run(None, {})
    expected = (rows.double() @ stored["w"].double().T) * stored["w.scale"].double()
    np.testing.assert_allclose(products, expected.numpy(), rtol=1e-5)


def int8_encoder(tmp_path: Path) -> Int8Encoder:
    return Int8Encoder(Int8Model(made(store_of(tmp_path, "bert")) / "code"), "mean")


def test_a_vector_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    encoder = int8_encoder(tmp_path)
    sequences = [*SEQUENCES, (), *SEQUENCES]
    together, finite = encoder.encode(sequences)
    assert finite.tolist() == [bool(one) for one in sequences]
    # A lone text is computed by all threads.
    alone = np.concatenate([encoder.encode([one])[0] for one in sequences])
    assert np.array_equal(together, alone)
    ids = torch.tensor([SEQUENCES[0]])
    states = encoder.model(ids, torch.ones_like(ids))[0]
    np.testing.assert_allclose(together[0], torch.nn.functional.normalize(states.mean(dim=0), dim=0), atol=1e-6)


def test_threads_for_several_texts_at_once_go_with_the_encoder(tmp_path: Path) -> None:
    encoder = int8_encoder(tmp_path)
    encoder.encode(SEQUENCES)

    def running() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("int8")]

    threads = running()
    assert 1 <= len(threads) <= torch.get_num_threads()
    del encoder
    gc.collect()
    for thread in threads:
        thread.join(timeout=10)
    assert not running()


class Slow:
    """Stands in for a model: notes what is computed how, and waits where it is told to."""

    width = 1
    engine = "none"

    def __init__(self) -> None:
        self.running: set[int] = set()
        self.seen: list[tuple[str, int]] = []
        self.gate = threading.Event()

    def embed(self, sequence: tuple[int, ...]) -> Floats:
        return np.full((len(sequence), 1), sequence[0], np.float32)

    def compute(self, given: Floats) -> Floats:
        self.seen.append(("all threads", int(given[0, 0])))
        return given

    def compute_on_one_thread(self, given: Floats) -> Floats:
        self.running.add(int(given[0, 0]))
        assert self.gate.wait(10)
        self.running.remove(int(given[0, 0]))
        if given[0, 0] == 13:
            raise RuntimeError("onnxruntime: the thirteenth")
        self.seen.append(("one thread", int(given[0, 0])))
        return given


def test_queries_are_let_in_before_each_text_and_the_longest_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    model = Slow()
    encoder = Int8Encoder(cast(Int8Model, model), "mean")
    between: list[int] = []

    def before_pass() -> None:
        if len(between) == 2:
            # None is done, and yet the third is about to be begun.
            wait_until(lambda: model.running == {2, 4})
            model.gate.set()
        # A query computes by the same encoder meanwhile.
        between.append(len(encoder.encode([(99,)])[0]))

    vectors, finite = encoder.encode([(row + 1,) * length for row, length in enumerate([3, 9, 5, 7, 1])], before_pass)
    assert between == [1] * 5
    assert finite.all()
    assert vectors.tolist() == [[1.0]] * 5
    assert [how for how, one in model.seen if one == 99] == ["all threads"] * 5
    alone = [one for how, one in model.seen if how == "one thread"]
    assert sorted(alone) == [1, 2, 3, 4, 5]


def test_where_a_text_fails_the_others_are_not_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    model = Slow()
    model.gate.set()
    encoder = Int8Encoder(cast(Int8Model, model), "mean")
    with pytest.raises(RuntimeError, match="the thirteenth"):
        encoder.encode([(13,) * 9, *((row,) for row in range(1, 9))])
    assert not model.running
    done = len(model.seen)
    vectors, _ = encoder.encode([(1,), (2,)])
    assert len(model.seen) == done + 2
    assert vectors.tolist() == [[1.0]] * 2


def test_the_whole_duet_says_how_it_computes_and_is_near_to_what_it_was_made_of(tmp_path: Path) -> None:
    from pgduet.encoding import load_duet

    store = store_of(tmp_path, "bert")
    folder = made(store)
    duet, before = load_duet("fast", store), load_duet("big", store)
    duet.self_test()
    assert [(half.dtype, half.engine) for half in duet.encoders] == [("int8", "onnxruntime")] * 2
    assert duet.fingerprint != before.fingerprint
    assert [encode(name, store, [], Corpus(["def a"], {1: 0}), None).tie for name in ("fast", "big")] == [1e-6, 1e-6]
    tokens = duet.tokenise(["def a(b):", "c = d", "abcdefgh(ij)"], Role.DOCUMENT)
    cosines = (duet.encode(tokens).embeddings * before.encode(tokens).embeddings).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.max() < 1 - 1e-7
    sizes = [(where / "code" / "model.safetensors").stat().st_size for where in (folder, store / "big")]
    assert sizes[0] < 0.4 * sizes[1]
    with pytest.raises(TuningError, match="in eight bits"):
        Trainee(duet, Plan())


def test_an_architecture_that_cannot_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    store = store_of(tmp_path, "distilbert", dim=256, hidden_dim=320)
    with pytest.raises(WeightsError, match=r"distilbert.*cannot compute in eight bits") as caught:
        made(store)
    assert "bert, roberta, xlm-roberta" in (caught.value.hint or "")
    assert present_names(store) == ["big"]


def test_matrices_too_small_for_eight_bits_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights in eight bits for"):
        made(store_of(tmp_path, "bert", hidden_size=32, intermediate_size=48))


def test_activations_alone_are_refused() -> None:
    with pytest.raises(ManifestError, match="need weights in eight bits"):
        Shrink({}, activations=True)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_extra_the_error_names_it_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    store = store_of(tmp_path, "bert")
    folder = made(store) / "code"
    monkeypatch.setitem(sys.modules, package, None)
    for attempt in (
        lambda: Int8Model(folder),
        lambda: shrink("big", "again", IN_EIGHT_BITS, lambda *_: None, store),
    ):
        with pytest.raises(WeightsError, match=f"takes {package}, which is not installed") as caught:
            attempt()
        assert "pgduet[onnx]" in (caught.value.hint or "")
    assert not [path for path in store.iterdir() if "again" in path.name and path.is_dir()]


def test_a_pass_that_onnxruntime_fails_on_is_one_that_the_sidecar_can_halve(tmp_path: Path) -> None:
    model = Int8Model(made(store_of(tmp_path, "bert")) / "code")
    # Of another width; what the library raises is no RuntimeError.
    with pytest.raises(RuntimeError, match="onnxruntime: "):
        run_session(model.session, {"states": np.zeros((2, 3, 255), np.float32)})


def test_a_duet_is_loaded_and_used_by_its_judge_as_it_will_be(tmp_path: Path) -> None:
    engines: list[list[str]] = []

    def judge(duet: Duet, _: Path) -> None:
        engines.append([half.engine for half in duet.encoders])

    shrink("big", "fast", IN_EIGHT_BITS, judge, store_of(tmp_path, "bert"))
    assert engines == [["onnxruntime"] * 2]
