"""Parsers and definition queries of tree-sitter, one parser per thread and grammar."""

import importlib
import threading
import time
from functools import cache
from importlib.resources import files

from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

# language -> (module, function of the module, query file)
GRAMMARS = {
    "bash": ("tree_sitter_bash", "language", "bash"),
    "c": ("tree_sitter_c", "language", "c"),
    "cpp": ("tree_sitter_cpp", "language", "cpp"),
    "csharp": ("tree_sitter_c_sharp", "language", "csharp"),
    "go": ("tree_sitter_go", "language", "go"),
    "java": ("tree_sitter_java", "language", "java"),
    "javascript": ("tree_sitter_javascript", "language", "javascript"),
    "php": ("tree_sitter_php", "language_php", "php"),
    "python": ("tree_sitter_python", "language", "python"),
    "ruby": ("tree_sitter_ruby", "language", "ruby"),
    "rust": ("tree_sitter_rust", "language", "rust"),
    "tsx": ("tree_sitter_typescript", "language_tsx", "typescript"),
    "typescript": ("tree_sitter_typescript", "language_typescript", "typescript"),
}

_PATIENCE = 10.0
_READ = 65_536

_threads = threading.local()


@cache
def _language(name: str) -> Language:
    module, function, _ = GRAMMARS[name]
    return Language(getattr(importlib.import_module(module), function)())


@cache
def _query(name: str) -> Query:
    text = files("pgduet.chunking").joinpath("queries", f"{GRAMMARS[name][2]}.scm").read_text(encoding="utf-8")
    return Query(_language(name), text)


def _parser(name: str) -> Parser:
    parsers: dict[str, Parser] = _threads.__dict__.setdefault("parsers", {})
    if name not in parsers:
        parsers[name] = Parser(_language(name))
    return parsers[name]


def parse(name: str, source: bytes) -> Tree | None:
    """Parse UTF-8 `source` by the grammar `name` of GRAMMARS; errors in it become ERROR nodes.

    Gives None after 10 seconds: text that is in another language altogether costs time in the square of its length.
    """
    deadline = time.monotonic() + _PATIENCE
    parser = _parser(name)
    try:
        # The binding takes views here too, and reads freed memory from them later; it must be bytes.
        return parser.parse(
            lambda offset, _: source[offset : offset + _READ],
            progress_callback=lambda _, __: time.monotonic() > deadline,
        )
    except ValueError:
        # A stopped parser would go on where it was.
        parser.reset()
        return None


def find_matches(name: str, root: Node) -> list[dict[str, list[Node]]]:
    """Find what the definition query of the grammar `name` captures below `root`: capture name -> nodes, per match."""
    return [captures for _, captures in QueryCursor(_query(name)).matches(root)]
