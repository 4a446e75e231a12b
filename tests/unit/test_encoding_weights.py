import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.tokenizer import TextTokenizer
from pgduet.encoding.xlmr import tokenizer_json

WORDS = [*"abcdefghijklmnopqrstuvwxyz()[]<>/", "def", "return"]


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
    vectors, finite = Encoder(checkpoint, 32).encode([(1, 2, 3), (4, 5)])
    assert finite.all()
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_an_unused_pooler_is_allowed(checkpoint: Path) -> None:
    before, _ = Encoder(checkpoint, 32).encode([(1, 2, 3)])
    edit(checkpoint, **{"pooler.dense.weight": torch.ones(32, 32), "pooler.dense.bias": torch.ones(32)})
    after, _ = Encoder(checkpoint, 32).encode([(1, 2, 3)])
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
        Encoder(checkpoint, 32)


def test_pickled_weights_alone_are_refused(checkpoint: Path) -> None:
    torch.save(load_file(checkpoint / "model.safetensors"), checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="cannot load the encoder"):
        Encoder(checkpoint, 32)


def test_an_encoder_of_another_width_than_its_manifest_says_is_refused(checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="is 32 wide, its manifest says 384"):
        Encoder(checkpoint, 384)


def test_a_text_that_gives_nan_is_flagged_and_its_batch_mates_are_not(checkpoint: Path) -> None:
    good, _ = Encoder(checkpoint, 32).encode([(1, 2, 3)])
    words = load_file(checkpoint / "model.safetensors")["embeddings.word_embeddings.weight"]
    words[50] = torch.nan
    edit(checkpoint, **{"embeddings.word_embeddings.weight": words})
    vectors, finite = Encoder(checkpoint, 32).encode([(1, 2, 3), (1, 50, 3), (7, 8)])
    assert finite.tolist() == [True, False, True]
    assert np.abs(vectors[0] - good[0]).max() < 1e-6
    assert not vectors[1].any()


@pytest.fixture
def tokenizer(tmp_path: Path) -> TextTokenizer:
    """XLM-R's pipeline over a few pieces; limit of 10 tokens."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(piece, 0.0) for piece in specials] + [("▁", -2.0)] + [(word, -3.0) for word in WORDS] + [("<mask>", 0.0)]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(tokenizer_json(pieces)))
    return TextTokenizer(path, max_tokens=10)


def test_markers_inside_a_text_are_text(tokenizer: TextTokenizer) -> None:
    (half,) = tokenizer.encode(["</s>"])
    assert half.ids[0] == 0
    assert half.ids[-1] == 2
    assert not {0, 1, 2, 3} & set(half.ids[1:-1])
    assert half.count == 2 + 1 + 4


def test_a_long_text_is_counted_whole_and_cut_with_its_frame(tokenizer: TextTokenizer) -> None:
    (half,) = tokenizer.encode(["abc " * 100])
    assert half.count == 2 + 400
    assert len(half.ids) == 10
    assert (half.ids[0], half.ids[-1]) == (0, 2)


def test_one_tokenizer_serves_many_threads(tokenizer: TextTokenizer) -> None:
    texts = [f"def {'ab' * n} (x)" for n in range(50)]
    expected = tokenizer.encode(texts)
    results: list[bool] = []

    def work() -> None:
        results.extend(tokenizer.encode(texts) == expected for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 160


def test_a_tokenizer_without_a_template_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"post_processor": null, "added_tokens": [], "model": {"type": "BPE"}}')
    with pytest.raises(WeightsError, match="its post-processor is not a template"):
        TextTokenizer(path, 10)
