"""The native layout of jina-embeddings-v3: a base model for transformers' class, and a folder per adapter.

Key names and the meaning of the adapter config: peft 0.21 (`utils/save_and_load.py`, `tuners/lora`).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_layout import Adapter, Factors, Layout, Rows, TensorFile, rank_and_scale, read_json
from pgduet.encoding.formats.jina_names import UNUSED, Module, Shape, modules, native_config, pooler
from pgduet.encoding.manifest import Role

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
# `lora_A.weight`, `lora_A.default.weight`, `lora_embedding_A`, `lora_embedding_A.default`, behind the module's name.
_KEY = re.compile(r"(?:base_model\.model\.)?(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?(2)|\.weight)")
# What peft can do to a weight beside adding alpha / rank * B @ A, and the values that leave it at that.
_PLAIN: dict[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "bias": ("none", None),
    **dict.fromkeys(("rank_pattern", "alpha_pattern"), ({}, None)),
    **dict.fromkeys(("fan_in_fan_out", "lora_bias", "use_dora", "use_qalora", "use_rslora"), (False, None)),
    **dict.fromkeys(("modules_to_save", "target_parameters", "trainable_token_indices"), (None, [], {})),
    **dict.fromkeys(("alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication"), (None,)),
    **dict.fromkeys(("monteclora_config", "use_bdlora", "velora_config"), (None,)),
}


def adapter_folder(name: str) -> str:
    """Return the subfolder of the adapter that the original calls `name`: `retrieval.query` is in `retrieval_query`."""
    return re.sub(r"[.-]", "_", name)


def read_native(source: Path, adapter: Mapping[Role, str], dtype: str) -> Layout:
    """Read the folder `source`; nothing but the headers of its weights is loaded.

    Raises WeightsError for a tensor that is missing, not known or of another shape, for an adapter that has no folder,
    and for one that is more than plain LoRA.
    """
    config = read_json(source / "config.json")
    if config.get("model_type") != "jina_embeddings_v3":
        raise WeightsError(
            f"{source} is a {config.get('model_type')!r} checkpoint, not jina-embeddings-v3 for transformers"
        )
    native = native_config(config, dtype)
    base = _read_base(TensorFile(source / "model.safetensors"), native)
    return Layout(native, base, {role: _read_adapter(source, name, native) for role, name in adapter.items()})


def _read_base(file: TensorFile, config: Mapping[str, Any]) -> dict[str, Rows]:
    """Find the base tensors, under the names of the class or, fused, under the original ones that it also saves."""
    found = {name.removeprefix("roberta."): name for name in file.shapes}
    needed: dict[str, Shape] = {}
    base: dict[str, Rows] = {}
    for module in modules(config):
        for kind, shape in (("weight", module.shape), ("bias", module.shape[:1])):
            if kind == "bias" and not module.has_bias:
                continue
            fused = found.get(f"{module.original}.{kind}")
            for part, native in enumerate(module.natives):
                name = fused or found.get(f"{native}.{kind}", f"{native}.{kind}")
                needed[name] = shape if fused else (module.rows, *shape[1:])
                base[f"{native}.{kind}"] = file.rows(name, part * module.rows if fused else 0)
    unused = {name: file.shapes[name] for short, name in found.items() if short.startswith(UNUSED)}
    file.refuse_misfits(needed, unused)
    return base


def _read_adapter(source: Path, name: str, config: Mapping[str, Any]) -> Adapter:
    folder = source / adapter_folder(name)
    if not (folder / ADAPTER_CONFIG).is_file():
        there = ", ".join(sorted(path.parent.name for path in source.glob(f"*/{ADAPTER_CONFIG}")))
        raise WeightsError(
            f"there is no adapter {name!r}: no {folder.name}/{ADAPTER_CONFIG}", hint=f"there are: {there}"
        )
    settings = read_json(folder / ADAPTER_CONFIG)
    origin = f"{folder.name}/{ADAPTER_CONFIG}"
    for key, plain in _PLAIN.items():
        if settings.get(key) not in plain:
            raise WeightsError(f"{origin} says {key} = {settings.get(key)!r}; only plain LoRA can be folded")
    rank, scale = rank_and_scale(settings.get("lora_alpha"), settings.get("r"), origin)
    return Adapter(scale, _read_factors(TensorFile(folder / ADAPTER_WEIGHTS), config, rank))


def _read_factors(file: TensorFile, config: Mapping[str, Any], rank: int) -> dict[str, Factors]:
    """Find the adapter of every linear and embedding module; one of a fused module may be as the original has it."""
    found = {_plain_key(name): name for name in file.shapes}
    needed: dict[str, Shape] = {}
    factors: dict[str, Factors] = {}
    for module in modules(config):
        if module.kind == "norm":
            continue
        fused = f"{module.original} A" in found
        for part, native in enumerate(module.natives):
            name = module.original if fused else native
            a, b = (found.get(f"{name} {side}", f"{name} lora {side}") for side in "AB")
            rows = module.shape[0] if fused else module.rows
            needed |= {a: _a_shape(module, rank), b: (rows if module.kind == "linear" else module.shape[1], rank)}
            mine = slice(part * module.rows, (part + 1) * module.rows) if fused else slice(None)
            factors[f"{native}.weight"] = _factors(file, module, (a, b), mine)
    pooled = {found[key]: _pooler_shape(config, key[-1], rank) for key in found if key.startswith(UNUSED)}
    file.refuse_misfits(needed, pooled)
    return factors


def _plain_key(name: str) -> str:
    """Return the module and the side of an adapter's tensor, such as `layers.0.mlp.fc1 A`; other names as they are."""
    parts = _KEY.fullmatch(name)
    return f"{parts[1].removeprefix('roberta.')} {parts[3]}" if parts else name


def _a_shape(module: Module, rank: int) -> Shape:
    return (rank, module.shape[1]) if module.kind == "linear" else (rank, module.shape[0])


def _pooler_shape(config: Mapping[str, Any], side: str, rank: int) -> Shape:
    rows, columns = pooler(config).shape
    return (rank, columns) if side == "A" else (rows, rank)


def _factors(file: TensorFile, module: Module, names: tuple[str, str], mine: slice) -> Factors:
    """Return readers of B and A; the adapter of an embedding is the transpose of B @ A, so A and B transposed."""
    a, b = names
    if module.kind == "linear":
        return lambda: (file.read(b, mine), file.read(a))
    return lambda: (np.ascontiguousarray(file.read(a).T), np.ascontiguousarray(file.read(b).T))
