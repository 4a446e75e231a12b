"""Small random checkpoints of Qwen2 and Qwen3, with Qwen2's true vocabulary and tokenizer."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import AutoModel, Qwen2Config, Qwen2Model, Qwen3Config, Qwen3Model

from fix_tokenizers import QWEN_END, Qwen

WIDTH = 64
SHAPE: dict[str, Any] = {
    "vocab_size": 151646,
    "hidden_size": WIDTH,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": QWEN_END,
    "eos_token_id": QWEN_END,
}
Floats = npt.NDArray[np.float32]


def save(folder: Path, kind: str, tokenizer: Path, shard: str = "1GB") -> Path:
    """Write a checkpoint with random weights, biases and norms too, and no word about attention, as Qodo's."""
    torch.manual_seed(11)
    model = (
        Qwen2Model(Qwen2Config(**SHAPE)) if kind == "qwen2" else Qwen3Model(Qwen3Config(**SHAPE, head_dim=WIDTH // 4))
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder, max_shard_size=shard)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return folder


def variant(source: Path, target: Path, **config: Any) -> Path:
    """Link a checkpoint's files into another folder, with changes to its config.json."""
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).hardlink_to(path)
    about = json.loads((source / "config.json").read_text()) | config
    (target / "config.json").unlink()
    (target / "config.json").write_text(json.dumps(about))
    return target


def reference(
    folder: Path,
    sequences: list[tuple[int, ...]],
    *,
    bidirectional: bool = False,
    side: str = "right",
    last: str = "mask",
) -> Floats:
    """Encode with plain transformers, eager attention, all sequences in one batch; unit rows [n, width].

    The causal mask is the library's own, the bidirectional one is made here. `last` is "mask" for the last token that
    is not padding, "end" for the last column, "pad" for the last token that does not look like padding.
    """
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    longest = max(map(len, sequences))
    ids = torch.full((len(sequences), longest), QWEN_END)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        place = slice(len(sequence)) if side == "right" else slice(longest - len(sequence), longest)
        ids[row, place] = torch.tensor(sequence)
        mask[row, place] = 1
    attention = mask
    if bidirectional:
        attention = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        attention = attention.expand(-1, 1, longest, longest)
    with torch.inference_mode():
        states = model(input_ids=ids, attention_mask=attention).last_hidden_state
    real = {"mask": mask, "end": torch.ones_like(mask), "pad": (ids != QWEN_END).long()}[last]
    places = (real * torch.arange(1, longest + 1)).argmax(dim=1)
    vectors: Floats = torch.nn.functional.normalize(states[torch.arange(len(sequences)), places], dim=1).numpy()
    return vectors


@pytest.fixture(scope="session")
def qwen2_folder(qwen: Qwen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("qwen2"), "qwen2", qwen.ended)


@pytest.fixture(scope="session")
def qwen3_folder(qwen: Qwen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("qwen3"), "qwen3", qwen.ended)
