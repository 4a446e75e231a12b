"""Telling what is being done while a duet is fetched."""

from collections.abc import Callable

# Called with what is being done, how much of it is done, and of how much (0: not known, NOTE: nothing to wait for).
Report = Callable[[str, int, int], None]
NOTE = -1


def quiet(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""
