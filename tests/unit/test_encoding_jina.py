import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file as save_torch

from fix_checkpoints import (
    JINA_ADAPTER,
    JINA_TASKS,
    jina_config,
    jina_tensors,
    peft_config,
    write_json,
    write_native_jina,
    write_original_jina,
)
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_v3 import convert
from pgduet.encoding.manifest import Role
from pgduet.encoding.tokenizer import TextTokenizer
from pgduet.encoding.torch_model import TorchModel
from reference_jina import ReferenceJina, Tensors

QKV = "encoder.layers.1.mixer.Wqkv.parametrizations.weight.0"


def folded(source: Path, target: Path, dtype: str = "float32") -> Path:
    target.mkdir()
    convert(source, target, adapter=JINA_ADAPTER, dtype=dtype)
    return target


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Four rows: full, padded on the right, padded on the left, one short."""
    ids = torch.randint(4, 300, (4, 40), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 20:] = 0
    mask[2, :7] = 0
    mask[3, 2:] = 0
    return ids, mask


def difference(a: torch.Tensor, b: torch.Tensor, mask: torch.Tensor) -> float:
    return float(((a - b) * mask.unsqueeze(-1)).abs().max())


@pytest.fixture(scope="module")
def stored(original_jina: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The original checkpoint, folded in float32."""
    return folded(original_jina, tmp_path_factory.mktemp("folded") / "float32")


@pytest.fixture(scope="module")
def reference() -> Callable[[int], torch.Tensor]:
    """States of the batch by the adapter of one task, applied while the model runs."""
    config = jina_config()
    model = ReferenceJina(jina_tensors(config), config)

    def states(task: int) -> torch.Tensor:
        with torch.inference_mode():
            result: torch.Tensor = model(*batch(), torch.tensor(task))
        return result

    return states


@pytest.mark.parametrize("role", list(Role))
def test_folded_weights_give_what_adapters_give_at_run_time_and_only_for_their_task(
    stored: Path, reference: Callable[[int], torch.Tensor], role: Role
) -> None:
    ids, mask = batch()
    with torch.inference_mode():
        states = TorchModel(stored, weights=f"{role}.safetensors")(ids, mask)
    mine = JINA_TASKS.index(JINA_ADAPTER[role])
    differences = [difference(states, reference(task), mask) for task in range(len(JINA_TASKS))]
    assert differences.pop(mine) <= 1e-5
    assert min(differences) > 0.1


def test_weights_without_their_adapters_give_something_else(
    original_jina: Path, reference: Callable[[int], torch.Tensor], tmp_path: Path
) -> None:
    tensors = load_file(original_jina / "model.safetensors")
    unadapted = {name: value * 0 if name.endswith("lora_B") else value for name, value in tensors.items()}
    base = folded(write_original_jina(tmp_path / "base", unadapted), tmp_path / "out")
    ids, mask = batch()
    with torch.inference_mode():
        states = TorchModel(base, weights="query.safetensors")(ids, mask)
    assert difference(states, reference(0), mask) > 0.1


@pytest.mark.parametrize(
    "module",
    [
        "embeddings.word_embeddings",
        "embeddings.token_type_embeddings",
        "encoder.layers.0.mixer.Wqkv",
        "encoder.layers.1.mixer.out_proj",
        "encoder.layers.0.mlp.fc1",
        "encoder.layers.1.mlp.fc2",
    ],
)
def test_every_adapter_counts(stored: Path, original_jina: Path, tmp_path: Path, module: str) -> None:
    tensors = load_file(original_jina / "model.safetensors")
    name = f"roberta.{module}.parametrizations.weight.0.lora_A"
    tensors[name][JINA_TASKS.index("retrieval.query")] *= -1
    other = folded(write_original_jina(tmp_path / "source", tensors), tmp_path / "out")
    ids, mask = batch()
    for role, differs in ((Role.QUERY, True), (Role.DOCUMENT, False)):
        with torch.inference_mode():
            before, after = (TorchModel(folder, weights=f"{role}.safetensors")(ids, mask) for folder in (stored, other))
        assert (difference(before, after, mask) > 1e-3) is differs


def test_queries_and_documents_have_vectors_of_their_own(stored: Path) -> None:
    (half,) = TextTokenizer(stored / "tokenizer.json", 64).encode(["def return(a)"])
    query, document = (
        Encoder(TorchModel(stored, weights=f"{role}.safetensors")).encode([half.ids])[0][0]
        for role in (Role.QUERY, Role.DOCUMENT)
    )
    assert abs(np.linalg.norm(query) - 1) < 1e-6
    assert query @ document < 0.99


@pytest.mark.parametrize("saved_by_class", [True, False])
def test_both_layouts_fold_to_the_same_bytes(stored: Path, tmp_path: Path, saved_by_class: bool) -> None:
    native = write_native_jina(tmp_path / "native", saved_by_class=saved_by_class)
    other = folded(native, tmp_path / "out")
    assert sorted(path.name for path in other.iterdir()) == [
        "config.json",
        "document.safetensors",
        "query.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    for path in other.iterdir():
        assert path.read_bytes() == (stored / path.name).read_bytes(), path.name


@pytest.mark.parametrize("prefix", ["base_model.model.roberta.", ""])
def test_keys_of_an_adapter_may_carry_its_name_and_another_prefix(stored: Path, tmp_path: Path, prefix: str) -> None:
    native = write_native_jina(tmp_path / "native")
    path = native / "retrieval_query" / "adapter_model.safetensors"
    tensors = {
        name.replace("base_model.model.", prefix)
        .replace(".weight", ".default.weight")
        .replace("embedding_A", "embedding_A.default"): value
        for name, value in load_file(path).items()
    }
    save_file(tensors, path)
    other = folded(native, tmp_path / "out")
    assert (other / "query.safetensors").read_bytes() == (stored / "query.safetensors").read_bytes()


def test_the_bytes_of_the_fold_are_the_same_on_every_machine(tmp_path: Path) -> None:
    tensors = jina_tensors(jina_config())
    for number, (name, value) in enumerate(tensors.items()):
        # Whole numbers spread over 32 bits: no random generator, which may change from version to version.
        spread = (np.arange(value.size, dtype=np.uint64) + np.uint64(number)) * np.uint64(2654435761) % np.uint64(2**32)
        tensors[name] = (spread.astype(np.float64) / 2**31 - 1).astype(np.float32).reshape(value.shape)
    source = write_original_jina(tmp_path / "source", tensors)
    digests = [
        hashlib.sha256((folded(source, tmp_path / dtype, dtype) / "query.safetensors").read_bytes()).hexdigest()[:16]
        for dtype in ("float32", "bfloat16")
    ]
    assert digests == ["44162e4b979a9876", "7485c7bbb828e450"]


def test_the_pooler_is_left_out_and_no_weight_is_missing(stored: Path) -> None:
    config = json.loads((stored / "config.json").read_text())
    assert config["model_type"] == "jina_embeddings_v3"
    assert config["rope_parameters"] == {"rope_type": "default", "rope_theta": 20000.0}
    for role in Role:
        tensors = load_file(stored / f"{role}.safetensors")
        assert not any(name.startswith("pooler") for name in tensors)
        assert len(tensors) == 4 + 2 * 16


def test_bfloat16_is_the_nearest_to_the_float32_fold(original_jina: Path, stored: Path, tmp_path: Path) -> None:
    rounded = folded(original_jina, tmp_path / "out", dtype="bfloat16")
    exact, nearest = (load_torch(folder / "query.safetensors") for folder in (stored, rounded))
    assert {value.dtype for value in nearest.values()} == {torch.bfloat16}
    assert all(torch.equal(nearest[name], value.bfloat16()) for name, value in exact.items())
    cut = sum(int((nearest[name].float().abs() < value.abs()).sum()) for name, value in exact.items())
    total = sum(value.numel() for value in exact.values())
    assert 0.4 < cut / total < 0.6


def test_a_checkpoint_in_bfloat16_folds_in_float32(original_jina: Path, tmp_path: Path) -> None:
    halved = {name: value.bfloat16() for name, value in load_torch(original_jina / "model.safetensors").items()}
    source = write_original_jina(tmp_path / "source")
    save_torch(halved, source / "model.safetensors")
    widened = write_original_jina(tmp_path / "wide", {name: value.float().numpy() for name, value in halved.items()})
    for role in Role:
        one, two = (path / f"{role}.safetensors" for path in (tmp_path / "one", tmp_path / "two"))
        for path, origin in ((one, source), (two, widened)):
            if not path.parent.exists():
                folded(origin, path.parent)
        assert one.read_bytes() == two.read_bytes()


def test_the_unfolded_file_is_refused_by_the_loader(original_jina: Path) -> None:
    with pytest.raises(WeightsError, match=r"do not fit their architecture: \d+ (missing|unexpected)"):
        TorchModel(original_jina)


def test_an_unfolded_file_with_a_native_config_is_refused_by_the_loader(stored: Path, tmp_path: Path) -> None:
    source = write_original_jina(tmp_path / "source")
    (source / "config.json").write_text((stored / "config.json").read_text())
    with pytest.raises(WeightsError, match=r"do not fit their architecture: \d+ (missing|unexpected)"):
        TorchModel(source)


def without(tensors: Tensors, name: str) -> Tensors:
    return {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: without(t, f"roberta.{QKV}.lora_A"), rf"lacks the tensor roberta\.{QKV}\.lora_A \[5, 4, 64\]"),
        (
            lambda t: without(t, "roberta.encoder.layers.0.norm2.bias"),
            r"lacks the tensor roberta\.encoder.*norm2\.bias",
        ),
        (
            lambda t: t | {"roberta.extra.weight": t["roberta.emb_ln.bias"]},
            r"roberta\.extra\.weight, which is not known",
        ),
        (lambda t: t | {f"roberta.{QKV}.lora_A": t[f"roberta.{QKV}.lora_A"][:4]}, r"is \[4, 4, 64\], not \[5, 4, 64\]"),
        (
            lambda t: t | {f"roberta.{QKV}.lora_B": t[f"roberta.{QKV}.lora_B"][..., :2]},
            r"\[5, 192, 2\], not \[5, 192, 4\]",
        ),
    ],
)
def test_an_original_checkpoint_that_only_nearly_fits_is_refused(
    tmp_path: Path, change: Callable[[Tensors], Tensors], said: str
) -> None:
    tensors = {name: np.ascontiguousarray(value) for name, value in change(jina_tensors(jina_config())).items()}
    source = write_original_jina(tmp_path / "source", tensors)
    with pytest.raises(WeightsError, match=said):
        folded(source, tmp_path / "out")
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lora_rank": None}, "says rank None and alpha 1"),
        ({"lora_rank": 4.0}, r"says rank 4\.0 and alpha 1"),
        ({"lora_rank": 8}, r"is \[5, 1, 4\], not \[5, 1, 8\]"),
        ({"lora_alpha": None}, "says rank 4 and alpha None"),
        ({"lora_alpha": 0}, "alpha 0, which must be positive"),
        ({"lora_adaptations": ["retrieval.query", "a", "b", "c", "d"]}, r"no adapter 'retrieval\.passage'"),
        ({"lora_adaptations": JINA_TASKS[:2] * 2}, "no list of different names"),
        ({"lora_adaptations": None}, "lora_adaptations = None"),
        ({"model_type": "bert"}, "is a 'bert' checkpoint"),
        ({"hidden_size": None}, "hidden_size = None"),
        ({"num_attention_heads": 5}, "no multiple of num_attention_heads"),
        ({"position_embedding_type": "absolute"}, "other positions than the rotary"),
    ],
)
def test_an_original_config_that_says_something_odd_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    source = write_original_jina(tmp_path / "source", jina_tensors(jina_config()), jina_config(**changes))
    with pytest.raises(WeightsError, match=said):
        folded(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"r": "absent"}, "says rank None"),
        ({"r": 2}, r"is \[4, 1\], not \[2, 1\]"),
        ({"lora_alpha": "absent"}, "alpha None"),
        ({"use_rslora": True}, "use_rslora = True; only plain LoRA"),
        ({"use_dora": True}, "use_dora = True"),
        ({"rank_pattern": {"fc1": 8}}, "rank_pattern"),
        ({"modules_to_save": ["pooler"]}, "modules_to_save"),
        ({"peft_type": "absent"}, "peft_type = None"),
    ],
)
def test_an_adapter_that_is_more_than_plain_lora_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    native = write_native_jina(tmp_path / "native")
    write_json(native / "retrieval_passage" / "adapter_config.json", peft_config(**changes))
    with pytest.raises(WeightsError, match=said):
        folded(native, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        (
            "retrieval_query/adapter_model.safetensors",
            "base_model.model.layers.1.self_attn.v_proj.lora_B.weight",
            "lacks",
        ),
        ("retrieval_query/adapter_model.safetensors", "base_model.model.layers.9.mlp.fc1.lora_B.weight", "not known"),
        ("retrieval_passage/adapter_model.safetensors", "base_model.model.layers.0.mlp.fc1.magnitude", "not known"),
        ("model.safetensors", "encoder.layers.0.mixer.Wqkv.bias", "lacks the tensor layers.0.self_attn.q_proj.bias"),
        ("model.safetensors", "layers.0.mlp.fc3.weight", "not known"),
    ],
)
def test_a_native_checkpoint_that_only_nearly_fits_is_refused(tmp_path: Path, file: str, name: str, said: str) -> None:
    path = write_native_jina(tmp_path / "native") / file
    tensors = load_file(path)
    if name in tensors:
        del tensors[name]
    else:
        tensors[name] = np.ones(4, np.float32)
    save_file(tensors, path)
    with pytest.raises(WeightsError, match=said):
        folded(tmp_path / "native", tmp_path / "out")


def test_an_adapter_without_a_folder_is_refused_and_those_that_are_there_are_named(tmp_path: Path) -> None:
    native = write_native_jina(tmp_path / "native")
    with pytest.raises(WeightsError, match=r"no adapter 'code\.query'") as caught:
        convert(native, tmp_path, adapter=JINA_ADAPTER | {Role.QUERY: "code.query"}, dtype="float32")
    assert "retrieval_passage, retrieval_query" in caught.value.hint


def test_a_folder_in_both_layouts_or_neither_is_refused(tmp_path: Path) -> None:
    both = write_native_jina(tmp_path / "both")
    save_file(jina_tensors(jina_config()), both / "model.safetensors")
    with pytest.raises(WeightsError, match="in two layouts at once"):
        folded(both, tmp_path / "out")
    bare = write_original_jina(tmp_path / "bare", {"roberta.emb_ln.weight": np.ones(64, np.float32)})
    with pytest.raises(WeightsError, match="without adapters"):
        convert(bare, tmp_path / "out", adapter=JINA_ADAPTER, dtype="float32")


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path) -> None:
    source = write_original_jina(tmp_path / "source")
    path = source / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="cannot read the weights"):
        folded(source, tmp_path / "out")
    path.unlink()
    with pytest.raises(WeightsError, match="cannot read the weights"):
        convert(source, tmp_path / "out", adapter=JINA_ADAPTER, dtype="float32")
    (source / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"no tokenizer\.json"):
        convert(source, tmp_path / "out", adapter=JINA_ADAPTER, dtype="float32")


def test_a_duet_that_names_no_adapters_cannot_be_converted(original_jina: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="an adapter for documents and one for queries"):
        convert(original_jina, tmp_path, adapter={}, dtype="float32")


@pytest.mark.slow
def test_the_fold_needs_far_less_memory_than_the_weights(tmp_path: Path) -> None:
    config = jina_config(vocab_size=1_000_000)
    source = write_original_jina(tmp_path / "source", None, config)
    halved = {name: value.bfloat16() for name, value in load_torch(source / "model.safetensors").items()}
    save_torch(halved, source / "model.safetensors")
    (tmp_path / "out").mkdir()
    code = f"""
import pathlib, threading
import torch
from fix_checkpoints import JINA_ADAPTER
from pgduet.encoding.formats.jina_v3 import convert
anonymous = lambda: int(pathlib.Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])
peak, ended = [anonymous()], []
def watch():
    while not ended:
        peak.append(anonymous())
        threading.Event().wait(0.002)
watcher = threading.Thread(target=watch)
watcher.start()
convert(pathlib.Path({str(tmp_path / "source")!r}), pathlib.Path({str(tmp_path / "out")!r}),
        adapter=JINA_ADAPTER, dtype="float32")
ended.append(True)
watcher.join()
print((max(peak) - peak[0]) / 1024)
"""
    path = ":".join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    table = 1_000_000 * 64 * 4 / 2**20
    assert float(done.stdout) < 0.6 * table
