"""Whoever doubts a figure can measure it: each table of figures says which command made it."""

import re
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
COMMAND = re.compile(
    r"(?:^ {4}|^|`)(?:make bench[\w-]*|\.venv/bin/python [\w/.-]*benchmarks/\w+|pgduet \w+)", re.MULTILINE
)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
FIGURE = re.compile(r"[-+x ]*\d[\d,.]*(?: ?%| ?MB| ?GB| min| s|e[-+]\d+)?(?: \[.*\])?")


def is_measured(lines: list[str]) -> bool:
    """Tell whether a table holds figures rather than words: half of its filled cells, but for the first column."""
    cells = [cell.strip() for line in lines[2:] for cell in line.strip().strip("|").split("|")[1:]]
    filled = [cell for cell in cells if cell]
    return 2 * sum(bool(FIGURE.fullmatch(cell)) for cell in filled) >= len(filled) > 0


def without_command(text: str) -> list[str]:
    """Give the heads of measured tables with no command before them since the last heading of the second level."""
    lost = []
    for section in re.split(r"^(?=##? )", text, flags=re.MULTILINE):
        for found in TABLE.finditer(section):
            lines = found[0].splitlines()
            if is_measured(lines) and not COMMAND.search(section[: found.start()]):
                lost.append(lines[0])
    return lost


@pytest.mark.parametrize(("name", "least"), [("performance.md", 10), ("quality.md", 10), ("sql.md", 1)])
def test_each_table_of_figures_says_what_made_it(name: str, least: int) -> None:
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    assert sum(is_measured(found[0].splitlines()) for found in TABLE.finditer(text)) >= least
    assert without_command(text) == []


def test_a_table_without_its_command_is_found() -> None:
    rows = "| way | ms |\n|---|---:|\n| one | 1.5 |\n"
    assert without_command(f"## A\n\n{rows}") == ["| way | ms |"]
    assert without_command(f"## A\n\nMade by `make bench`.\n\n{rows}\n## B\n\n{rows}") == ["| way | ms |"]
    assert without_command("## A\n\n| name | what |\n|---|---|\n| one | a word |\n") == []
