"""What both layouts of a jina-embeddings-v3 checkpoint are read into, ready to be folded."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_names import Shape
from pgduet.encoding.formats.safetensors_file import Floats
from pgduet.encoding.manifest import Role

# Rows `start` to `stop` of a tensor in float32; and the two factors, [rows, rank] and [rank, columns], of what an
# adapter adds to it. Both read from the disk when they are called.
Rows = Callable[[int, int], Floats]
Factors = Callable[[], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Adapter:
    """What one role adds: `scale` times the product of the factors, for each weight that it changes."""

    scale: float
    factors: Mapping[str, Factors]


@dataclass(frozen=True)
class Layout:
    """A checkpoint under the names of transformers' class: its config, the base tensors, and an adapter per role."""

    config: Mapping[str, Any]
    base: Mapping[str, Rows]
    adapters: Mapping[Role, Adapter]


class TensorFile:
    """A safetensors file of which parts are read in float32."""

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises WeightsError when it is missing or no safetensors file."""
        self.name = path.name
        try:
            self._file = _open(path)
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"cannot read the weights {path}: {error}") from error
        self.shapes: dict[str, Shape] = {
            name: tuple(self._file.get_slice(name).get_shape()) for name in sorted(self._file.keys())
        }

    def read(self, name: str, *at: slice | int) -> Floats:
        """Return the part of tensor `name` that lies `at`."""
        values: Floats = self._file.get_slice(name)[at if at else slice(None)].float().contiguous().numpy()
        return values

    def rows(self, name: str, offset: int = 0) -> Rows:
        """Return a reader of rows, counted from `offset`."""
        return lambda start, stop: self.read(name, slice(offset + start, offset + stop))

    def refuse_misfits(self, needed: Mapping[str, Shape], allowed: Mapping[str, Shape]) -> None:
        """Raise WeightsError unless all `needed` tensors are there and none but those and the `allowed`, in shape."""
        for name, shape in needed.items():
            if name not in self.shapes:
                raise WeightsError(f"{self.name} lacks the tensor {name} {list(shape)}", hint=_HINT)
        for name, shape in self.shapes.items():
            wanted = needed.get(name, allowed.get(name))
            if wanted is None:
                raise WeightsError(f"{self.name} has the tensor {name}, which is not known", hint=_HINT)
            if shape != wanted:
                raise WeightsError(f"{name} in {self.name} is {list(shape)}, not {list(wanted)}", hint=_HINT)


def _open(path: Path) -> Any:
    return safe_open(path, framework="pt")  # numpy has no bfloat16


_HINT = "a checkpoint that only nearly fits gives wrong vectors without an error; fetch the released files again"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises WeightsError when `path` is missing or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise WeightsError(f"{path} does not hold a JSON object")
    return value


def rank_and_scale(alpha: object, rank: object, origin: str) -> tuple[int, float]:
    """Return the rank, and alpha / rank. Raises WeightsError unless both are positive numbers and the rank is whole."""
    if type(rank) is not int or rank < 1 or not isinstance(alpha, int | float) or isinstance(alpha, bool):
        raise WeightsError(f"{origin} says rank {rank!r} and alpha {alpha!r}; both must be numbers, the rank whole")
    if not 0 < alpha < float("inf"):
        raise WeightsError(f"{origin} says alpha {alpha!r}, which must be positive")
    return rank, alpha / rank
