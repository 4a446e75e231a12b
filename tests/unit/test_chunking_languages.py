"""Languages by name, path and shebang; unknown names are refused with the list of known ones."""

import pytest

from pgduet.chunking import UnknownLanguageError, chunk_code, detect_language, find_language, known_languages
from pgduet.errors import PgduetError


@pytest.mark.parametrize(
    ("name", "language"),
    [("Python", "python"), ("py", "python"), ("C++", "cpp"), ("c#", "csharp"), (" JS ", "javascript"), ("rs", "rust")],
)
def test_a_language_goes_by_its_name_or_an_alias_in_any_case(name: str, language: str) -> None:
    assert find_language(name) == language


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b/c.PY", "python"),
        ("x.tsx", "tsx"),
        ("x.d.ts", "typescript"),
        ("lib\\win.go", "go"),
        ("Rakefile", "ruby"),
        ("README", "text"),
        (".bashrc", "bash"),
        ("noext", ""),
        (".py", ""),
        (None, ""),
    ],
)
def test_a_path_tells_the_language(path: str | None, language: str) -> None:
    assert detect_language(path, "x") == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/usr/bin/env python3.11\n", "python"),
        ("#!/bin/bash -e\n", "bash"),
        ("#! /usr/bin/env -S node --x\n", "javascript"),
        ("#!/opt/unknown\n", ""),
        ("python", ""),
    ],
)
def test_a_shebang_tells_the_language_where_the_path_does_not(line: str, language: str) -> None:
    assert detect_language("bin/tool", line) == language


def test_the_path_outweighs_the_shebang() -> None:
    assert detect_language("tool.rb", "#!/bin/sh\n") == "ruby"


def test_a_header_is_cpp_only_where_it_uses_what_c_lacks() -> None:
    assert detect_language("a.h", "int f(int a);\n") == "c"
    assert detect_language("a.h", "namespace a {\n}\n") == "cpp"


def test_an_unknown_language_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownLanguageError, match="cobol") as caught:
        chunk_code("x", "cobol")
    assert isinstance(caught.value, PgduetError)
    assert all(name in caught.value.hint for name in known_languages())


def test_an_empty_language_counts_as_none() -> None:
    assert chunk_code("def f(): pass", " ", "a.py")[0].language == "python"
