"""Cuts text that is too long into parts at line borders."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from pgduet.chunking.chunk import MAX_CHARACTERS, WINDOW_LINES, WINDOW_OVERLAP


def split_parts(text: str, limit: int = MAX_CHARACTERS) -> Iterator[tuple[int, str]]:
    """Cut `text` into parts of at most `limit` characters, as even as line borders let them be.

    Yields (lines of `text` above the part, part). A cut goes to a blank line rather than to another border of about
    the same place; only a line longer than `limit` is cut inside. The parts joined are `text`.
    """
    borders = _line_ends(text)
    position = 0
    while len(text) - position > limit:
        cut = _cut(text, borders, position, limit)
        yield bisect_right(borders, position), text[position:cut]
        position = cut
    if text:
        yield bisect_right(borders, position), text[position:]


def split_windows(text: str, limit: int = MAX_CHARACTERS) -> Iterator[tuple[int, str]]:
    """Cut `text` into windows of about 40 lines, each sharing its first 5 lines with the one before.

    Yields (lines of `text` above the window, window). A window has at most `limit` characters; a longer line is cut
    inside and shares nothing.
    """
    ends = _line_ends(text)
    first = 0
    while first < len(ends):
        start = ends[first - 1] if first else 0
        last = min(first + WINDOW_LINES, len(ends), bisect_right(ends, start + limit))
        if last <= first:
            line = text[start : ends[first]]
            yield from ((first, line[cut : cut + limit]) for cut in range(0, len(line), limit))
            first += 1
            continue
        yield first, text[start : ends[last - 1]]
        if last == len(ends):
            return
        shared = WINDOW_OVERLAP if last - first > 2 * WINDOW_OVERLAP and not _long(ends, last, limit) else 0
        first = last - shared


def _long(ends: list[int], line: int, limit: int) -> bool:
    return ends[line] - ends[line - 1] > limit


def _line_ends(text: str) -> list[int]:
    """List the offsets just behind each line, the last line included."""
    ends = list(accumulate(len(line) + 1 for line in text.split("\n")))
    ends[-1] -= 1
    return ends if len(ends) == 1 or ends[-1] > ends[-2] else ends[:-1]


def _cut(text: str, borders: list[int], position: int, limit: int) -> int:
    parts = -(-(len(text) - position) // limit)
    target = position + (len(text) - position) / parts
    low, high = bisect_right(borders, position), bisect_right(borders, position + limit)
    if low >= high:
        return min(position + limit, borders[low])
    return min(borders[low:high], key=lambda b: abs(b - target) + (0 if _blank_below(text, b) else limit / 8))


def _blank_below(text: str, border: int) -> bool:
    return text.startswith("\n", border)
