"""A stock transformers class over local files: token ids in, states of the tokens out."""

from pathlib import Path
from typing import Any

import torch
from transformers import MODEL_MAPPING, AutoConfig, PretrainedConfig, PreTrainedModel
from transformers.utils import logging

from pgduet.encoding.architecture import COUNTED_FROM_PADDING, is_int8, read_architecture, resolve_attention
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.int8 import SCALE, Int8Embedding, Tensors, read_int8, restored

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Stock classes that know no other way to attend.
_EAGER = ("mpnet",)
_UNUSED = "pooler."


class TorchModel:
    """The weights of one encoder, for one role."""

    engine = "torch"

    def __init__(
        self,
        folder: Path,
        *,
        attention: str = "auto",
        dtype: str = "float32",
        weights: str | None = None,
        device: torch.device | None = None,
    ) -> None:
        """Load `folder` (config.json and model.safetensors or its shards, or the file `weights`) onto a device.

        Raises WeightsError for an architecture that is not known here or cannot be run so, and for a weight that is
        missing, of another shape or not expected; only a pooler, which is not used, may be absent or superfluous. Code
        in the folder is never run.
        """
        resolved = resolve_attention(folder, attention)
        config = _config(folder)
        if resolved != "auto":
            # On the config and before the model is built: every mask is made from it, also where a batch has none.
            config.is_causal = resolved == "causal"
            # Keys and values are for generating text: kept, they take a gigabyte for one long text.
            config.use_cache = False
        self.int8 = is_int8(read_architecture(folder))
        load = _load_int8 if self.int8 else _load
        self.module = load(folder, config, _DTYPES[dtype], weights)
        if device:
            self.module.to(device)  # type: ignore[arg-type]
        self.width = int(config.hidden_size)
        self._padding = int(config.pad_token_id or 0)

    @property
    def first_position(self) -> int:
        """Number of the first token's position: some architectures count from behind the id of the padding."""
        counted = self.module.config.model_type in COUNTED_FROM_PADDING
        return self._padding + 1 if counted else 0

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states [n, t, width] of token ids [n, t], on the model's device.

        What stands where `mask` [n, t] is 0 means nothing.
        """
        padded = ids.masked_fill(mask == 0, self._padding)
        # Training may have moved the weights to another device.
        place = self.module.device
        states: torch.Tensor = self.module(input_ids=padded.to(place), attention_mask=mask.to(place)).last_hidden_state
        return states


def _config(folder: Path) -> PretrainedConfig:
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read the config.json in {folder}: {error}") from error
    return config


def _load(folder: Path, config: PretrainedConfig, dtype: torch.dtype, weights: str | None) -> PreTrainedModel:
    if weights:
        config.transformers_weights = weights
    return _built(folder, config, dtype, folder)


def _load_int8(folder: Path, config: PretrainedConfig, dtype: torch.dtype, weights: str | None) -> PreTrainedModel:
    """Load weights in eight bits: restored, but for the vectors of words, which are most of a small encoder."""
    # Restored here; the library would look for software of this method.
    del config.quantization_config
    tensors, small = read_int8(folder, weights)
    for name in [name for name in small if not name.endswith(SCALE)]:
        tensors[name] = restored(small[name], small[name + SCALE], dtype)
    model = _built(folder, config, dtype, None, state_dict=tensors)
    _keep_words_small(model, small, dtype)
    return model


def _keep_words_small(model: PreTrainedModel, small: Tensors, dtype: torch.dtype) -> None:
    words = model.get_input_embeddings()
    place = next(name for name, module in model.named_modules() if module is words)
    # Files may put the name of the model before the names of its weights.
    name = next((name for name in small if f".{name}".endswith(f".{place}.weight")), None)
    if name:
        model.set_submodule(place, Int8Embedding(small[name], small[name + SCALE], dtype))


def _built(
    folder: Path, config: PretrainedConfig, dtype: torch.dtype, source: Path | None, **weights: Tensors
) -> PreTrainedModel:
    stock: Any = MODEL_MAPPING[type(config)]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # The report about keys that do not fit is judged here, and told as one error.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model, info = stock.from_pretrained(
            source,
            config=config,
            dtype=dtype,
            attn_implementation="eager" if config.model_type in _EAGER else "sdpa",
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **weights,
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
