"""How numbers, times and places are written on the pages."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

_UNITS = ((86400 * 2, 86400, "d"), (7200, 3600, "h"), (120, 60, "min"))
_SIZES = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))
NOTHING = "\N{EN DASH}"


def duration(seconds: float | None) -> str:
    """Write seconds in the unit that suits them."""
    if seconds is None:
        return NOTHING
    for least, size, unit in _UNITS:
        if seconds >= least:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(number: float | None) -> str:
    """Write bytes in the unit that suits them."""
    if number is None:
        return NOTHING
    for factor, unit in _SIZES:
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number:.0f} B"


def count(number: float | None) -> str:
    """Write a whole number with its thousands apart."""
    return NOTHING if number is None else f"{number:,.0f}"


def decimal(number: float | None, places: int = 3) -> str:
    """Write a number with so many decimal places."""
    # Adding 0 makes -0 a plain 0.
    return NOTHING if number is None else f"{round(number, places) + 0.0:.{places}f}"


def moment(time: datetime | None) -> str:
    """Write a time in UTC, to the minute."""
    return NOTHING if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def place(one: Any) -> str:
    """Write where a chunk stands: repository, path and lines, or its number."""
    where = "/".join(part for part in (one.repo, one.path) if part) or f"chunk {one.chunk_id}"
    start, end = getattr(one, "start_line", None), getattr(one, "end_line", None)
    return f"{where}:{start}-{end}" if start else where


FILTERS: dict[str, Callable[..., str]] = {
    "duration": duration,
    "size": size,
    "count": count,
    "decimal": decimal,
    "moment": moment,
    "place": place,
}
