"""Whose batch is computed next, where several duets share one processor."""

import threading
from math import inf
from typing import Protocol


class Waiting(Protocol):
    """The work that waits for one duet."""

    def has_work(self, *, query: bool) -> bool:
        """Tell whether queries, or documents, wait."""
        ...


class Turns:
    """Let one duet compute at a time: queries of any of them first, otherwise one after the other.

    A batch takes all cores whichever duet it is for. Two at the same time would each take twice as long, and a query
    would share the cores with a stream of documents of the other duet; taking turns, it waits for one pass of a batch
    at most. All methods are called with `changed` held.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        # Whose last turn is longest ago stands first.
        self._members: list[Waiting] = []
        self._computing: Waiting | None = None
        # Has documents half computed, which only queries go before.
        self._paused: Waiting | None = None
        # When somebody who waits for the answer last asked any of them, by time.monotonic().
        self.hurried_at = -inf

    def join(self, member: Waiting) -> None:
        """Add a duet's work."""
        self._members.append(member)

    def leave(self, member: Waiting) -> None:
        """Remove a duet's work and end its turn; again does nothing."""
        if member in self._members:
            self._members.remove(member)
        if self._paused is member:
            self._paused = None
        self.end(member)

    def is_next(self, member: Waiting) -> bool:
        """Tell whether nothing is computed and this one has the turn."""
        if self._computing is not None:
            return False
        asked = (one for one in self._members if one.has_work(query=True))
        loaded = (one for one in self._members if one.has_work(query=False))
        return (next(asked, None) or self._paused or next(loaded, None)) is member

    def begin(self, member: Waiting) -> None:
        """Start a turn; the next one is for another, where another has work of the same kind."""
        self._computing = member
        if self._paused is member:
            self._paused = None
        self._members.remove(member)
        self._members.append(member)

    def pause(self, member: Waiting) -> None:
        """Stop in the middle of a turn: queries go first, then this member again."""
        self._paused = member
        self.end(member)

    def end(self, member: Waiting) -> None:
        """End the turn of a member, where it has it."""
        if self._computing is member:
            self._computing = None
            self.changed.notify_all()
