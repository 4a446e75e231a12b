"""Text that is too long is cut at line borders; text without a grammar goes by windows."""

from hypothesis import given
from hypothesis import strategies as st

from pgduet.chunking import chunk_code
from pgduet.chunking.split import split_parts, split_windows

TEXTS = st.lists(st.sampled_from(["a", "bb ", "\n", "\n\n", "word " * 8, "x" * 70]), max_size=60).map("".join)


@given(TEXTS)
def test_parts_joined_are_the_text_and_none_is_too_long(text: str) -> None:
    parts = list(split_parts(text, 50))
    assert "".join(part for _, part in parts) == text
    assert all(len(part) <= 50 for _, part in parts)
    position = 0
    for above, part in parts:
        assert above == text.count("\n", 0, position)
        position += len(part)


@given(TEXTS)
def test_only_a_line_that_is_too_long_is_cut_inside(text: str) -> None:
    position = 0
    for _, part in split_parts(text, 50):
        position += len(part)
        begin = text.rfind("\n", 0, position) + 1
        end = text.find("\n", position) if "\n" in text[position:] else len(text)
        assert position in (begin, len(text)) or end - begin + 1 > 50


def test_a_cut_goes_to_a_blank_line_near_the_middle() -> None:
    text = "a\n" * 12 + "\n" + "b\n" * 16
    assert [part for _, part in split_parts(text, 40)] == ["a\n" * 12, "\n" + "b\n" * 16]


def test_parts_are_even_rather_than_one_with_a_small_rest() -> None:
    lengths = [len(part) for _, part in split_parts("abcd\n" * 21, 100)]
    assert len(lengths) == 2
    assert min(lengths) > 40


def test_a_long_function_is_split_and_each_part_keeps_its_name_and_lines() -> None:
    source = "def f():\n" + "".join(f"    value_{i} = compute({i})\n" for i in range(300))
    chunks = chunk_code(source, "python")
    assert len(chunks) > 2
    assert {(c.symbol, c.kind) for c in chunks} == {("f", "function")}
    assert chunks[0].start_line == 1
    assert [c.start_line for c in chunks[1:]] == [c.end_line + 1 for c in chunks[:-1]]
    assert "\n".join(c.content for c in chunks) == source.rstrip()


def test_windows_have_forty_lines_and_share_five() -> None:
    text = "".join(f"line {i}\n" for i in range(1, 101))
    assert [(c.start_line, c.end_line) for c in chunk_code(text)] == [(1, 40), (36, 75), (71, 100)]


@given(TEXTS, st.integers(10, 60))
def test_windows_cover_every_line_and_end(text: str, limit: int) -> None:
    windows = list(split_windows(text, limit))
    covered = {above + i for above, window in windows for i in range(window.rstrip("\n").count("\n") + 1)}
    lines = text.split("\n")
    assert covered >= {number for number, line in enumerate(lines) if line}
    assert all(len(window) <= limit for _, window in windows)


def test_markdown_goes_by_windows_under_its_language() -> None:
    assert [(c.kind, c.symbol, c.language) for c in chunk_code("# Title\n\ntext\n", path="README.md")] == [
        ("block", "", "markdown")
    ]
