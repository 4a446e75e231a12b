"""Low-rank changes of an encoder (LoRA): two small matrices beside each of its linear layers, which learn alone."""

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear
from peft.tuners.tuners_utils import cast_adapter_dtype
from torch import nn

_ADAPTER = "default"
# What the library calls a layer that has an adapter, and the adapter's own parts.
_WRAPPED, _BESIDE = ".base_layer.", ".lora_"
# Of the two, the one that starts at random numbers; the other starts at zero.
_RANDOM = f".lora_A.{_ADAPTER}."


def add_adapters(encoder: nn.Module, rank: int, alpha: float, seed: int) -> None:
    """Put an adapter beside every linear layer; nothing else learns any more, and at first the states stay as they are.

    The change of a layer is alpha / rank times the product of two matrices, in float32 whatever the layer's own number
    type; an `alpha` of 0 stands for twice the rank.
    """
    scale = alpha or 2 * rank
    config = LoraConfig(r=rank, lora_alpha=scale, target_modules="all-linear", lora_dropout=0.0, bias="none")  # type: ignore[arg-type]
    # On the CPU and from the seed alone, so that every process and every device begins with the same numbers.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, encoder, _ADAPTER)
    # Small steps would be lost in the number type of the layers.
    cast_adapter_dtype(encoder, _ADAPTER)


def folded(encoder: nn.Module) -> dict[str, torch.Tensor]:
    """Return an encoder's weights under the names they have without adapters; those with a change added are float32.

    The encoder stays as it is.
    """
    weights = {
        name.replace(_WRAPPED, "."): values for name, values in encoder.state_dict().items() if _BESIDE not in name
    }
    with torch.no_grad():
        for name, layer in encoder.named_modules():
            if isinstance(layer, Linear):
                change = layer.get_delta_weight(_ADAPTER)
                weights[f"{name}.weight"] = weights[f"{name}.weight"].cpu().float() + change.cpu()
    return weights


def is_random(name: str) -> bool:
    """Tell whether a weight is the factor of a change that was not zero when training began."""
    return _RANDOM in name
