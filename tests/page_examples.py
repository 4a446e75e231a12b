"""The examples of docs/reference/functions.md: run by psql, with what it prints."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fix_database import Database
from pgduet.local.binaries import find_binaries

FILE = Path(__file__).resolve().parent / "docs" / "examples.sql"
_SECTION = re.compile(r"^--- (\w+)\n", re.MULTILINE)
_BLOCK = re.compile(r"(?<=;)\n\n")
_HIDDEN = re.compile(r"^\\!.*\n?", re.MULTILINE)
_END = "end of a block"


@dataclass(frozen=True)
class Shown:
    """Statements, and what psql printed for them."""

    sql: str
    output: str


def read_examples() -> dict[str, list[str]]:
    """Return the blocks of each section; between two blocks is a blank line behind a semicolon."""
    _, *parts = _SECTION.split(FILE.read_text(encoding="utf-8"))
    names, bodies = parts[::2], parts[1::2]
    assert len(set(names)) == len(names)
    return {name: _BLOCK.split(body.strip("\n")) for name, body in zip(names, bodies, strict=True)}


def run_examples(database: Database) -> dict[str, list[Shown]]:
    """Run all examples in one session of psql; the first error ends them and fails the test."""
    examples = read_examples()
    script = "".join(f"{block}\n\\echo {_END}\n" for blocks in examples.values() for block in blocks)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(find_binaries()["psql"]), "--no-psqlrc", "--set=ON_ERROR_STOP=1"],
        input=script,
        env={**os.environ, **database.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    outputs = iter(done.stdout.split(f"{_END}\n"))
    return {
        name: [Shown(_visible(block), _trimmed(next(outputs))) for block in blocks] for name, blocks in examples.items()
    }


def _visible(block: str) -> str:
    return _HIDDEN.sub("", block).strip("\n")


def _trimmed(output: str) -> str:
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")
