"""Folding the adapters of jina-embeddings-v3 into its weights: one plain set of weights per role.

An adapter adds alpha / rank times a product of two thin matrices to a weight. Added up once, the weights load into
transformers' own class, which then gives the vectors that the authors' code gives for that task.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_layout import Adapter, Layout, Rows, TensorFile
from pgduet.encoding.formats.jina_names import Shape, native_shapes
from pgduet.encoding.formats.jina_native import ADAPTER_CONFIG, read_native
from pgduet.encoding.formats.jina_original import read_original
from pgduet.encoding.formats.safetensors_file import Floats, Planned, to_bytes, write_tensors
from pgduet.encoding.manifest import Role

_STORED = {"float32": "F32", "bfloat16": "BF16"}
_READ_AT_ONCE = 1 << 21  # values: 8 MiB of float32
_FOLD_AT_ONCE = 1 << 16  # 256 KiB, which stay in the caches: half the time that megabytes take


def convert(source: Path, target: Path, *, adapter: Mapping[Role, str], dtype: str) -> None:
    """Write document.safetensors, query.safetensors, config.json and the tokenizer's files into the folder `target`.

    `source` holds the original checkpoint, or the native one with its adapters in subfolders; `adapter` names the task
    of each role, `dtype` is float32 or bfloat16. The bytes are the same on every machine: float32 arithmetic, element
    by element in a fixed order, rounded once at the end. Needs about 100 MB of memory, and disk for the base weights
    twice. Raises WeightsError when the checkpoint is in both layouts or neither, and for any tensor that is
    missing, not known or of another shape.
    """
    if set(adapter) != set(Role):
        raise WeightsError("jina-embeddings-v3 needs an adapter for documents and one for queries")
    if not (source / "tokenizer.json").is_file():
        raise WeightsError(f"{source} has no tokenizer.json")
    layout = _read(source, adapter, dtype)
    for role, wanted in layout.adapters.items():
        _write_weights(layout, wanted, _STORED[dtype], target / f"{role}.safetensors")
    config = json.dumps(layout.config, separators=(",", ":")) + "\n"
    (target / "config.json").write_text(config, encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _read(source: Path, adapter: Mapping[Role, str], dtype: str) -> Layout:
    """Tell the layouts apart by what is in the folder: adapters beside the weights, or in folders of their own."""
    names = TensorFile(source / "model.safetensors").shapes
    original = any(".parametrizations." in name for name in names)
    native = any(source.glob(f"*/{ADAPTER_CONFIG}"))
    if original == native:
        what = "in two layouts at once" if original else "without adapters"
        raise WeightsError(
            f"{source} holds jina-embeddings-v3 {what}",
            hint="take the original repository, or the one for transformers with its adapter folders, whole and alone",
        )
    return (read_original if original else read_native)(source, adapter, dtype)


def _write_weights(layout: Layout, adapter: Adapter, stored: str, target: Path) -> None:
    def planned(name: str, shape: Shape) -> Planned:
        def chunks() -> Iterator[bytes]:
            return (to_bytes(values, stored) for values in _folded(layout.base[name], shape, adapter, name))

        return Planned(name, stored, shape, chunks)

    write_tensors(target, [planned(name, shape) for name, shape in native_shapes(layout.config).items()])


def _folded(base: Rows, shape: Shape, adapter: Adapter, name: str) -> Iterator[Floats]:
    """Yield the rows of a weight with its adapter added, a few at a time."""
    left, right = adapter.factors[name]() if name in adapter.factors else (None, None)
    many, few = (max(1, count // shape[-1]) for count in (_READ_AT_ONCE, _FOLD_AT_ONCE))
    for start in range(0, shape[0], many):
        read = base(start, min(start + many, shape[0]))
        for at in range(0, len(read), few):
            values = read[at : at + few]
            if left is not None and right is not None:
                values = values + np.float32(adapter.scale) * _product(left[start + at : start + at + few], right)
            yield values


def _product(left: Floats, right: Floats) -> Floats:
    """Multiply [rows, rank] by [rank, columns] as a sum of outer products: a BLAS adds in an order of its own."""
    total = left[:, :1] * right[:1]
    for k in range(1, left.shape[1]):
        total += left[:, k : k + 1] * right[k : k + 1]
    return total
