"""The encoders of a duet, made to learn."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from pgduet.encoding.int8_model import Int8Model
from pgduet.encoding.manifest import Part
from pgduet.encoding.pooling import pool
from pgduet.encoding.torch_model import TorchModel
from pgduet.training.tuning.batches import Column, Ids
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.lora import add_adapters, folded
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import device_for

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from pgduet.encoding import Duet
    from pgduet.encoding.half import Half

Vectors = dict[str, torch.Tensor]
_TOGETHER = 16


class Trainee(nn.Module):
    """The halves that a plan trains; their weights are those of the duet, which changes and moves with them.

    Weights that learn are in float32; beside adapters the encoder's own keep their number type. Dropout stays off: a
    text gets the vector that it will have when it is served, and a run repeats to the last bit.
    """

    def __init__(self, duet: "Duet", plan: Plan) -> None:
        """Take the halves over.

        Raises TuningError for a half whose weights cannot be trained here, or where the plan's device is not here.
        """
        super().__init__()
        self._plan = plan
        self.device = device_for(plan.device)
        self._pooling: dict[str, str] = {}
        self.encoders = nn.ModuleDict()
        for half in (duet.code, duet.text):
            if plan.part in (Part.BOTH, half.slot.slot):
                self.encoders[half.slot.slot] = _made_to_learn(_module_of(half), plan)
                self._pooling[half.slot.slot] = half.slot.pooling
            # A half that does not learn is scored with the other.
            for encoder in half.encoders.values():
                if isinstance(encoder.model, TorchModel):
                    encoder.model.module.to(self.device)  # type: ignore[arg-type]
        self.weights = {"code": duet.weights[0], "text": duet.weights[1]}

    def learning(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the names and weights that are trained."""
        return ((name, weights) for name, weights in self.named_parameters() if weights.requires_grad)

    def folded(self, slot: str) -> Mapping[str, torch.Tensor]:
        """Return the weights of a half that learns under its encoder's own names, with what adapters change."""
        encoder = self.encoders[slot]
        return folded(encoder) if self._plan.lora_rank else encoder.state_dict()

    def forward(self, column: Column) -> Vectors:
        """Return unit vectors [n, width] of the texts of a column, for each half that learns; not lifted."""
        return {slot: self._vectors(slot, column.halves[slot]) for slot in self.encoders}

    def _vectors(self, slot: str, read: Ids) -> torch.Tensor:
        # Texts of like length are read together: what pads the short ones is computed as well.
        order = read.mask.sum(dim=1).argsort(stable=True)
        pieces = Ids(read.ids[order], read.mask[order]).pieces(self._plan.chunk or _TOGETHER)
        return torch.cat([self._piece(slot, piece) for piece in pieces])[order.argsort()]

    def _piece(self, slot: str, piece: Ids) -> torch.Tensor:
        if not self._plan.chunk:
            return self._encoded(slot, piece)
        # Going back, a piece is read again instead of remembered: only its vectors are kept in between.
        vectors: torch.Tensor = checkpoint(self._encoded, slot, piece, use_reentrant=False, preserve_rng_state=False)
        return vectors

    def _encoded(self, slot: str, read: Ids) -> torch.Tensor:
        ids, mask = read.ids.to(self.device), read.mask.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._plan.bfloat16):
            states = self.encoders[slot](input_ids=ids, attention_mask=mask).last_hidden_state
        return nn.functional.normalize(pool(states, mask, self._pooling[slot]), dim=1)

    def fused(self, vectors: Vectors) -> torch.Tensor:
        """Join both halves as the duet does, but for the lift, which changes no cosine."""
        return torch.cat([vectors[slot] * self.weights[slot] ** 0.5 for slot in ("code", "text")], dim=1)


def _made_to_learn(encoder: "PreTrainedModel", plan: Plan) -> nn.Module:
    if plan.lora_rank:
        add_adapters(encoder, plan.lora_rank, plan.lora_alpha, plan.seed)
        return encoder
    encoder.float()  # type: ignore[no-untyped-call]
    encoder.get_input_embeddings().requires_grad_(plan.words)
    return encoder


def _module_of(half: "Half") -> "PreTrainedModel":
    model = next(iter(half.encoders.values())).model
    if isinstance(model, Int8Model) or (isinstance(model, TorchModel) and model.int8):
        raise TuningError(
            f"the {half.slot.slot} half ({half.slot.encoder}) cannot be trained: its weights are in eight bits",
            hint="tune the duet that it was made of, then shrink the result",
        )
    if half.slot.adapter or not isinstance(model, TorchModel):
        raise TuningError(
            f"the {half.slot.slot} half ({half.slot.encoder}) cannot be trained: "
            + ("it has other weights for each role" if half.slot.adapter else "it is an ONNX file"),
            hint="train the other half alone, with --part",
        )
    return model.module
