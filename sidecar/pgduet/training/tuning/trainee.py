"""The encoders of a duet, made to learn."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

from pgduet.encoding.manifest import Part
from pgduet.encoding.pooling import pool
from pgduet.encoding.torch_model import TorchModel
from pgduet.training.tuning.batches import Column
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.plan import Plan

if TYPE_CHECKING:
    from pgduet.encoding import Duet
    from pgduet.encoding.half import Half

Vectors = dict[str, torch.Tensor]


class Trainee(nn.Module):
    """The halves that a plan trains, in float32; their weights are those of the duet, which changes with them.

    Dropout stays off: a text gets the vector that it will have when it is served, and a run repeats to the last bit.
    """

    def __init__(self, duet: "Duet", plan: Plan) -> None:
        """Take the halves over.

        Raises TuningError for a half whose weights cannot be trained here.
        """
        super().__init__()
        self._plan = plan
        self._pooling: dict[str, str] = {}
        self.encoders = nn.ModuleDict()
        for half in (duet.code, duet.text):
            if plan.part in (Part.BOTH, half.slot.slot):
                self.encoders[half.slot.slot] = _module_of(half).float()
                self._pooling[half.slot.slot] = half.slot.pooling
        for module in self.encoders.values():
            module.get_input_embeddings().requires_grad_(plan.words)  # type: ignore[operator]
        self.weights = {"code": duet.weights[0], "text": duet.weights[1]}

    def learning(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the names and weights that are trained."""
        return ((name, weights) for name, weights in self.named_parameters() if weights.requires_grad)

    def forward(self, column: Column) -> Vectors:
        """Return unit vectors [n, width] of the texts of a column, for each half that learns; not lifted."""
        vectors = {}
        for slot, encoder in self.encoders.items():
            read = column.halves[slot]
            with torch.autocast("cpu", torch.bfloat16, enabled=self._plan.bfloat16):
                states = encoder(input_ids=read.ids, attention_mask=read.mask).last_hidden_state
            vectors[slot] = nn.functional.normalize(pool(states, read.mask, self._pooling[slot]), dim=1)
        return vectors

    def fused(self, vectors: Vectors) -> torch.Tensor:
        """Join both halves as the duet does, but for the lift, which changes no cosine."""
        return torch.cat([vectors[slot] * self.weights[slot] ** 0.5 for slot in ("code", "text")], dim=1)


def _module_of(half: "Half") -> nn.Module:
    model = next(iter(half.encoders.values())).model
    if half.slot.adapter or not isinstance(model, TorchModel):
        raise TuningError(
            f"the {half.slot.slot} half ({half.slot.encoder}) cannot be trained: "
            + ("it has other weights for each role" if half.slot.adapter else "it is an ONNX file"),
            hint="train the other half alone, with --part",
        )
    return model.module
