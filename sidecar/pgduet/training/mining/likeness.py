"""What tells that two chunks are copies of each other: equal, renamed, or nearly equal."""

import hashlib
import re
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgduet.training.mining.comments import without_comments

# Chunks that share so much of their runs of five tokens are near-copies.
NEAR = 0.8
# Of so many hashes; an estimate from them is within 0.1 of the truth in all but one case of 400.
HASHES = 128
_ESTIMATE = NEAR - 0.1
_RUN = 5
# With fewer tokens, or fewer signs between the names, texts are alike by chance once their names are taken away.
_LEAST_RENAMED, _LEAST_SIGNS = 30, 0.25

# Stands for a name that is known to differ between copies; no source text has it as a word.
_REPLACED = "§"

_TOKEN = re.compile(r"\w+|[^\w\s]")
_draw = np.random.default_rng(2560)
_FACTORS = _draw.integers(1, 1 << 62, HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS = _draw.integers(0, 1 << 63, HASHES, dtype=np.uint64)
_RUN_FACTORS = _draw.integers(1, 1 << 62, _RUN, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

Signature = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Hashes of a chunk without white space, comments, its file's name and its own.

    `plain` is equal for copies, `renamed` for copies in which names were replaced (None for short texts), and
    `signature` [HASHES] agrees in about the share of runs of tokens that two chunks have in common (MinHash).
    """

    plain: int
    renamed: int | None
    signature: Signature


def likeness(content: str, language: str | None, path: str | None, symbol: str | None) -> Likeness | None:
    """Return the hashes of a chunk; None where nothing but comments is in it."""
    words = tokens(content, language, path, symbol)
    if not words:
        return None
    names: dict[str, int] = {}
    named = [word == _REPLACED or word.isidentifier() for word in words]
    renamed = [
        str(names.setdefault(word, len(names))) if name else word for word, name in zip(words, named, strict=True)
    ]
    enough = len(words) >= _LEAST_RENAMED and named.count(False) >= _LEAST_SIGNS * len(words)
    hashes = runs(words)[:, None] * _FACTORS + _SHIFTS
    return Likeness(
        _hash(words),
        _hash(renamed) if enough else None,
        (hashes >> np.uint64(32)).min(axis=0).astype(np.uint32),
    )


def tokens(content: str, language: str | None, path: str | None, symbol: str | None) -> list[str]:
    """List the words and signs of a chunk without comments, with its file's name and its own replaced."""
    text = without_comments(content, language)
    for name in _names(path):
        text = text.replace(name, f" {_REPLACED} ")
    own = symbol.rsplit(".", 1)[-1] if symbol else ""
    return [_REPLACED if word == own else word for word in _TOKEN.findall(text)]


def runs(words: list[str]) -> npt.NDArray[np.uint64]:
    """Return the distinct hashes of the runs of five tokens; one of them all where there are fewer."""
    each = np.array([zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words], np.uint64)
    each = np.pad(each, (0, max(0, _RUN - len(each))))
    windows = np.lib.stride_tricks.sliding_window_view(each, _RUN)
    mixed = (windows * _RUN_FACTORS).sum(axis=1, dtype=np.uint64)
    return np.unique(mixed ^ (mixed >> np.uint64(29)))


def are_near(first: Signature, second: Signature) -> bool:
    """Tell whether two chunks are near-copies, as far as their signatures say."""
    return float((first == second).mean()) >= _ESTIMATE


def text_hash(text: str) -> int:
    """Hash a text without regard to case and white space."""
    return _hash(text.casefold().split())


def _names(path: str | None) -> list[str]:
    name = path.replace("\\", "/").rsplit("/", 1)[-1] if path else ""
    return [path, name] if path and "." in name else []


def _hash(words: list[str]) -> int:
    digest = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
