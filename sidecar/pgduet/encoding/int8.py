"""Weights in eight bits: each row of a matrix as whole numbers from -127 to 127, and what one of them stands for."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

SCALE = ".scale"
_MOST = 127
# Smaller matrices stay as they are: nothing is gained, and a few hundred numbers may hold much.
_LEAST_NUMBERS = 2**16
_SHARD = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")

Tensors = Mapping[str, torch.Tensor]


def quantised(name: str, weights: torch.Tensor, *, paired: bool = False) -> dict[str, torch.Tensor]:
    """Return what is stored for weights: a matrix [rows, columns] in eight bits with a scale [rows], all else as it is.

    Each row's largest number becomes 127, so that no row suffers from another one's; the error is half a step at most.
    `paired`: so does its largest sum of two neighbours, the first and second, the third and fourth and so on. Products
    of such a pair with two numbers up to 255 stay within 16 bits, in which CPUs of x86 without VNNI add them up.
    """
    if weights.ndim != 2 or weights.numel() < _LEAST_NUMBERS or not weights.is_floating_point():
        return {name: weights}
    rows = weights.float()
    most = rows.abs().amax(dim=1)
    if paired:
        even = nn.functional.pad(rows, (0, rows.shape[1] % 2))
        most = torch.maximum(most, (even[:, ::2] + even[:, 1::2]).abs().amax(dim=1))
    scale = most.clamp(min=torch.finfo(torch.float32).tiny * _MOST) / _MOST
    whole = (rows / scale[:, None]).round().clamp(-_MOST, _MOST)
    return {name: whole.to(torch.int8), name + SCALE: scale}


def restored(whole: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return the weights that eight bits stand for."""
    return (whole * scale.unsqueeze(-1)).to(dtype)


def read_int8(folder: Path, weights: str | None) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Read the weights in a folder, or in one file of it: those kept whole, and those in eight bits with their scales.

    The second is empty where no matrix was large enough.
    """
    files = [folder / weights] if weights else [path for path in folder.iterdir() if _SHARD.fullmatch(path.name)]
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        with safe_open(path, "pt") as file:
            tensors |= {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    small = {key for key in tensors if tensors[key].dtype is torch.int8}
    small |= {key + SCALE for key in small}
    return {k: v for k, v in tensors.items() if k not in small}, {k: v for k, v in tensors.items() if k in small}


class Int8Embedding(nn.Module):
    """Vectors of words that stay in eight bits in memory; only those of the words in a text are restored."""

    whole: torch.Tensor
    scale: torch.Tensor

    def __init__(self, whole: torch.Tensor, scale: torch.Tensor, dtype: torch.dtype) -> None:
        """Take a table [words, width] and its scales [words]; the vectors are given in `dtype`."""
        super().__init__()
        self.register_buffer("whole", whole)
        self.register_buffer("scale", scale)
        self._dtype = dtype

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the vectors [..., width] of words."""
        return restored(self.whole[ids], self.scale[ids], self._dtype)
