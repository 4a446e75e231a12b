"""SQL by statements: PostgreSQL's own lexical rules, for grammars of SQL stumble over much of its dialect."""

import re
from collections.abc import Iterator

from pgduet.chunking.chunk import WORD, Kind
from pgduet.chunking.spans import Span

# What hides a semicolon: psql's commands, comments, strings, quoted names, dollar-quoted bodies; and what ends.
_TOKEN = re.compile(
    r"""^\\[^\n]*|--[^\n]*|/\*|\$(?P<tag>[A-Za-z_\x80-\U0010ffff]\w*)?\$"""
    r"""|[eE]'(?:[^'\\]|\\.|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?"""
    r"""|;|\bBEGIN\s+ATOMIC\b|[\w$]+""",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_BEHIND = re.compile(r"[ \t]*(?:--[^\n]*|/\*[^\n]*?\*/[ \t]*)?(?:\n|\Z)")
_LEAD = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\\[^\n]*(?:\n|\Z))*", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_CREATE = re.compile(
    r"CREATE\s+(?:(?:OR|REPLACE|GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|FOREIGN|MATERIALIZED|RECURSIVE|EVENT|CONSTRAINT)\s+)*"
    r"(?P<what>FUNCTION|PROCEDURE|AGGREGATE|TABLE|VIEW|TYPE|DOMAIN|TRIGGER|SCHEMA|SEQUENCE|RULE|POLICY|INDEX)\s+"
    r"(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?!ON\b|CONCURRENTLY\b)"
    r"""(?P<name>(?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))*)""",
    re.IGNORECASE,
)
_ROUTINES = frozenset(("FUNCTION", "PROCEDURE", "AGGREGATE"))


def share_out_statements(text: str) -> list[Span]:
    """Cut SQL into spans of character offsets: each CREATE by itself under its name, with the comments directly above.

    Routines are of kind "function". Other statements are "block"; those without a blank line between stay together.
    """
    spans: list[Span] = []
    start = 0
    for end in [*_ends(text), len(text)]:
        lead = _LEAD.match(text, start, end)
        body = lead.end() if lead else start
        for blank in _BLANK_LINE.finditer(text, max(start - 1, 0), body):
            _add(spans, text, Span(start, blank.end(), "", "block"))
            start = blank.end()
        create = _CREATE.match(text, body, end)
        symbol = re.sub(r'["\s]', "", create["name"]) if create else ""
        kind: Kind = "function" if create and create["what"].upper() in _ROUTINES else "block"
        _add(spans, text, Span(start, end, symbol, kind))
        start = end
    return spans


def _add(spans: list[Span], text: str, span: Span) -> None:
    if not WORD.search(text, span.start, span.end):
        return
    last = spans[-1] if spans else None
    if last and not (last.symbol or span.symbol) and not _BLANK_LINE.search(text, last.end - 2, span.start + 1):
        last.end = span.end
    else:
        spans.append(span)


def _ends(text: str) -> Iterator[int]:
    """Yield the offset behind each statement, with a comment that follows on its line."""
    position = nested = 0
    while token := _TOKEN.search(text, position):
        position = token.end()
        word = token[0].upper()
        if word == "/*":
            position = _comment_end(text, position)
        elif word.startswith("$") and word.endswith("$") and len(word) > 1:
            position = _after(text, token[0], position)
        elif word.startswith("BEGIN") and word != "BEGIN":
            nested += 1
        elif nested and word in ("CASE", "END"):
            nested += 1 if word == "CASE" else -1
        elif word == ";" and not nested:
            behind = _BEHIND.match(text, position)
            position = behind.end() if behind else position
            yield position


def _after(text: str, mark: str, position: int) -> int:
    found = text.find(mark, position)
    return len(text) if found < 0 else found + len(mark)


def _comment_end(text: str, position: int) -> int:
    """Give the offset behind a block comment; PostgreSQL's nest."""
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position
