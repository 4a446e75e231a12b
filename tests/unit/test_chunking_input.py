"""Whatever text comes in, nothing is lost, lines are right and nothing crashes."""

import re
import sysconfig
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgduet.chunking import Chunk, chunk_code
from pgduet.chunking.chunk import MAX_CHARACTERS
from pgduet.chunking.grammars import GRAMMARS

# Pieces of many languages: put together at random they are sources that no parser expects.
SNIPPETS = [
    *[
        "def f(a):\n    return a\n",
        "class A:\n",
        "    def m(self):\n        pass\n",
        "@d\n",
        "# note\n",
        "x = 1\n",
        "\n\n",
        "    ",
    ],
    *[
        "function g() {",
        "}\n",
        "}",
        "{",
        "const h = () => 1;\n",
        "class B { m() {} }\n",
        "/* c */ ",
        "// d\n",
        "export ",
    ],
    *[
        "fn r() {}\n",
        "impl T {\n",
        "#[x]\n",
        "/// doc\n",
        "func (c *C) D() {}\n",
        "namespace n {\n",
        "template <typename T>\n",
    ],
    *[
        "int c(int a) { return a; }\n",
        "struct s { int a; };\n",
        "#ifdef X\n",
        "#endif\n",
        "module M\n",
        "end\n",
        "def self.q; end\n",
    ],
    *[
        "<?php\n",
        "public function p() {}\n",
        "CREATE FUNCTION s() ",
        "$$",
        ";\n",
        "'",
        '"',
        "`",
        "BEGIN ATOMIC ",
        "END ",
        "/*",
        "\\echo\n",
    ],
    *["\t", " ", "🎉 ", "שלום\n", "é", "\u2028", "\x0b", "a" * 200 + "\n", "long " * 700 + "\n"],
]
WORD = re.compile(r"\w+")
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))


def check_nothing_lost(source: str, chunks: list[Chunk]) -> None:
    lines = source.split("\n")
    covered = ["" for _ in lines]
    for chunk in chunks:
        parts = chunk.content.split("\n")
        assert len(chunk.content) <= MAX_CHARACTERS
        assert chunk.end_line - chunk.start_line + 1 == len(parts)
        for number, part in enumerate(parts, chunk.start_line - 1):
            assert part.strip() in lines[number]
            covered[number] += part + "\x00"
    for line, got in zip(lines, covered, strict=True):
        if len(line) <= MAX_CHARACTERS:
            assert all(word in got for word in WORD.findall(line)), line


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([*GRAMMARS, "sql", "markdown"]),
    st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=20), max_size=30),
)
def test_every_word_of_every_line_is_in_a_chunk(language: str, pieces: list[str]) -> None:
    source = "".join(pieces).replace("\r", "").removeprefix("\ufeff").encode("utf-8", "replace").decode()
    check_nothing_lost(source, chunk_code(source, language))


@pytest.mark.parametrize("path", sorted(STANDARD_LIBRARY.glob("[a-d]*.py")), ids=lambda path: path.name)
def test_no_word_of_the_standard_library_is_lost(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    chunks = chunk_code(source, path=path.name)
    check_nothing_lost(source, chunks)
    assert chunks == sorted(chunks, key=lambda c: c.start_line)


@pytest.mark.parametrize("content", ["", " ", "\n\t\r\n", "\ufeff", "}\n);\n", "\u3000"])
@pytest.mark.parametrize("language", [None, "python", "sql"])
def test_content_without_a_word_gives_no_chunk(content: str, language: str | None) -> None:
    assert chunk_code(content, language) == []


def test_a_byte_order_mark_goes_and_line_ends_become_lf() -> None:
    chunks = chunk_code("\ufeffimport os\r\n\r\ndef f():\r\n    return 1\r\n", "python")
    assert chunks == [
        Chunk("", "block", "python", 1, 1, "import os"),
        Chunk("f", "function", "python", 3, 4, "def f():\n    return 1"),
    ]


def test_lone_carriage_returns_end_lines_where_there_are_no_others() -> None:
    assert [(c.symbol, c.start_line) for c in chunk_code("x = 1\rdef f():\r  pass\r", "python")] == [("", 1), ("f", 2)]


def test_signs_of_many_bytes_shift_nothing() -> None:
    source = 's = "🎉🎉 שלום עליכם"\n\n# مرحبا 👩‍👩‍👧\ndef häuser():\n    return "🎉"\n\ndef g(): pass\n'
    assert [(c.symbol, c.start_line, c.end_line, c.content) for c in chunk_code(source, "python")] == [
        ("", 1, 1, 's = "🎉🎉 שלום עליכם"'),
        ("häuser", 3, 5, '# مرحبا 👩‍👩‍👧\ndef häuser():\n    return "🎉"'),
        ("g", 7, 7, "def g(): pass"),
    ]


def test_lone_surrogates_do_no_harm() -> None:
    assert [c.content for c in chunk_code("x = '\ud800'", "python")] == ["x = '?'"]


def test_syntax_errors_spare_the_definitions_around_them() -> None:
    source = "def a():\n    return 1\n\ndef b(:\n    ((\n\ndef c():\n    return 3\n"
    chunks = chunk_code(source, "python")
    check_nothing_lost(source, chunks)
    assert chunks[0] == Chunk("a", "function", "python", 1, 2, "def a():\n    return 1")


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "x = " + "[" * 9000 + "]" * 9000),
        ("python", "\n".join(" " * i + f"class A{i}:" for i in range(2000)) + "\n" + " " * 2000 + "def f(): pass\n"),
        ("javascript", "function f(){" * 3000 + "}" * 3000),
        ("cpp", "namespace a {" * 700 + "int f() { return 1; }" + "}" * 700),
    ],
)
def test_deep_nesting_is_no_recursion(language: str, source: str) -> None:
    check_nothing_lost(source, chunk_code(source, language))


@pytest.mark.parametrize("language", ["javascript", "sql", None])
def test_a_line_of_a_megabyte_is_cut_by_characters_within_two_seconds(language: str | None) -> None:
    line = "var a=1;function f(b){return b+1};" * 30_000
    start = time.process_time()
    chunks = chunk_code("// head\n" + line + "\n// tail\n", language)
    assert time.process_time() - start < 2
    assert "".join(c.content for c in chunks if (c.start_line, c.end_line) == (2, 2)).count("function f") == 30_000
    assert chunks[0].start_line == 1
    assert chunks[-1].end_line == 3


def test_binary_noise_is_cut_by_its_lines() -> None:
    noise = "".join(chr(33 + (i * 7919) % 600) + ("\n" if i % 97 == 0 else "") for i in range(20_000))
    check_nothing_lost(noise, chunk_code(noise, "cpp"))


def test_parsers_work_in_many_threads_at_once() -> None:
    source = "".join(f"def f{i}():\n    return {i}\n" for i in range(300))
    expected = chunk_code(source, "python")
    results: list[list[Chunk]] = []
    threads = [threading.Thread(target=lambda: results.append(chunk_code(source, "python"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8
