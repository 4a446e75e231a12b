"""One file in, its chunks out."""

from collections.abc import Iterator

from tree_sitter import Tree

from pgduet.chunking.chunk import WORD, Chunk, Kind
from pgduet.chunking.definitions import outline
from pgduet.chunking.grammars import GRAMMARS, parse
from pgduet.chunking.languages import detect_language, find_language
from pgduet.chunking.spans import Span, share_out
from pgduet.chunking.split import split_parts, split_windows
from pgduet.chunking.statements import share_out_statements

# Lines of this length come from a minifier or hold data: a syntax tree of them is slow and names nothing.
_LONG_LINE = 10_000


def chunk_code(content: str, language: str | None = None, path: str | None = None) -> list[Chunk]:
    """Cut one source file into chunks in order of their first line.

    `language` is a name or alias of a known language; without it the path, then a shebang tells. Every line that holds
    a letter or digit is in at least one chunk of at most 3,000 characters. Blank content gives no chunk. Line ends
    become LF, a byte order mark goes. Raises UnknownLanguageError for a `language` that is not known.
    """
    text = _normalise(content)
    known = find_language(language) if language and language.strip() else detect_language(path, text)
    if not WORD.search(text):
        return []
    minified = len(text) > _LONG_LINE and max(map(len, text.split("\n"))) > _LONG_LINE
    if not minified and known in GRAMMARS:
        source = text.encode("utf-8")
        tree = parse(known, source)
        if tree is not None:
            return list(_by_grammar(source, tree, known))
    if not minified and known == "sql":
        return list(_by_statements(text))
    return [chunk for above, part in split_windows(text) for chunk in _chunk(part, 1 + above, "", "block", known)]


def _normalise(content: str) -> str:
    """Give text as parser and database take it: LF line ends, no mark in front, no lone surrogates."""
    text = content.removeprefix("\ufeff").encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def _by_grammar(source: bytes, tree: Tree, language: str) -> Iterator[Chunk]:
    line, position = 1, 0
    for span in share_out(outline(language, tree, source), source):
        line += source.count(b"\n", position, span.start)
        position = span.start
        yield from _chunks(source[span.start : span.end].decode("utf-8", "replace"), line, span, language)


def _by_statements(text: str) -> Iterator[Chunk]:
    line, position = 1, 0
    for span in share_out_statements(text):
        line += text.count("\n", position, span.start)
        position = span.start
        yield from _chunks(text[span.start : span.end], line, span, "sql")


def _chunks(text: str, line: int, span: Span, language: str) -> Iterator[Chunk]:
    code = text.lstrip()
    skipped = text.rfind("\n", 0, len(text) - len(code)) + 1
    for above, part in split_parts(text[skipped:].rstrip()):
        yield from _chunk(part, line + text.count("\n", 0, skipped) + above, span.symbol, span.kind, language)


def _chunk(text: str, line: int, symbol: str, kind: Kind, language: str) -> Iterator[Chunk]:
    """Give `text`, whose first line is `line`, as a chunk without blank lines around; nothing if it holds no sign."""
    skipped = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    body = text[skipped:].rstrip()
    if body:
        first = line + text.count("\n", 0, skipped)
        yield Chunk(symbol, kind, language, first, first + body.count("\n"), body)
