"""The true shapes of the encoders, without their weights: what the published checkpoints hold, to the parameter."""

import math
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    JinaEmbeddingsV3Config,
    JinaEmbeddingsV3Model,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from fix_checkpoints import jina_config
from pgduet.encoding.formats.jina_names import native_config, native_shapes
from pgduet.encoding.formats.jina_original import expected_shapes

JINA_SIZES: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "max_position_embeddings": 8194,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "vocab_size": 250_002,
}
QODO = Qwen2Config(
    vocab_size=151_646,
    hidden_size=1536,
    intermediate_size=8960,
    num_hidden_layers=28,
    num_attention_heads=12,
    num_key_value_heads=2,
    max_position_embeddings=131_072,
)
QWEN3_EMBEDDING = Qwen3Config(
    vocab_size=151_669,
    hidden_size=1024,
    intermediate_size=3072,
    num_hidden_layers=28,
    num_attention_heads=16,
    num_key_value_heads=8,
    head_dim=128,
    max_position_embeddings=32_768,
)


def on_meta(config: PretrainedConfig) -> PreTrainedModel:
    with torch.device("meta"):
        model: PreTrainedModel = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return model


def count(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in shapes)


@pytest.mark.parametrize(
    ("config", "parameters", "tensors"),
    [
        pytest.param(QODO, 1_543_268_864, 338, id="Qodo-Embed-1-1.5B"),
        pytest.param(QWEN3_EMBEDDING, 595_776_512, 310, id="Qwen3-Embedding-0.6B"),
    ],
)
def test_stock_classes_have_the_parameters_of_the_published_decoders(
    config: PretrainedConfig, parameters: int, tensors: int
) -> None:
    state = on_meta(config).state_dict()
    assert count(tuple(value.shape) for value in state.values()) == parameters
    assert len(state) == tensors


def test_the_original_jina_layout_has_the_parameters_of_the_published_file() -> None:
    needed, unused = expected_shapes(jina_config(**JINA_SIZES))
    shapes = needed | unused
    adapters = {name: shape for name, shape in shapes.items() if ".lora_" in name}
    assert count(shapes.values()) == 572_310_396
    assert count(adapters.values()) == 12_946_300
    assert len(adapters) == 2 * (2 + 24 * 4 + 1)
    assert shapes["roberta.embeddings.word_embeddings.parametrizations.weight.0.lora_A"] == (5, 250_002, 4)
    assert shapes["roberta.encoder.layers.23.mixer.Wqkv.parametrizations.weight.0.lora_B"] == (5, 3072, 4)
    assert unused.keys() == {name for name in shapes if name.startswith("roberta.pooler.")}


def test_a_folded_set_of_the_true_jina_is_what_the_stock_class_loads() -> None:
    config = native_config(jina_config(**JINA_SIZES), "bfloat16")
    stock = on_meta(JinaEmbeddingsV3Config(**config)).state_dict()
    expected = {name: tuple(value.shape) for name, value in stock.items() if not name.startswith("pooler.")}
    assert native_shapes(config) == expected
    assert count(tuple(value.shape) for value in stock.values()) == 559_364_096


def test_the_config_of_a_folded_set_is_that_of_the_stock_class() -> None:
    ours = native_config(jina_config(**JINA_SIZES), "float32")
    ours |= {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    loaded = AutoConfig.for_model(**{**ours, "architectures": None, "dtype": None})
    assert isinstance(loaded, JinaEmbeddingsV3Config)
    assert loaded.to_dict() == JinaEmbeddingsV3Config().to_dict()
    assert isinstance(on_meta(loaded), JinaEmbeddingsV3Model)
