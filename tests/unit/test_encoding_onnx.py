import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from fix_checkpoints import JINA_ADAPTER, export_jina
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_v3 import convert
from pgduet.encoding.manifest import Role
from pgduet.encoding.onnx_model import OnnxModel
from pgduet.encoding.torch_model import TorchModel

# Sequences of token ids of very different lengths, so that some are padded.
SEQUENCES = [tuple(np.random.default_rng(2).integers(4, 300, length).tolist()) for length in (40, 3, 17, 1, 90)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    export_jina(folder)
    return folder


@pytest.fixture(scope="module")
def folded(original_jina: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folded")
    convert(original_jina, folder, adapter=JINA_ADAPTER, dtype="float32")
    return folder


def test_the_weights_lie_beside_the_graph(exported: Path) -> None:
    # Otherwise nothing here would show that the second file is read.
    assert (exported / "model.onnx_data").stat().st_size > 400_000
    assert (exported / "model.onnx").stat().st_size < 100_000


@pytest.mark.parametrize("role", list(Role))
def test_the_onnx_file_gives_the_vectors_of_the_folded_weights(exported: Path, folded: Path, role: Role) -> None:
    onnx = Encoder(OnnxModel(exported, JINA_ADAPTER[role]))
    stock = Encoder(TorchModel(folded, weights=f"{role}.safetensors"))
    expected, _ = stock.encode(SEQUENCES)
    together, finite = onnx.encode(SEQUENCES)
    alone = np.concatenate([onnx.encode([sequence])[0] for sequence in SEQUENCES])
    assert finite.all()
    assert np.abs(together - expected).max() <= 1e-5  # 1e-3 is asked for
    assert np.abs(alone - expected).max() <= 1e-5


def test_states_of_tokens_are_equal_before_pooling(exported: Path, folded: Path) -> None:
    onnx = Encoder(OnnxModel(exported, "retrieval.query")).states(SEQUENCES[0])
    stock = Encoder(TorchModel(folded, weights="query.safetensors")).states(SEQUENCES[0])
    assert onnx.shape == (40, 64)
    assert np.abs(onnx - stock).max() <= 1e-4


def test_another_task_gives_other_vectors(exported: Path, folded: Path) -> None:
    expected, _ = Encoder(TorchModel(folded, weights="query.safetensors")).encode(SEQUENCES)
    for task in ("retrieval.passage", "separation", "classification", "text-matching"):
        other, _ = Encoder(OnnxModel(exported, task)).encode(SEQUENCES)
        assert np.abs(other - expected).max() > 1e-2


def test_both_roles_share_the_weights_and_a_replaced_file_is_read_anew(exported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    query, document = OnnxModel(folder, "retrieval.query"), OnnxModel(folder, "retrieval.passage")
    assert query.session is document.session
    shutil.copyfile(folder / "model.onnx", folder / "new")
    (folder / "new").replace(folder / "model.onnx")
    assert OnnxModel(folder, "retrieval.query").session is not query.session


def test_a_file_without_tasks_runs_without_one(tmp_path: Path, exported: Path) -> None:
    export_jina(tmp_path, with_task=False)
    plain, _ = Encoder(OnnxModel(tmp_path, None)).encode(SEQUENCES)
    query, _ = Encoder(OnnxModel(exported, "retrieval.query")).encode(SEQUENCES)
    assert np.abs(plain - query).max() <= 1e-5
    with pytest.raises(WeightsError, match=r"takes attention_mask, input_ids; expected were .*task_id"):
        OnnxModel(tmp_path, "retrieval.query")


def test_a_file_with_tasks_does_not_run_without_one(exported: Path) -> None:
    with pytest.raises(WeightsError, match="takes attention_mask, input_ids, task_id; expected were"):
        OnnxModel(exported, None)


def test_a_task_that_the_config_does_not_list_is_refused(exported: Path) -> None:
    with pytest.raises(WeightsError, match=r"no adapter 'code\.query'") as caught:
        OnnxModel(exported, "code.query")
    assert "retrieval.passage" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.onnx_data", None, "onnxruntime cannot load"),
        ("model.onnx_data", b"short", "onnxruntime cannot load"),
        ("model.onnx", b"no graph", "onnxruntime cannot load"),
        ("model.onnx", None, "cannot read"),
        ("config.json", None, "cannot read"),
        (
            "config.json",
            b'{"hidden_size": 48, "lora_adaptations": ["retrieval.query"]}',
            r"states of shape \(1, 3, 64\)",
        ),
    ],
)
def test_files_that_are_missing_or_damaged_are_refused(
    exported: Path, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    folder = shutil.copytree(exported, tmp_path / "copy")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        Encoder(OnnxModel(folder, "retrieval.query")).encode([(4, 5, 6)])


def test_without_onnxruntime_the_error_names_the_extra(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test's error may still hold a session on the original, which would then be shared.
    folder = shutil.copytree(exported, tmp_path / "copy")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match="onnxruntime cannot be imported") as caught:
        OnnxModel(folder, "retrieval.query")
    assert caught.value.hint == "run: pip install 'pgduet[onnx]'"
