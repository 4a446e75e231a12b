"""Texts packed behind each other without padding, each attending to itself alone: for GPUs."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface

from pgduet.encoding.encoder import Encoder
from pgduet.encoding.torch_model import TorchModel

# Their code hands on what it does not know to the attention, and takes positions from outside.
PACKABLE = ("bert", "distilbert", "jina_embeddings_v3", "qwen2", "qwen3", "roberta", "xlm-roberta")
_NAME = "pgduet_packed"
# About what fills a large card; a lone query waits for one such pass at most.
TOKENS_PER_PASS = 8192


class PackedEncoder(Encoder):
    """A torch model with its pooling, fed with packed texts."""

    def __init__(self, model: TorchModel, pooling: str, tokens_per_pass: int = TOKENS_PER_PASS) -> None:
        """Change how the model attends; it must be one of PACKABLE."""
        super().__init__(model, pooling, tokens_per_pass)
        self._module = model.module
        self._pooling = pooling
        self._causal = bool(getattr(model.module.config, "is_causal", False))
        self._first = model.first_position
        self._module.set_attn_implementation(_NAME)

    def states(self, sequence: tuple[int, ...]) -> Any:
        """Return the states [t, width] of one text's tokens, before pooling."""
        with torch.inference_mode():
            return self._packed([sequence], [0, len(sequence)]).float().cpu().numpy()

    def _pass(self, sequences: list[tuple[int, ...]]) -> torch.Tensor:
        bounds = [0, *accumulate(len(ids) for ids in sequences)]
        states = self._packed(sequences, bounds)
        if self._pooling == "mean":
            # Summed in float32, text by text: the sum must not depend on what else is in the pass.
            pooled = torch.stack([states[start:end].float().mean(dim=0) for start, end in pairwise(bounds)])
        else:
            at = [end - 1 for end in bounds[1:]] if self._pooling == "last" else bounds[:-1]
            pooled = states[at].float()
        return pooled.cpu()

    def _packed(self, sequences: Sequence[tuple[int, ...]], bounds: list[int]) -> torch.Tensor:
        place = self._module.device
        ids = torch.tensor([token for sequence in sequences for token in sequence])
        positions = torch.cat([torch.arange(len(ids)) for ids in sequences]) + self._first
        edges = torch.tensor(bounds, dtype=torch.int32)
        longest = max(len(ids) for ids in sequences)
        states: torch.Tensor = self._module(
            input_ids=ids[None].to(place),
            position_ids=positions[None].to(place),
            cu_seq_lens_q=edges.to(place),
            cu_seq_lens_k=edges.to(place),
            max_length_q=longest,
            max_length_k=longest,
            packed_bounds=bounds,
            packed_causal=self._causal,
        ).last_hidden_state[0]
        return states


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    *,
    packed_bounds: list[int],
    packed_causal: bool,
    cu_seq_lens_q: torch.Tensor,
    max_length_q: int,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each text; query [1, heads, t, size], the result [1, t, heads, size]."""
    grouped = query.shape[1] != key.shape[1]
    if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16):
        from torch.nn.attention.varlen import varlen_attn

        q, k, v = (each[0].transpose(0, 1) for each in (query, key, value))
        found = varlen_attn(
            q,
            k,
            v,
            cu_seq_lens_q,
            cu_seq_lens_q,
            max_length_q,
            max_length_q,
            scale=scaling,
            window_size=(-1, 0) if packed_causal else (-1, -1),
            enable_gqa=grouped,
            # Split, the sums of a text would depend on the longest one beside it.
            num_splits=1,
        )
        assert isinstance(found, torch.Tensor)
        return found[None], None
    # Its kernel knows no other device and no float32.
    parts = [
        functional.scaled_dot_product_attention(
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            scale=scaling,
            is_causal=packed_causal,
            enable_gqa=grouped,
        )
        for start, end in pairwise(packed_bounds)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2), None


AttentionInterface.register(_NAME, _attend)
# Texts are told apart by their bounds, not by a mask of all pairs.
AttentionMaskInterface.register(_NAME, lambda *_, **__: None)
