"""The texts that everybody embeds: beginnings of chunks of installed packages, always the same ones."""

import random
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from pgduet.chunking import chunk_code

Halves = Sequence[Sequence[Sequence[float]]]
# As the manifest of `small` has them for documents.
PREFIXES = {"code": "", "text": "passage: "}
# About 128 tokens: what the peers' own figures are given for, and under every encoder's limit.
_CHARACTERS = 480
PACKAGES = ("networkx", "sqlalchemy", "joblib", "transformers/generation", "torch/nn")


def read_texts(count: int) -> list[str]:
    """Return `count` distinct texts in a fixed shuffled order; fewer where the packages have fewer."""
    root = Path(sysconfig.get_paths()["purelib"])
    found: dict[str, None] = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for chunk in chunk_code(path.read_text(encoding="utf-8", errors="replace"), "python", path.name):
                found[_beginning(chunk.content)] = None
    texts = [text for text in found if len(text) >= 40]
    random.Random(8).shuffle(texts)
    return texts[:count]


def _beginning(content: str) -> str:
    """Cut at the end of a line, where there is one."""
    if len(content) <= _CHARACTERS:
        return content
    cut = content[:_CHARACTERS]
    return cut[: cut.rfind("\n")] if "\n" in cut else cut
