"""One encoder: a stock transformers class over local files, token ids in, unit vectors out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils import logging

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.fusion import unit_rows
from pgduet.encoding.hadamard import Floats

# Padded tokens in one forward pass. Eight texts of 128 are fastest on CPUs; larger batches leave the caches.
_TOKENS_PER_PASS = 1024
_UNUSED = "pooler."


class Encoder:
    """The weights of one half."""

    def __init__(self, folder: Path, width: int) -> None:
        """Load `folder` (config.json, model.safetensors) in float32; its states have to be `width` wide.

        Raises WeightsError for a weight that is missing, of another shape or not expected; only a pooler, which is not
        used, may be absent or superfluous. Code in the folder is never run.
        """
        self._model = _load(folder)
        self._width = int(self._model.config.hidden_size)
        if self._width != width:
            raise WeightsError(f"the encoder in {folder} is {self._width} wide, its manifest says {width}")

    def encode(self, sequences: Sequence[tuple[int, ...]]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return mean-pooled unit vectors [n, width] of token ids, and which are finite; the others are zeros.

        Sequences are sorted by length and cut into passes of about 1,024 padded tokens.
        """
        pooled = np.zeros((len(sequences), self._width), np.float32)
        with torch.inference_mode():
            for rows in _passes([len(ids) for ids in sequences]):
                pooled[rows] = self._pass([sequences[row] for row in rows]).numpy()
        return unit_rows(pooled)

    def _pass(self, sequences: list[tuple[int, ...]]) -> torch.Tensor:
        """Run one padded batch and average the states of its real tokens in float32."""
        longest = max(len(ids) for ids in sequences)
        ids = torch.zeros((len(sequences), longest), dtype=torch.long)
        mask = torch.zeros((len(sequences), longest), dtype=torch.long)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        # A masked state may be anything; multiplied by zero, NaN would stay.
        states = states.masked_fill(mask.unsqueeze(-1) == 0, 0.0)
        pooled: torch.Tensor = states.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return pooled


def _passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut texts into passes, shortest first, so that little is padded."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if rows and (len(rows) + 1) * lengths[row] > _TOKENS_PER_PASS:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _load(folder: Path) -> PreTrainedModel:
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # The report about keys that do not fit is judged here, and told as one error.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, info = AutoModel.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            attn_implementation="sdpa",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"cannot load the encoder in {folder}: {error}") from error
    _refuse_misfits(folder, info)
    if hasattr(model, "pooler"):
        model.pooler = None
    loaded: PreTrainedModel = model.eval()
    return loaded


def _refuse_misfits(folder: Path, info: dict[str, object]) -> None:
    for what in ("missing", "unexpected", "mismatched"):
        keys = sorted(str(key) for key in info[f"{what}_keys"] if not str(key).startswith(_UNUSED))  # type: ignore[attr-defined]
        if keys:
            raise WeightsError(
                f"the weights in {folder} do not fit their architecture: {len(keys)} {what}, such as {keys[0]}",
                hint="a checkpoint that only nearly fits would be filled up with random numbers; convert it first",
            )
