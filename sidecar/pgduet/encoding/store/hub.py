"""Fetching the files of a hub source: one commit of one repository, every file checked, through every kind of weather.

The hub client gives up on a 503 of a file and on a short body, and takes a body of the right size for the right body;
so each file is fetched with pauses in between and then checked against the hash in the repository's listing.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)
from huggingface_hub.utils import logging

from pgduet.encoding.errors import StoreError
from pgduet.encoding.sources import HubSource
from pgduet.encoding.store.hub_answer import ask
from pgduet.encoding.store.hub_errors import UNUSABLE, briefly, explain, gave_up, unusable
from pgduet.encoding.store.hub_settings import endpoint, is_offline, require_address
from pgduet.encoding.store.listing import Listing, RemoteFile, read_listing, write_listing
from pgduet.encoding.store.report import Report

# Seconds between the tries for one file; the hub client itself goes on five times where a connection breaks.
PAUSES = (2.0, 5.0, 15.0, 30.0)
_LISTING = ".listing.json"
_Result = TypeVar("_Result")


def look(source: HubSource, folder: Path, report: Report) -> Listing:
    """Ask the hub once what the repository holds at that commit; the answer is kept in `folder`.

    Raises StoreError when it cannot be had, or is about another commit.
    """
    if listing := read_listing(folder / _LISTING, source):
        return listing
    if is_offline():
        raise offline(source, "its list of files")
    title = f"looking at {source.repo}"
    report(title, 0, 0)
    listing = _insist(source, "its list of files", report, lambda: ask(source))
    folder.mkdir(parents=True, exist_ok=True)
    write_listing(folder / _LISTING, source, listing)
    return listing


def fetch(
    source: HubSource, files: list[RemoteFile], folder: Path, report: Report, inspect: Callable[[Path], None]
) -> None:
    """Put `files` of the repository into `folder`, small ones first; those that are there already are kept.

    Calls `inspect` with each file once it is there and right, so that it can refuse before the big ones are fetched.
    Raises StoreError when a file cannot be had, or is not the one of the listing, twice in a row.
    """
    title = f"fetching {source.repo}"
    total = sum(file.size for file in files)
    done = 0
    report(title, done, total)
    for file in sorted(files, key=lambda file: (file.size, file.name)):
        _fetch_one(source, file, folder, _Progress(title, done, total, report))
        done += file.size
        report(title, done, total)
        inspect(folder / file.name)


def missing(files: list[RemoteFile], folder: Path) -> list[RemoteFile]:
    """Return those of `files` that are not in `folder` with the right size."""
    return [file for file in files if not _has_size(folder / file.name, file.size)]


def offline(source: HubSource, what: str) -> StoreError:
    """Return the error for something that is not here while no request may be made."""
    return StoreError(
        f"HF_HUB_OFFLINE is set, and {what} of {source.repo} is not here yet",
        hint="unset HF_HUB_OFFLINE and repeat the command where the hub can be reached; what is here is kept",
    )


def _fetch_one(source: HubSource, file: RemoteFile, folder: Path, progress: "_Progress") -> None:
    path = folder / file.name
    # The second time past the user's own cache, which may be where the wrong bytes come from.
    for cache in (None, folder / ".cache" / "none"):
        if path.is_file():
            if file.matches(path):
                return
            path.unlink()
        if is_offline():
            raise offline(source, file.name)
        _insist(source, file.name, progress.report, functools.partial(_download, source, file, folder, cache, progress))
    if not file.matches(path):
        path.unlink()
        # The listing itself may be what is wrong.
        (folder / _LISTING).unlink(missing_ok=True)
        raise StoreError(
            f"{file.name} of {source.repo} came twice with other content than the hub itself lists for it",
            hint="a mirror or proxy on the way changes it; repeat later, or set HF_ENDPOINT to another address",
        )


def _download(source: HubSource, file: RemoteFile, folder: Path, cache: Path | None, progress: "_Progress") -> None:
    # What it would say is told by our own errors and progress.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    hf_hub_download(
        source.repo,
        file.name,
        revision=source.revision,
        local_dir=folder,
        cache_dir=cache,
        endpoint=endpoint() or None,
        tqdm_class=progress.bar(),
    )


def _insist(source: HubSource, what: str, report: Report, action: Callable[[], _Result]) -> _Result:
    """Do `action`, again after each pause while what goes wrong may pass."""
    require_address()
    for attempt, pause in enumerate((*PAUSES, None), 1):
        try:
            return action()
        # The last is how the client's second way of fetching tells that a connection failed.
        except (*UNUSABLE, httpx2.RequestError, OSError, RuntimeError) as error:
            reason = _reason(error)
            if isinstance(reason, UNUSABLE) and not isinstance(reason, HfHubHTTPError):
                # The error itself may show the token.
                raise unusable(reason) from None
            if isinstance(reason, OfflineModeIsEnabled):
                raise offline(source, what) from error
            if told := explain(reason, source):
                raise told from error
            if isinstance(reason, OSError) and reason.errno is not None and not isinstance(reason, HfHubHTTPError):
                raise  # The disk, not the network.
            if pause is None:
                raise gave_up(reason, source, what, attempt) from error
            again = f"fetching {what} of {source.repo} again, try {attempt + 1} of {len(PAUSES) + 1}"
            report(f"{again}: {briefly(reason)}", 0, 0)
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _reason(error: BaseException) -> BaseException:
    """Look behind the hub client's "not in the cache", which hides why it could not ask."""
    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


class _Progress:
    """Turns the hub client's progress of one file into the progress of the repository."""

    def __init__(self, title: str, before: int, total: int, report: Report) -> None:
        self.title, self.before, self.total, self.report = title, before, total, report

    def bar(self) -> type[Any]:
        """Return a class with as much of tqdm's interface as the hub client uses."""
        progress = self

        class Bar:
            def __init__(self, initial: int = 0, total: float | None = None, **_: object) -> None:
                self.n, self.total = initial, total

            def update(self, count: float | None = 1) -> None:
                self.n += int(count or 0)
                progress.report(progress.title, progress.before + self.n, progress.total)

            def ignore(self, *_: object, **__: object) -> None:
                """Show nothing."""

            close = refresh = set_postfix_str = update_transfer = set_transfer_postfix_str = ignore

            def __enter__(self) -> "Bar":
                return self

            def __exit__(self, *_: object) -> None:
                return None

        return Bar
