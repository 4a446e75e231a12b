"""Writing safetensors by hand, so that the bytes of a converted encoder depend on no library's version."""

import json
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_BYTES = {"F32": 4, "BF16": 2}


class Planned(NamedTuple):
    """A tensor to be written: `chunks` yields its values in order, a part at a time, when its turn comes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: Callable[[], Iterable[bytes]]


def write_tensors(path: Path, tensors: Iterable[Planned]) -> None:
    """Write `tensors` (dtype `F32` or `BF16`) to `path`, in the order of their names.

    Memory is what one chunk takes. Raises ValueError when the chunks of a tensor are not as long as its shape says.
    """
    named = sorted(tensors, key=lambda tensor: tensor.name)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in named:
        end = at + _size(tensor)
        header[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [at, end]}
        at = end
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for tensor in named:
            written = sum(file.write(chunk) for chunk in tensor.chunks())
            if written != _size(tensor):
                raise ValueError(f"{tensor.name} has {written} bytes, its shape takes {_size(tensor)}")


def _size(tensor: Planned) -> int:
    count = 1
    for length in tensor.shape:
        count *= length
    return count * _BYTES[tensor.dtype]


def to_bytes(values: Floats, dtype: str) -> bytes:
    """Return finite `values` as little-endian `F32`, or rounded to the nearest `BF16`, ties to even."""
    if dtype == "F32":
        return values.astype("<f4", copy=False).tobytes()
    # The upper half of a float32 is its bfloat16 cut off; adding half a step first, less one bit where the kept part
    # is even, makes it the nearest. A carry runs into the exponent, as it should.
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)).astype("<u2").tobytes()
