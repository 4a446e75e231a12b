"""One encoder: token ids in, unit vectors out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from pgduet.encoding.fusion import unit_rows
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.pooling import pool

# Padded tokens in one forward pass. Eight texts of 128 are fastest on CPUs; larger batches leave the caches.
_TOKENS_PER_PASS = 1024


class Model(Protocol):
    """What gives the states [n, t, width] of token ids [n, t], read where the mask [n, t] is 1."""

    width: int
    # What runs it: torch, openvino or onnxruntime.
    engine: str

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states."""
        ...


class Encoder:
    """A model with its pooling."""

    def __init__(self, model: Model, pooling: str = "mean", tokens_per_pass: int = _TOKENS_PER_PASS) -> None:
        self.model = model
        self._pooling = pooling
        self._tokens_per_pass = tokens_per_pass

    def encode(
        self, sequences: Sequence[tuple[int, ...]], before_pass: Callable[[], None] = lambda: None
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return pooled unit vectors [n, width] of token ids, and which are finite; the others are zeros.

        A text without a token counts as not finite. Sequences are sorted by length and cut into passes of about
        `tokens_per_pass` padded tokens; `before_pass` is called before each, and may use this encoder itself.
        """
        pooled = np.zeros((len(sequences), self.model.width), np.float32)
        with torch.inference_mode():
            for rows in _passes([len(ids) for ids in sequences], self._tokens_per_pass):
                before_pass()
                pooled[rows] = self._pass([sequences[row] for row in rows]).numpy()
        return unit_rows(pooled)

    def states(self, sequence: tuple[int, ...]) -> Floats:
        """Return the states [t, width] of one text's tokens, before pooling."""
        with torch.inference_mode():
            ids = torch.tensor([sequence])
            states: Floats = self.model(ids, torch.ones_like(ids))[0].float().cpu().numpy()
        return states

    def _pass(self, sequences: list[tuple[int, ...]]) -> torch.Tensor:
        """Run one batch, padded on the right."""
        longest = max(len(ids) for ids in sequences)
        ids = torch.zeros((len(sequences), longest), dtype=torch.long)
        mask = torch.zeros((len(sequences), longest), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        states = self.model(ids, mask)
        # Only the pooled vectors leave a GPU.
        return pool(states, mask.to(states.device), self._pooling).cpu()


def _passes(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Cut texts into passes, shortest first, so that little is padded."""
    rows: list[int] = []
    for row in sorted((row for row, length in enumerate(lengths) if length), key=lambda row: lengths[row]):
        if rows and (len(rows) + 1) * lengths[row] > most:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
