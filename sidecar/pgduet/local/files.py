"""Small things about files that the other modules of this room share."""

import os
from pathlib import Path


def tail(file: Path, lines: int = 20) -> str:
    """Give the last lines of a text file; an empty text where there is no file."""
    if not file.exists():
        return ""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read from the first byte on."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as handle:
        os.fchmod(descriptor, 0o600)
        handle.write(text)
