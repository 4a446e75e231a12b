"""Brings the database in step with files: reads, cuts, compares and writes in slices."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pgduet.chunking import chunk_code
from pgduet.database import chunks as table
from pgduet.database.chunks import ChunkRow
from pgduet.database.connection import Connection
from pgduet.ingest.difference import Difference, compare, name_chunks
from pgduet.ingest.reading import NotCodeError, read_code
from pgduet.ingest.report import Progress, Report, Silent
from pgduet.ingest.roots import Root, find_roots
from pgduet.ingest.walk import Found, walk

DEFAULT_MAX_BYTES = 1_000_000
# Each statement waits for the model on its rows: large enough for a full batch, small enough for a Ctrl-C.
SLICE = 64
# Statements that need no model.
_LIGHT_SLICE = 1000
_FILES = 100

_Item = TypeVar("_Item")


def ingest(
    paths: Sequence[Path | str],
    *,
    connection: Connection,
    repo: str | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring `pgduet.code_chunks` in step with files and trees, touching only what changed.

    Chunks of files that are gone from below the paths are deleted; other sources and other parts of the repository
    are left alone. Each slice commits by itself, so that an interrupted run goes on where it stopped. `dry_run` only
    counts. Raises PgduetError for paths that cannot be read and for what the database or the sidecar refuses.
    """
    started = time.monotonic()
    run = _Run(connection, max_bytes, dry_run, progress or Silent())
    roots = find_roots([Path(path) for path in paths], repo)
    found = {root: list(walk(root)) for root in roots}
    run.progress.begin(sum(not f.reason for files in found.values() for f in files))
    for root, files in found.items():
        run.bring_up_to_date(root, files)
    run.report.seconds = time.monotonic() - started
    return run.report


class _Run:
    def __init__(self, connection: Connection, max_bytes: int, dry_run: bool, progress: Progress) -> None:
        self.report = Report()
        self.progress = progress
        self._connection = connection
        self._max_bytes = max_bytes
        self._dry_run = dry_run
        self._new: list[ChunkRow] = []
        self._changed: list[ChunkRow] = []

    def bring_up_to_date(self, root: Root, found: list[Found]) -> None:
        kept: set[str] = set()
        for skipped in (f for f in found if f.reason):
            self._skip(skipped.path, skipped.reason)
        unsure = [f.path for f in found if f.unsure]
        for batch in _slices([f.path for f in found if not f.reason], _FILES):
            kept.update(self._read_batch(root, batch, unsure))
        self._flush(1)
        self._delete_gone(root, kept, unsure)

    def _read_batch(self, root: Root, paths: Sequence[str], unsure: list[str]) -> list[str]:
        """Bring some files up to date; give back those that are code, and add those that cannot be read to `unsure`."""
        rows = {}
        for path in paths:
            try:
                text = read_code(root.base / path, self._max_bytes)
                rows[path] = name_chunks(chunk_code(text, path=path), root.repo, path, root.source)
            except NotCodeError as reason:
                self._skip(path, str(reason))
                self.progress.file(path)
            except OSError:
                self._skip(path, "unreadable")
                self.progress.file(path)
                unsure.append(path)
        stored = table.read_stored(self._connection, root.source, list(rows))
        for path, named in rows.items():
            self.report.files += 1
            self._apply(compare(named, stored[path]))
            self.progress.file(path)
        return list(rows)

    def _apply(self, difference: Difference) -> None:
        report = self.report
        report.new += len(difference.new)
        report.changed += len(difference.changed)
        report.moved += len(difference.moved)
        report.unchanged += difference.unchanged
        report.deleted += len(difference.gone)
        if self._dry_run:
            return
        for ids in _slices(difference.gone, _LIGHT_SLICE):
            table.delete_chunks(self._connection, ids)
        for moved in _slices(difference.moved, _LIGHT_SLICE):
            table.update_chunks(self._connection, moved)
        self._new += difference.new
        self._changed += difference.changed
        self._flush(SLICE)

    def _flush(self, least: int) -> None:
        """Write full slices; with `least` 1 also what is left over."""
        for waiting, write in ((self._new, table.insert_chunks), (self._changed, table.update_chunks)):
            while len(waiting) >= least:
                write(self._connection, waiting[:SLICE])
                self.progress.loaded(len(waiting[:SLICE]))
                del waiting[:SLICE]

    def _delete_gone(self, root: Root, kept: set[str], unsure: list[str]) -> None:
        """Delete what is stored of files below `root` that are no longer there, or no longer code."""
        stored = table.read_paths(self._connection, root.source, root.below)
        gone = sorted(p for p in stored if p not in kept and not any(_is_below(p, folder) for folder in unsure))
        self.report.deleted += sum(stored[path] for path in gone)
        if not self._dry_run:
            for paths in _slices(gone, _FILES):
                table.delete_files(self._connection, root.source, paths)

    def _skip(self, path: str, reason: str) -> None:
        self.report.skipped[reason] += 1
        self.progress.skip(path, reason)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or folder in ("", ".") or path.startswith(f"{folder}/")


def _slices(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
