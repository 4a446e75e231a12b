"""A chunk cut into what its docstring or comment says and the code that is left."""

import ast
import inspect
import re
import warnings
from typing import NamedTuple

from pgduet.training.mining.comments import is_prose, leading_comment, without_comments

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Imports = ast.Import | ast.ImportFrom
# Longer texts are manuals; encoders read their beginning only.
_LONGEST = 2000


class Documented(NamedTuple):
    """Hold a description and the code it describes, signature included, description not."""

    description: str
    code: str


def documented(content: str, language: str | None) -> Documented | None:
    """Cut a chunk into its description and its code; None where it has no description, or nothing but one.

    In Python a docstring comes first, also one that follows imports; of a module too, and of the only definition in
    the chunk. Everywhere else, and in Python without a docstring, it is the comment straight above the code.
    """
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    found = _by_docstring(content) if language in (None, "python") else None
    if found is None:
        description, code = leading_comment(content, language)
        # A definition without a docstring is still not described by what stands above its only comment.
        if not without_comments(code, language).strip():
            return None
        found = Documented(description, code)
    # Examples show how it is called, which no query does.
    description = re.split(r"^\s*>>>", found.description, maxsplit=1, flags=re.MULTILINE)[0].strip()[:_LONGEST]
    return Documented(description, found.code.strip("\n")) if is_prose(description) else None


def _by_docstring(content: str) -> Documented | None:
    # A method keeps its indentation; below an `if` that is right, and no line has to be changed.
    shift = int(bool(re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]+\S", content)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(f"if True:\n{content}\n" if shift else content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    body = tree.body
    if shift:
        assert isinstance(body[0], ast.If)
        body = body[0].body
    string = _docstring(body)
    if string is None:
        definitions = [node for node in body if isinstance(node, _Definition)]
        string = _docstring(definitions[0].body) if len(definitions) == 1 else None
    if string is None:
        return None
    assert isinstance(string.value, ast.Constant)
    assert isinstance(string.value.value, str)
    return Documented(inspect.cleandoc(string.value.value), _cut(content, string, shift))


def _docstring(body: list[ast.stmt]) -> ast.Expr | None:
    """Find the string that a body begins with, imports left out of account, where something else follows."""
    rest = [node for node in body if not isinstance(node, _Imports)]
    first = rest[0] if rest else None
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return None
    return first if isinstance(first.value.value, str) and not all(map(_is_empty, rest[1:])) else None


def _is_empty(node: ast.stmt) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Pass)


def _cut(content: str, string: ast.Expr, shift: int) -> str:
    """Take a string out of a text, and its lines where nothing else stands on them."""
    lines = content.split("\n")
    first, last = string.lineno - 1 - shift, (string.end_lineno or string.lineno) - 1 - shift
    # The parser counts columns in bytes.
    before = lines[first].encode()[: string.col_offset].decode()
    after = lines[last].encode()[string.end_col_offset :].decode().lstrip().removeprefix(";").lstrip()
    left = [before + after] if (before + after).strip() else []
    return "\n".join([*lines[:first], *left, *lines[last + 1 :]])
