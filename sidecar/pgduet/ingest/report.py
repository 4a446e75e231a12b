"""What an ingest says while it runs and at its end."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Report:
    """Count what an ingest did: files read, chunks by what became of them, skipped files by reason, seconds.

    A skipped folder counts once. `moved` chunks kept their content and got other lines.
    """

    files: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    deleted: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def chunks(self) -> int:
        """Give the number of chunks that the files read now have in the database."""
        return self.new + self.changed + self.moved + self.unchanged


class Progress(Protocol):
    """Follow an ingest while it runs."""

    def begin(self, files: int) -> None:
        """Take the number of files that will be looked at."""

    def file(self, path: str) -> None:
        """Take note that a file is done with, its full slices written, or skipped."""

    def loaded(self, chunks: int) -> None:
        """Take note of chunks written and committed."""

    def skip(self, path: str, reason: str) -> None:
        """Take note of a file or folder left out."""


class Silent:
    """Follow an ingest without a word."""

    def begin(self, files: int) -> None:
        """Take no note."""

    def file(self, path: str) -> None:
        """Take no note."""

    def loaded(self, chunks: int) -> None:
        """Take no note."""

    def skip(self, path: str, reason: str) -> None:
        """Take no note."""
