"""Every architecture that a manifest may name runs, and equals the library's plain way of running it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from fix_architectures import SEQUENCES, checkpoint
from fix_hub import slot
from pgduet.encoding.architecture import DECODERS, ENCODERS, most_tokens, read_architecture
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.half import Half
from pgduet.encoding.manifest import Role, Slot
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.torch_model import TorchModel


def change(folder: Path, **keys: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def described(folder: Path, **changes: Any) -> Slot:
    return slot("code", FolderSource(str(folder), "transformers"), max_tokens=30, **changes)


def half(folder: Path, **changes: Any) -> Half:
    return Half(replace(described(folder), **changes), folder, "float32", 1)


@pytest.mark.parametrize("kind", [*ENCODERS, *DECODERS])
def test_an_architecture_gives_the_vectors_of_the_plain_library(tmp_path: Path, kind: str) -> None:
    folder = checkpoint(tmp_path, kind)
    plain = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    expected = []
    for sequence in SEQUENCES:
        ids = torch.tensor([sequence])
        with torch.inference_mode():
            states = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        expected.append(torch.nn.functional.normalize(states[0].mean(dim=0), dim=0).numpy())
    encoder = Encoder(TorchModel(folder))
    together, finite = encoder.encode(SEQUENCES)
    assert finite.all()
    assert np.abs(together - np.stack(expected)).max() < 1e-5
    alone = np.concatenate([encoder.encode([sequence])[0] for sequence in SEQUENCES])
    assert np.abs(together - alone).max() < 1e-6
    assert (together @ together.T)[0, 1] < 0.999


@pytest.mark.parametrize(("kind", "most"), [("bert", 40), ("distilbert", 40), ("xlm-roberta", 38), ("mpnet", 38)])
def test_a_limit_beyond_the_positions_of_an_encoder_is_refused(tmp_path: Path, kind: str, most: int) -> None:
    folder = checkpoint(tmp_path, kind)
    assert most_tokens(read_architecture(folder)) == most
    fitting = half(folder, max_tokens=most)
    tokens = fitting.tokenise(["a" * 100], Role.DOCUMENT)
    assert len(tokens[0].ids) == most
    assert fitting.encode([tokens[0].ids], [Role.DOCUMENT])[1].all()
    with pytest.raises(WeightsError, match=f"has positions for {most} tokens"):
        half(folder, max_tokens=most + 1)


def test_quantised_weights_are_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "qwen2")
    change(folder, quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(WeightsError, match="are quantised"):
        TorchModel(folder)


@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_keeps_no_keys_and_values(tmp_path: Path, kind: str) -> None:
    model = TorchModel(checkpoint(tmp_path, kind))
    ids = torch.tensor([[5, 6, 7]])
    assert model.module(input_ids=ids, attention_mask=torch.ones_like(ids)).past_key_values is None


def test_a_causal_decoder_is_not_pooled_by_its_first_token(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "qwen2")
    with pytest.raises(WeightsError, match="sees nothing of a text"):
        half(folder, pooling="cls")
    half(folder, pooling="cls", attention="bidirectional")


def test_the_last_token_is_not_pooled_where_nothing_says_which_it_is(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "qwen2")
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"post_processor": None}))
    with pytest.raises(WeightsError, match="nothing says which token ends its texts") as caught:
        half(folder, pooling="last")
    assert '"none"' in caught.value.hint
    ended, bare = half(folder, pooling="last", end="</s>"), half(folder, pooling="last", end="none")
    assert [one.tokenise(["ab"], Role.QUERY)[0].ids[-1] == 2 for one in (ended, bare)] == [True, False]


def test_no_end_takes_away_what_the_tokenizer_would_put_there(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "qwen2")
    (framed,), (bare,) = (half(folder, end=end).tokenise(["ab"], Role.QUERY) for end in ("", "none"))
    assert framed.ids == (*bare.ids, 2)
    assert framed.count == bare.count + 1


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "roberta")
    tensors = load_file(folder / "model.safetensors")
    other = checkpoint(tmp_path / "other", "qwen2")
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="do not fit their architecture"):
        TorchModel(other)
