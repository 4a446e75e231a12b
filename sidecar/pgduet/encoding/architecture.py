"""What an encoder's config.json says about how it may be run; needs no model library."""

import json
from pathlib import Path
from typing import Any

from pgduet.encoding.errors import WeightsError

# Architectures whose tokens may look back only, or both ways; the flag `is_causal` of their config decides.
DECODERS = ("qwen2", "qwen3")
ENCODERS = ("bert", "distilbert", "jina_embeddings_v3", "modernbert", "mpnet", "roberta", "xlm-roberta")
# These count their positions from behind the id of the padding.
COUNTED_FROM_PADDING = ("mpnet", "roberta", "xlm-roberta")

# Says in a config.json that weights are in eight bits as this package stores them.
INT8 = "pgduet-int8"
# In the names of weights that give the values which attention sums up: in float32 where the others are in eight bits.
VALUES = ".value."
# In the names of weights that stand before the layers.
WORDS = "embeddings."


def read_architecture(folder: Path) -> dict[str, Any]:
    """Read the config.json in `folder`.

    Raises WeightsError where it cannot be read, is of an architecture that is not known here, or says that the weights
    are quantised.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read the config.json in {folder}: {error}") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in (*DECODERS, *ENCODERS):
        raise WeightsError(
            f"the encoder in {folder} is of the architecture {kind!r}, which is not supported",
            hint="supported: " + ", ".join((*ENCODERS, *DECODERS)),
        )
    if config.get("quantization_config") and not is_int8(config):
        raise WeightsError(
            f"the weights in {folder} are quantised, which is not supported",
            hint="take the repository with the original weights",
        )
    checked: dict[str, Any] = config
    return checked


def resolve_attention(folder: Path, wished: str) -> str:
    """Tell how the encoder in `folder` is to be run: `causal` or `bidirectional`, or `auto` where there is no choice.

    With `auto` a decoder's own flag `is_causal` decides; a decoder without it is causal. Raises WeightsError where the
    architecture is not known here or cannot be run as wished.
    """
    config = read_architecture(folder)
    kind = config["model_type"]
    if kind in DECODERS:
        if wished != "auto":
            return wished
        return "bidirectional" if config.get("is_causal") is False else "causal"
    if wished == "causal":
        raise WeightsError(
            f"the encoder in {folder} ({kind}) always attends both ways; it cannot be run causally",
            hint="leave `attention` out of its manifest",
        )
    return "auto"


def most_tokens(config: dict[str, Any]) -> int | None:
    """Return how many tokens an encoder has positions for; None where its config does not say."""
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    if config["model_type"] in COUNTED_FROM_PADDING:
        return positions - int(config.get("pad_token_id") or 0) - 1
    return positions


def is_int8(config: dict[str, Any]) -> bool:
    """Tell whether a config.json says that the weights beside it are in eight bits, as this package stores them."""
    said = config.get("quantization_config")
    return isinstance(said, dict) and said.get("quant_method") == INT8


def computes_int8(config: dict[str, Any]) -> bool:
    """Tell whether a config.json says that states are put into eight bits too, so that products are of such."""
    return is_int8(config) and config["quantization_config"].get("activations") == "int8"


def multiplies_whole(name: str) -> bool:
    """Tell whether weights of this name are multiplied in eight bits then: not words, nor the values of attention."""
    return not (WORDS in name or VALUES in name)
