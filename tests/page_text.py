"""What the pages of docs/reference share: each is written by a test, and compared with what is there."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tests/docs: PGDUET_UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/docs renews it. -->"
_CODE = re.compile(r"(`[^`]*`)")


def compare(name: str, text: str) -> None:
    """Compare a page with the one in docs/reference; write it there instead where goldens are renewed."""
    page = REFERENCE / name
    if os.environ.get("PGDUET_UPDATE_GOLDEN"):
        page.write_text(text, encoding="utf-8")
    assert text == page.read_text(encoding="utf-8"), "run with PGDUET_UPDATE_GOLDEN=1 when the change is meant"


def escaped(text: str) -> str:
    """Keep what stands in a comment or a help text from being read as markup, but for code in backticks."""
    parts = _CODE.split(text)
    return "".join(
        part if number % 2 else part.replace("*", "\\*").replace("<", "&lt;") for number, part in enumerate(parts)
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; a bar within a cell would end it."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "&#124;") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
