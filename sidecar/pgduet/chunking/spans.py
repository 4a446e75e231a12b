"""Shares the bytes of a file out among its definitions and what lies between them: every byte to one span."""

import re
from dataclasses import dataclass

from pgduet.chunking.chunk import WORD, Kind
from pgduet.chunking.definitions import Definition, Outline

# Text that ends something above it, and text that only introduces what is below it.
_CLOSING = re.compile(
    r"(?:\s*(?:end\b|#\s*endif\b.*|[})\]]+[;,]?(?:\(\))?;?)[ \t]*(?:(?://|#).*|/\*.*\*/)?(?:\n|$))+\s*"
)
_OPENING = re.compile(r"\s*(?:<\?php|#!.*)\s*")
_REST_OF_LINE = re.compile(rb"[^\w\n\x80-\xff\"'`#/]*")
_LF = ord("\n")
_SAME_LINE = re.compile(rb"[^;{}\n]{0,80}\Z")


@dataclass(slots=True)
class Span:
    """Hold a piece of the source by byte offsets, end excluded."""

    start: int
    end: int
    symbol: str
    kind: Kind


def share_out(outline: Outline, source: bytes) -> list[Span]:
    """Cut `source` into spans in order; what holds no word is dropped, or given to the span it closes or opens.

    A class with methods gives its head to a "class" span and what follows between its methods to "block" spans under
    its name; a function or a class without methods is one span.
    """
    return _Sweep(outline, source).run()


class _Sweep:
    def __init__(self, outline: Outline, source: bytes) -> None:
        self._outline = outline
        self._source = source
        self._position = 0
        self._spans: list[Span] = []
        self._open: list[Definition] = []
        self._headed: set[int] = set()

    def run(self) -> list[Span]:
        for definition in self._outline.definitions:
            while self._open and self._open[-1].end <= definition.start:
                self._close()
            start = self._start_of(definition)
            if definition.end <= self._position:
                continue
            self._fill(start)
            if definition.shape == "class" and not definition.whole:
                self._open.append(definition)
            else:
                kind: Kind = "class" if definition.shape == "class" else "method" if definition.method else "function"
                self._take(self._end_of(definition.end), definition.symbol, kind)
        while self._open:
            self._close()
        self._fill(len(self._source))
        return self._spans

    def _close(self) -> None:
        self._fill(self._end_of(self._open[-1].end))
        self._open.pop()

    def _fill(self, end: int) -> None:
        """Give what lies between the last span and `end` to the class around, or to a block."""
        if end <= self._position:
            return
        owner = self._open[-1] if self._open else None
        text = self._source[self._position : end].decode("utf-8", "replace")
        if not WORD.search(text):
            self._position = end
        elif self._spans and _CLOSING.fullmatch(text):
            self._spans[-1].end = self._position = end
        elif not _OPENING.fullmatch(text) or end == len(self._source):
            head = owner is not None and owner.start not in self._headed
            if owner:
                self._headed.add(owner.start)
            self._take(end, owner.symbol if owner else "", "class" if head else "block")

    def _take(self, end: int, symbol: str, kind: Kind) -> None:
        start = self._position
        if start and self._source[start - 1] != _LF:
            # Blanks inside a line are no indentation.
            start = end - len(self._source[start:end].lstrip(b" \t"))
        self._spans.append(Span(start, end, symbol, kind))
        self._position = end

    def _start_of(self, definition: Definition) -> int:
        """Reach up over decorators and comments directly above, and to the start of the line where nothing bars it."""
        floor = max(self._position, self._open[-1].start if self._open else 0)
        start = self._to_line_start(definition.start, floor)
        while True:
            end = self._back_over_blanks(start, floor)
            if end > floor and self._source[end - 1] == _LF:
                end = self._back_over_blanks(end - 1, floor)
            lead = self._outline.leads.get(end)
            if lead is None or lead < floor:
                return start
            line_start = max(self._source.rfind(b"\n", 0, lead) + 1, floor)
            if self._source[line_start:lead].strip() and b"\n" in self._source[end:start]:
                return start
            start = self._to_line_start(lead, floor)

    def _back_over_blanks(self, offset: int, floor: int) -> int:
        while offset > floor and self._source[offset - 1] in b" \t":
            offset -= 1
        return offset

    def _to_line_start(self, offset: int, floor: int) -> int:
        line_start = max(self._source.rfind(b"\n", 0, offset) + 1, floor)
        begins = line_start == 0 or self._source[line_start - 1 : line_start] == b"\n"
        return line_start if begins and _SAME_LINE.match(self._source, line_start, offset) else offset

    def _end_of(self, end: int) -> int:
        """Reach on over closing signs and a comment behind, to the end of the line where nothing else follows."""
        rest = _REST_OF_LINE.match(self._source, end)
        stop = rest.end() if rest else end
        line_end = self._source.find(b"\n", stop)
        line_end = len(self._source) if line_end < 0 else line_end
        if stop == line_end or self._outline.leads.get(line_end) == stop:
            return min(line_end + 1, len(self._source))
        return end
