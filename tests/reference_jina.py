"""jina-embeddings-v3 in plain torch, adapters applied while running: written apart from pgduet's folding."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

Tensors = dict[str, npt.NDArray[np.float32]]


class _Adapted(nn.Module):
    """A weight beside its adapters of all tasks, as the original checkpoint holds them."""

    def __init__(self, tensors: Tensors, name: str, scale: float) -> None:
        super().__init__()
        weight = f"roberta.{name}.parametrizations.weight"
        self.weight = nn.Parameter(torch.from_numpy(tensors[f"{weight}.original"]))
        self.a = nn.Parameter(torch.from_numpy(tensors[f"{weight}.0.lora_A"]))
        self.b = nn.Parameter(torch.from_numpy(tensors[f"{weight}.0.lora_B"]))
        self.scale = scale

    def of(self, task: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B of one task; a gather, so that the task stays an input when this is exported."""
        return self.a.index_select(0, task.reshape(1))[0], self.b.index_select(0, task.reshape(1))[0]


class _Linear(_Adapted):
    def __init__(self, tensors: Tensors, name: str, scale: float) -> None:
        super().__init__(tensors, name, scale)
        self.bias = nn.Parameter(torch.from_numpy(tensors[f"roberta.{name}.bias"]))

    def forward(self, x: torch.Tensor, task: torch.Tensor) -> torch.Tensor:
        a, b = self.of(task)
        out: torch.Tensor = x @ self.weight.T + self.bias + self.scale * ((x @ a.T) @ b.T)
        return out


class _Embedding(_Adapted):
    def forward(self, ids: torch.Tensor, task: torch.Tensor) -> torch.Tensor:
        a, b = self.of(task)
        out: torch.Tensor = self.weight[ids] + self.scale * (a[ids] @ b)
        return out


class ReferenceJina(nn.Module):
    """The whole body; `forward` gives token states [n, t, hidden]."""

    def __init__(self, tensors: Tensors, config: dict[str, Any]) -> None:
        super().__init__()
        scale = config["lora_alpha"] / config["lora_rank"]
        self.heads, self.hidden = config["num_attention_heads"], config["hidden_size"]
        self.theta, self.eps = config["rotary_emb_base"], config["layer_norm_eps"]
        self.words = _Embedding(tensors, "embeddings.word_embeddings", scale)
        self.types = _Embedding(tensors, "embeddings.token_type_embeddings", scale)
        self.first_norm = self._norm(tensors, "emb_ln")
        layers = range(config["num_hidden_layers"])
        self.layers = nn.ModuleList([self._layer(tensors, f"encoder.layers.{layer}.", scale) for layer in layers])

    def _layer(self, tensors: Tensors, name: str, scale: float) -> nn.ModuleDict:
        return nn.ModuleDict(
            {
                "qkv": _Linear(tensors, f"{name}mixer.Wqkv", scale),
                "out": _Linear(tensors, f"{name}mixer.out_proj", scale),
                "norm1": self._norm(tensors, f"{name}norm1"),
                "up": _Linear(tensors, f"{name}mlp.fc1", scale),
                "down": _Linear(tensors, f"{name}mlp.fc2", scale),
                "norm2": self._norm(tensors, f"{name}norm2"),
            }
        )

    def _norm(self, tensors: Tensors, name: str) -> nn.LayerNorm:
        norm = nn.LayerNorm(self.hidden, eps=self.eps)
        norm.weight = nn.Parameter(torch.from_numpy(tensors[f"roberta.{name}.weight"]))
        norm.bias = nn.Parameter(torch.from_numpy(tensors[f"roberta.{name}.bias"]))
        return norm

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, task_id: torch.Tensor) -> torch.Tensor:
        types = torch.zeros_like(input_ids)
        x: torch.Tensor = self.first_norm(self.words(input_ids, task_id) + self.types(types, task_id))
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleDict)
            x = layer["norm1"](x + layer["out"](self._attend(layer["qkv"](x, task_id), attention_mask), task_id))
            grown = nn.functional.gelu(layer["up"](x, task_id))
            x = layer["norm2"](x + layer["down"](grown, task_id))
        return x

    def _attend(self, qkv: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n, t, _ = qkv.shape
        q, k, v = qkv.reshape(n, t, 3, self.heads, self.hidden // self.heads).permute(2, 0, 3, 1, 4)
        scores = self._rotate(q) @ self._rotate(k).transpose(-1, -2) / math.sqrt(self.hidden // self.heads)
        scores = scores.masked_fill(mask[:, None, None, :] == 0, -1e30)
        mixed: torch.Tensor = scores.softmax(dim=-1) @ v
        return mixed.transpose(1, 2).reshape(n, t, self.hidden)

    def _rotate(self, x: torch.Tensor) -> torch.Tensor:
        """Turn each pair (i, i + half) of a head by position / theta^(2i / width)."""
        half = x.shape[-1] // 2
        frequency: torch.Tensor = self.theta ** (-torch.arange(half, dtype=torch.float32) / half)
        angle = torch.arange(x.shape[-2], dtype=torch.float32)[:, None] * frequency
        first, second = x[..., :half], x[..., half:]
        cos, sin = angle.cos(), angle.sin()
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
