"""What the arithmetic alone takes: matrix products of the encoders' own shapes, and nothing else."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

_TOKENS = 1024
_REPEATS = 15


class Ceiling:
    """The products of one encoder's linear layers and of its attention, on numbers that are at hand."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._layers, width, inner = config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"]
        self._heads, self._head = config["num_attention_heads"], width // config["num_attention_heads"]
        self._dtype = dtype
        self._states, self._inner = torch.randn(_TOKENS, width).to(dtype), torch.randn(_TOKENS, inner).to(dtype)
        self._square, self._up = torch.randn(width, width).to(dtype), torch.randn(width, inner).to(dtype)
        self._down = torch.randn(inner, width).to(dtype)

    def seconds(self, lengths: Sequence[int], repeats: int = _REPEATS) -> float:
        """Return what texts of these lengths in tokens would take: one layer is measured, on 1,024 tokens of them.

        It is measured so often, and the median taken. The attention of a text is measured as a batch of texts of the
        mean length.
        """
        mean = max(1, sum(lengths) // len(lengths))
        texts = max(1, _TOKENS // mean)
        heads = torch.randn(texts * self._heads, mean, self._head).to(self._dtype)
        taken = median(self._layer(heads) for _ in range(repeats))
        return float(taken * self._layers * sum(lengths) / _TOKENS)

    def _layer(self, heads: torch.Tensor) -> float:
        started = time.perf_counter()
        for _ in range(4):
            self._states @ self._square
        self._states @ self._up
        self._inner @ self._down
        (heads @ heads.transpose(1, 2)) @ heads
        return time.perf_counter() - started
