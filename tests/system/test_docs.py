"""README and docs/ by doing what they say: each block runs, or says why not and what else shows that it works."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fix_cluster import REPOSITORY
from fix_database import Database
from fix_documents import NOTES, PAGES, REASONS, RUN, Block, Place, Reader, read_blocks, stray_code
from fix_setups import SETUPS, SLOW_SETUPS

PARSERS: dict[str, Callable[[str], Any]] = {
    "toml": tomllib.loads,
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "python": lambda text: compile(text, "block", "exec"),
}
# Where a page is tried; in `searching` unless it is named here.
PLACES = {
    "docs/quickstart.md": "bare",
    "docs/operations.md": "moving",
    "docs/generations.md": "switching",
    "docs/models.md": "storing",
    "docs/training.md": "learning",
    "docs/how-to/change-the-model.md": "switching",
    "docs/how-to/scale-out.md": "spread",
    "docs/how-to/tune-on-your-code.md": "learning",
}
# It dumps, restores and installs for half a minute.
SLOW_PAGES = {"docs/operations.md"}


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def tries() -> list[Any]:
    """Give every page that has something to run; one with slow blocks a second time, with them."""
    found = []
    for page in PAGES:
        blocks = read_blocks(page)
        late = name_of(page) in SLOW_PAGES
        if not late and any(block.runs(slow=False) for block in blocks):
            found.append(pytest.param(page, False, id=name_of(page)))
        if late or any("slow" in block.notes for block in blocks):
            found.append(pytest.param(page, True, id=f"{name_of(page)} with slow blocks", marks=pytest.mark.slow))
    return found


@pytest.mark.parametrize(("page", "slow"), tries())
def test_a_page_does_what_it_says(page: Path, slow: bool, request: pytest.FixtureRequest) -> None:
    found: tuple[Place, Database] = request.getfixturevalue(PLACES.get(name_of(page), "searching"))
    place, database = found
    with database.connect() as session:
        for setups in (SETUPS, SLOW_SETUPS) if slow else (SETUPS,):
            if prepare := setups.get(name_of(page)):
                prepare(session, place)
    Reader(place).follow(read_blocks(page), slow=slow)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_has_a_language_and_notes_that_are_known(page: Path) -> None:
    text, blocks = page.read_text(), read_blocks(page)
    assert [line for line in text.splitlines() if line.lstrip().startswith("```")] == [
        line for block in blocks for line in (f"```{block.language}", "```")
    ]
    assert stray_code(text) == []
    before: Block | None = None
    for block in blocks:
        assert block.language in {*RUN, *PARSERS, "text"}, block.place
        if parse := PARSERS.get(block.language):
            parse(block.body)
        for note in block.notes:
            assert note in NOTES or note == (block.not_run and block.not_run[0]), f"{block.place}: {note}"
        if found := block.not_run:
            assert found["reason"] in REASONS, block.place
            assert (REPOSITORY / found["proof"]).is_file(), block.place
        if "output" in block.notes:
            assert (block.language, before is not None and before.language in RUN) == ("text", True), block.place
        before = block


def test_nearly_all_blocks_run() -> None:
    blocks = [block for page in PAGES for block in read_blocks(page) if block.language in RUN]
    left_out = [block.place for block in blocks if block.not_run]
    assert len(left_out) <= len(blocks) / 5, left_out
    later = [block.place for block in blocks if "slow" in block.notes or name_of(block.page) in SLOW_PAGES]
    assert len(later) <= len(blocks) / 4, later
