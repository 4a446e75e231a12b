"""The original layout of jina-embeddings-v3: one file, where each weight lies beside its adapters for all tasks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_layout import Adapter, Factors, Layout, Rows, TensorFile, rank_and_scale, read_json
from pgduet.encoding.formats.jina_names import Module, Shape, modules, native_config, original_shapes, pooler
from pgduet.encoding.manifest import Role


def expected_shapes(config: Mapping[str, Any]) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Map the tensors of an original checkpoint with this config.json to their shapes: the needed, and the pooler's.

    Raises WeightsError when the config does not name its tasks, or their rank is odd.
    """
    native, tasks = native_config(config, "float32"), len(_tasks(config))
    rank, _ = _rank_and_scale(config)
    needed: dict[str, Shape] = {}
    for module in modules(native):
        needed |= original_shapes(module, tasks, rank)
    return needed, original_shapes(pooler(native), tasks, rank)


def read_original(source: Path, adapter: Mapping[Role, str], dtype: str) -> Layout:
    """Read the folder `source`; nothing but the header of its weights is loaded.

    Raises WeightsError for a tensor that is missing, not known or of another shape, and for a task that the config
    does not list.
    """
    config = read_json(source / "config.json")
    if config.get("model_type") != "xlm-roberta":
        raise WeightsError(
            f"{source} is a {config.get('model_type')!r} checkpoint, not the original jina-embeddings-v3"
        )
    file = TensorFile(source / "model.safetensors")
    file.refuse_misfits(*expected_shapes(config))
    native = native_config(config, dtype)
    _, scale = _rank_and_scale(config)
    base = {name: rows for module in modules(native) for name, rows in _base(file, module).items()}
    adapters = {}
    for role, name in adapter.items():
        task = _task(config, name)
        factors = {key: value for module in modules(native) for key, value in _factors(file, module, task).items()}
        adapters[role] = Adapter(scale, factors)
    return Layout(native, base, adapters)


def _rank_and_scale(config: Mapping[str, Any]) -> tuple[int, float]:
    return rank_and_scale(config.get("lora_alpha"), config.get("lora_rank"), "the config.json")


def _tasks(config: Mapping[str, Any]) -> list[str]:
    tasks = config.get("lora_adaptations")
    if not isinstance(tasks, list) or not tasks or len(set(map(str, tasks))) != len(tasks):
        raise WeightsError(f"the config.json says lora_adaptations = {tasks!r}, which is no list of different names")
    return tasks


def _task(config: Mapping[str, Any], name: str) -> int:
    """Return where the adapters of the task `name` lie along the first axis."""
    tasks = _tasks(config)
    if name not in tasks:
        raise WeightsError(f"there is no adapter {name!r}", hint=f"the config.json lists: {', '.join(map(str, tasks))}")
    return tasks.index(name)


def _weight(module: Module) -> str:
    name = f"roberta.{module.original}"
    return f"{name}.weight" if module.kind == "norm" else f"{name}.parametrizations.weight.original"


def _base(file: TensorFile, module: Module) -> dict[str, Rows]:
    base: dict[str, Rows] = {}
    for part, name in enumerate(module.natives):
        base[f"{name}.weight"] = file.rows(_weight(module), part * module.rows)
        if module.has_bias:
            base[f"{name}.bias"] = file.rows(f"roberta.{module.original}.bias", part * module.rows)
    return base


def _factors(file: TensorFile, module: Module, task: int) -> dict[str, Factors]:
    if module.kind == "norm":
        return {}
    weight = f"roberta.{module.original}.parametrizations.weight.0"
    sides = ("lora_B", "lora_A") if module.kind == "linear" else ("lora_A", "lora_B")
    left, right = (f"{weight}.{side}" for side in sides)

    def factors(part: int) -> Factors:
        mine = slice(part * module.rows, (part + 1) * module.rows)
        return lambda: (file.read(left, task, mine), file.read(right, task))

    return {f"{name}.weight": factors(part) for part, name in enumerate(module.natives)}
