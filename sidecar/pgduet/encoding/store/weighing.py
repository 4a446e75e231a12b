"""How much memory a duet's weights will take, told by its files."""

import json
import struct
from math import prod
from pathlib import Path

from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST

_BYTES = {"float32": 4, "bfloat16": 2}
_SAFETENSORS = ".safetensors"


def weights_bytes(folder: Path) -> int:
    """Return the bytes that the weights of the duet in `folder` take once loaded, as its manifest's number type.

    An ONNX file counts as it is. Raises ManifestError for a manifest that cannot be used, OSError and ValueError for
    files that cannot be read.
    """
    manifest = read_manifest(folder / MANIFEST)
    total = 0
    for slot in manifest.slots:
        for name in slot.files:
            path = folder / slot.slot / name
            if path.suffix == _SAFETENSORS:
                total += _numbers(path) * _BYTES[manifest.dtype]
            elif path.suffix == ".onnx":
                total += path.stat().st_size
    return total


def _numbers(path: Path) -> int:
    """Count the numbers in a safetensors file by its header, which says the shape of each tensor."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
