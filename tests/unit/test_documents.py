"""Whoever tries the pages notices what is wrong on one."""

import os
from pathlib import Path

import pytest

from fix_cluster import REPOSITORY
from fix_documents import Block, Place, Reader, agrees, lines_of, pieces, read_blocks, stray_code

TABLE = """
  path   | similarity
---------+------------
 http.py |       0.57
"""


def block(body: str, *notes: str, language: str = "sh") -> Block:
    return Block(REPOSITORY / "docs/page.md", 7, language, body, notes)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(Place(tmp_path, os.environ, {"/srv": str(tmp_path)}))


def test_blocks_are_read_with_their_lines_and_notes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n```sh\nls\n```\n\n<!-- slow, stopped after -->\n```sh\npgduet worker\n```\n<!-- written by x -->\n"
        "\ntext\n\n<!-- not run: it needs Docker, or so (docs/x.md) -->\n\n```sql\nSELECT 1;\n```\n"
    )
    first, second, third = read_blocks(page)
    assert (first.line, first.language, first.body, first.notes) == (3, "sh", "ls\n", ())
    assert (second.notes, second.runs(slow=False), second.runs(slow=True)) == (("slow", "stopped after"), False, True)
    assert third.not_run is not None
    assert third.not_run.groupdict() == {"reason": "it needs Docker, or so", "proof": "docs/x.md"}
    assert not third.runs(slow=True)


@pytest.mark.parametrize(
    ("printed", "same"),
    [
        ("path|similarity\n-+-\nhttp.py|0.56\n", True),
        ("path|similarity\n-+-\nhttp.py|0.60\n", False),
        ("path|similarity\n-+-\nhttp.js|0.57\n", False),
        ("path|similarity\n-+-\nhttp.py|0.57\nhttp.py|0.57\n", False),
        ("path|similarity\n", False),
    ],
)
def test_output_is_compared_by_words_and_rounded_numbers(printed: str, same: bool) -> None:
    assert agrees(lines_of(TABLE), lines_of(printed)) is same


def test_three_points_stand_for_words_or_lines() -> None:
    shown = lines_of("2 files; ...\n...\nend\n")
    assert agrees(shown, lines_of("2 files; 0.1 s\nend\n"))
    assert agrees(shown, lines_of("2 files; 0.1 s\none\ntwo\nend\n"))
    assert not agrees(shown, lines_of("3 files; 0.1 s\nend\n"))


def test_what_runs_on_is_told_from_what_ends() -> None:
    script = "pgduet db migrate\npgduet worker --once\nKEEP=5 pgduet serve  # see serve --help\npgduet serve --help\n"
    assert list(pieces(script)) == [
        ("pgduet db migrate\npgduet worker --once", ""),
        ("KEEP=5 pgduet serve  # see serve --help", "serve"),
        ("pgduet serve --help", ""),
    ]


def test_a_block_that_fails_is_named(reader: Reader) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"docs/page.md:7: it ended with 1"):
        reader.follow([block("false\ntrue\n")], slow=False)
    reader.follow([block("false\n", "slow")], slow=False)


def test_a_block_that_does_not_end_is_ended_and_named(reader: Reader) -> None:
    reader.seconds = 0.2
    with pytest.raises(pytest.fail.Exception, match=r"docs/page.md:7: it did not end within 0.2 s"):
        reader.follow([block("sleep 60 | cat\n")], slow=False)


def test_output_that_differs_is_named_and_names_are_put_in_place(reader: Reader, tmp_path: Path) -> None:
    reader.follow([block("echo one > /srv/file; cat file\n"), block("one\n", "output", language="text")], slow=False)
    assert (tmp_path / "file").read_text() == "one\n"
    with pytest.raises(pytest.fail.Exception, match=r"docs/page.md:7: it printed\none"):
        reader.follow([block("cat file\n"), block("two\n", "output", language="text")], slow=False)


def test_a_program_that_ends_by_itself_is_no_program_that_runs_on(reader: Reader) -> None:
    with pytest.raises(pytest.fail.Exception, match="pgduet serve --nonsense ended"):
        reader.follow([block("pgduet serve --nonsense\n")], slow=False)


def test_code_that_is_only_indented_is_found_and_lists_are_left_alone() -> None:
    assert stray_code("Do this:\n\n    SELECT 1;\n") == ["SELECT 1;"]
    assert stray_code("- a point\n\n    of two paragraphs\n\n```sh\nif true; then\n\n    ls\nfi\n```\n") == []
