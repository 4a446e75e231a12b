import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from pgduet.encoding.architecture import resolve_attention
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.pooling import pool
from pgduet.encoding.torch_model import TorchModel


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small random checkpoint of the true architecture, without a pooler."""
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=100,
        max_position_embeddings=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(tmp_path)
    return tmp_path


def edit(folder: Path, **changes: torch.Tensor | None) -> None:
    """Put tensors into the checkpoint, or take them out."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, value in changes.items():
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value
    save_file(tensors, path, metadata={"format": "pt"})


def test_a_checkpoint_without_a_pooler_loads_and_gives_unit_vectors(checkpoint: Path) -> None:
    vectors, finite = Encoder(TorchModel(checkpoint)).encode([(1, 2, 3), (4, 5)])
    assert finite.all()
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_an_unused_pooler_is_allowed(checkpoint: Path) -> None:
    before, _ = Encoder(TorchModel(checkpoint)).encode([(1, 2, 3)])
    edit(checkpoint, **{"pooler.dense.weight": torch.ones(32, 32), "pooler.dense.bias": torch.ones(32)})
    after, _ = Encoder(TorchModel(checkpoint)).encode([(1, 2, 3)])
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("encoder.layer.1.output.dense.weight", None, r"1 missing, such as encoder\.layer\.1\.output\.dense\.weight"),
        ("encoder.layer.2.output.dense.bias", torch.ones(32), r"1 unexpected, such as encoder\.layer\.2"),
        ("lora_A.weight", torch.ones(4, 32), r"1 unexpected, such as lora_A\.weight"),
        ("encoder.layer.1.output.dense.weight", torch.ones(32, 60), "cannot load|mismatched"),
    ],
)
def test_a_weight_that_does_not_fit_is_refused(
    checkpoint: Path, name: str, value: torch.Tensor | None, said: str
) -> None:
    edit(checkpoint, **{name: value})
    with pytest.raises(WeightsError, match=said):
        Encoder(TorchModel(checkpoint))


def test_pickled_weights_alone_are_refused(checkpoint: Path) -> None:
    torch.save(load_file(checkpoint / "model.safetensors"), checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="cannot load the encoder"):
        Encoder(TorchModel(checkpoint))


def test_a_text_that_gives_nan_is_flagged_and_its_batch_mates_are_not(checkpoint: Path) -> None:
    good, _ = Encoder(TorchModel(checkpoint)).encode([(1, 2, 3)])
    words = load_file(checkpoint / "model.safetensors")["embeddings.word_embeddings.weight"]
    words[50] = torch.nan
    edit(checkpoint, **{"embeddings.word_embeddings.weight": words})
    vectors, finite = Encoder(TorchModel(checkpoint)).encode([(1, 2, 3), (1, 50, 3), (7, 8)])
    assert finite.tolist() == [True, False, True]
    assert np.abs(vectors[0] - good[0]).max() < 1e-6
    assert not vectors[1].any()


def architecture(folder: Path, **changes: object) -> None:
    """Change keys of config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_architecture_that_is_not_known_is_refused(checkpoint: Path) -> None:
    architecture(checkpoint, model_type="gpt2")
    with pytest.raises(WeightsError, match="of the architecture 'gpt2', which is not supported") as caught:
        TorchModel(checkpoint)
    assert "bert" in caught.value.hint
    assert "qwen2" in caught.value.hint


def test_an_encoder_that_attends_both_ways_cannot_be_run_causally(checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="always attends both ways"):
        TorchModel(checkpoint, attention="causal")
    assert resolve_attention(checkpoint, "auto") == "auto"
    assert resolve_attention(checkpoint, "bidirectional") == "auto"


@pytest.mark.parametrize("text", ["", "[1", "{}"])
def test_a_config_that_says_nothing_is_refused(checkpoint: Path, text: str) -> None:
    (checkpoint / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=r"cannot read the config\.json|not supported"):
        resolve_attention(checkpoint, "auto")
    with pytest.raises(WeightsError):
        TorchModel(checkpoint)


@pytest.mark.parametrize("pooling", ["mean", "last", "cls"])
def test_a_text_without_a_token_is_flagged(checkpoint: Path, pooling: str) -> None:
    vectors, finite = Encoder(TorchModel(checkpoint), pooling).encode([(), (1, 2), ()])
    assert finite.tolist() == [False, True, False]
    assert not vectors[[0, 2]].any()


@pytest.mark.parametrize("pooling", ["mean", "last", "cls"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_pooling_reads_the_tokens_that_the_mask_marks(pooling: str, side: str) -> None:
    states = torch.tensor([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]])
    padding = torch.full((2, 2), torch.nan)
    padded = torch.cat([padding, states] if side == "left" else [states, padding])
    mask = torch.tensor([0, 0, 1, 1, 1] if side == "left" else [1, 1, 1, 0, 0])
    expected = {"mean": [3.0, 30.0], "last": [6.0, 60.0], "cls": [1.0, 10.0]}[pooling]
    assert pool(padded[None], mask[None], pooling).tolist() == [expected]


def test_bfloat16_is_pooled_in_float32(checkpoint: Path) -> None:
    full, _ = Encoder(TorchModel(checkpoint)).encode([tuple(range(1, 60))])
    half, _ = Encoder(TorchModel(checkpoint, dtype="bfloat16")).encode([tuple(range(1, 60))])
    assert half.dtype == np.float32
    assert float((full * half).sum()) >= 0.9995
    assert not np.array_equal(full, half)
