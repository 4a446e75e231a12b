"""Leaving out layers of an encoder: which stay, what they are called afterwards, what its config.json then says."""

import re
from collections.abc import Sequence
from typing import Any

from pgduet.encoding.errors import WeightsError

_LAYER = re.compile(r"((?:.*\.)?layers?\.)(\d+)(\..+)")
_COUNTS = ("num_hidden_layers", "n_layers")
# Its layers are of two kinds in a fixed order, and the first one is built unlike the others.
_FIXED = ("modernbert",)


def count_layers(config: dict[str, Any]) -> int:
    """Return how many layers an encoder has.

    Raises WeightsError where its config.json does not say, or its architecture works with all of its layers only.
    """
    count = next((config[key] for key in _COUNTS if isinstance(config.get(key), int)), 0)
    if not count or config["model_type"] in _FIXED:
        why = "its config.json does not say how many it has" if not count else "they depend on each other's order"
        raise WeightsError(f"no layers of this {config['model_type']} encoder can be left out: {why}")
    return count


def kept(count: int, wanted: int) -> list[int]:
    """Choose `wanted` of `count` layers, evenly spaced, the first and the last among them; one alone is the first.

    Raises WeightsError where there are fewer, or none is wanted.
    """
    if not 1 <= wanted <= count:
        raise WeightsError(f"{wanted} layers are wanted of an encoder that has {count}", hint=f"choose 1 to {count}")
    if wanted == 1:
        return [0]
    return [(2 * place * (count - 1) + wanted - 1) // (2 * (wanted - 1)) for place in range(wanted)]


def renamed(name: str, layers: Sequence[int]) -> str | None:
    """Return what a weight is called once only `layers` are there; None for a weight of another layer."""
    found = _LAYER.fullmatch(name)
    if not found:
        return name
    before, number, after = found.groups()
    return f"{before}{layers.index(int(number))}{after}" if int(number) in layers else None


def with_layers(config: dict[str, Any], layers: Sequence[int]) -> dict[str, Any]:
    """Return the config.json of an encoder that has only these of its layers."""
    changed = {key: len(layers) for key in _COUNTS if key in config}
    kinds = config.get("layer_types")
    return config | changed | ({"layer_types": [kinds[layer] for layer in layers]} if kinds else {})
