"""How much memory a duet's weights will take, told by its files."""

import json
import struct
from math import prod
from pathlib import Path

from pgduet.encoding.architecture import VALUES, WORDS, computes_int8, read_architecture
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST

_BYTES = {"float32": 4, "bfloat16": 2}
_SAFETENSORS = ".safetensors"


def weights_bytes(folder: Path) -> int:
    """Return the bytes that the weights of the duet in `folder` take once loaded, as its manifest's number type.

    OpenVINO keeps them in float32 too, whatever it computes in (measured: 1.4 GB for `small` in either type). An ONNX
    file counts as it is. Raises ManifestError for a manifest that cannot be used, WeightsError for a
    config.json that cannot, OSError and ValueError for files that cannot be read.
    """
    # Here: it brings torch along, which who only asks what is in the store need not have.
    from pgduet.encoding.engines import takes_openvino, wished_runtime

    manifest, runtime = read_manifest(folder / MANIFEST), wished_runtime()
    total = 0
    for slot in manifest.slots:
        in_float32 = takes_openvino(slot, folder / slot.slot, manifest.dtype, runtime)
        size = _BYTES["float32" if in_float32 else manifest.dtype]
        for name in slot.files:
            path = folder / slot.slot / name
            if path.suffix == _SAFETENSORS:
                in_eight_bits = computes_int8(read_architecture(path.parent))
                total += _bytes(path, size, in_eight_bits=in_eight_bits)
            elif path.suffix == ".onnx":
                total += path.stat().st_size
    return total


def _bytes(path: Path, size: int, *, in_eight_bits: bool) -> int:
    """Weigh the numbers in a safetensors file by its header, which says the shape of each tensor; one takes `size`.

    `in_eight_bits`: those that are stored so stay so, but for the values of attention; and layers are there twice, for
    one text on all threads and for one on each.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return sum(
        prod(tensor["shape"])
        * (1 if in_eight_bits and tensor["dtype"] == "I8" and VALUES not in name else size)
        * (2 if in_eight_bits and WORDS not in name else 1)
        for name, tensor in header.items()
    )
