"""Whoever doubts a figure can measure it: each table of figures says which command made it."""

import json
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = REPOSITORY / "docs"
COMMAND = re.compile(
    r"(?:^ {4}|^|`)(?:make bench[\w-]*|\.venv/bin/python [\w/.-]*benchmarks/\w+|pgduet \w+)", re.MULTILINE
)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
CAPACITY = REPOSITORY / "benchmarks" / "results" / "capacity.json"
UNITS = {"MB": 1e6, "GB": 1e9, "s": 1, "min": 60}
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


@pytest.mark.parametrize(
    ("name", "least"), [("performance.md", 10), ("quality.md", 10), ("sql.md", 1), ("operations.md", 1)]
)
def test_each_table_of_figures_says_what_made_it(name: str, least: int) -> None:
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    assert sum(is_measured(found[0].splitlines()) for found in TABLE.finditer(text)) >= least
    assert without_command(text) == []


def test_a_table_without_its_command_is_found() -> None:
    rows = "| way | ms |\n|---|---:|\n| one | 1.5 |\n"
    assert without_command(f"## A\n\n{rows}") == ["| way | ms |"]
    assert without_command(f"## A\n\nMade by `make bench`.\n\n{rows}\n## B\n\n{rows}") == ["| way | ms |"]
    assert without_command("## A\n\n| name | what |\n|---|---|\n| one | a word |\n") == []


def amount(cell: str) -> tuple[float, float]:
    """Give the number that a cell stands for, in bytes or seconds, and how far rounding may have moved it."""
    digits, unit = cell.split()
    last = 10.0 ** -len(digits.partition(".")[2])
    return float(digits) * UNITS[unit], 0.51 * last * UNITS[unit]


def test_what_operations_says_of_space_and_time_was_measured() -> None:
    text = (DOCUMENTS / "operations.md").read_text(encoding="utf-8")
    marked = re.search(r"<!-- capacity\.json: written by (\S+) -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert marked is not None
    assert (REPOSITORY / marked[1]).exists()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in marked[2].split("\n") if line]
    lines = json.loads(CAPACITY.read_text())["lines"]
    assert [(row[0], row[1]) for row in rows] == [
        (f"{line['rows']:,}", "measured" if line["measured"] else "derived") for line in lines
    ]
    for row, line in zip(rows, lines, strict=True):
        sizes = ("chunk_bytes", "vector_bytes", "index_bytes", "other_index_bytes", "database_bytes", "hot_bytes")
        found = [*(line[name] for name in sizes), line["memory_mb"] * 1e6, line["seconds"]]
        for column, cell, value in zip(head[2:], row[2:], found, strict=True):
            said, rounded = amount(cell)
            assert abs(said - value) <= rounded, (row[0], column)
    # What pages say of one chunk.
    largest = lines[-1]
    whole, hot = (f"{largest[name] / largest['rows'] / 1000:.1f} kB" for name in ("database_bytes", "hot_bytes"))
    assert f"sketches and index, {hot} a chunk" in text
    assert f"should stay in memory ({hot} a chunk)" in (DOCUMENTS / "performance.md").read_text(encoding="utf-8")
    production = (DOCUMENTS / "how-to" / "go-to-production.md").read_text(encoding="utf-8")
    assert f"A chunk takes {whole} in the database, of which {hot} should stay in memory" in production
