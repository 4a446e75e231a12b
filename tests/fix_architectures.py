"""Small random checkpoints of every architecture that a manifest may name."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from pgduet.encoding.formats.xlmr import tokenizer_json

SHAPE = {"vocab_size": 80, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
POSITIONS = 40
OTHER_NAMES = {
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48},
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 8},
    "qwen2": {"num_key_value_heads": 2},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 8},
}
SEQUENCES = [tuple(range(5, 35)), (7, 8), (50, 60, 70, 9, 11), (4,)]


def checkpoint(folder: Path, kind: str, **more: Any) -> Path:
    """Write a small random checkpoint of an architecture, with XLM-R's tokenizer over a few pieces."""
    torch.manual_seed(2)
    sizes = {"max_position_embeddings": POSITIONS, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = AutoConfig.for_model(kind, **{**SHAPE, **sizes, **OTHER_NAMES.get(kind, {}), **more})
    model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyz()=+"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json([*pieces, ("<mask>", 0.0)])))
    return folder
