"""Finds the files of a tree, in an order that is the same every time."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgduet.ingest.ignoring import Ignoring
from pgduet.ingest.roots import Root


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Other people's code, and what tools leave behind. A folder given by name is walked whatever it is called.
SKIPPED_FOLDERS = _words(
    """
    .git .hg .svn .bzr .jj node_modules bower_components jspm_packages vendor third_party site-packages Pods
    __pycache__ .venv venv virtualenv .virtualenv .tox .nox .eggs .mypy_cache .pytest_cache .ruff_cache .hypothesis
    .gradle .terraform .next .nuxt .yarn .cargo .idea .vs DerivedData
    """
)
# A longer path would not fit into the index on (source, source_key).
_LONGEST_PATH = 1000
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one file or folder: `path` counts from the repository's top, `reason` says why it is skipped, if it is.

    What is `unsure` could not be read: nobody knows whether it changed.
    """

    path: str
    reason: str = ""
    unsure: bool = False


def walk(root: Root) -> Iterator[Found]:
    """Yield every file below `root` in order of its name, and what is skipped with the reason.

    Skipped are what .gitignore files exclude (not a file given by name), symbolic links, folders of other people's code
    and caches, and what cannot be read.
    """
    if root.target.is_dir():
        yield from _Walk(root).below(root.target)
    else:
        yield Found(root.below)


class _Walk:
    def __init__(self, root: Root) -> None:
        self._base = root.base
        self._ignoring = Ignoring(root.base)
        folders = [root.target, *root.target.parents]
        if any(self._ignoring.ignores(f, folder=True) for f in folders[: folders.index(root.base)]):
            # Given by name, an ignored folder is wanted; the rules inside still hold.
            self._ignoring = Ignoring(root.target)

    def below(self, top: Path) -> Iterator[Found]:
        waiting = [top]
        while waiting:
            here = waiting.pop()
            folder = os.path.isdir(here) and not os.path.islink(here)
            reason = "" if here == top else self._reason(here, folder)
            if reason or not folder:
                yield Found(self._name(here), reason, unsure=reason == _UNREADABLE)
                continue
            try:
                waiting.extend(here / name for name in sorted(os.listdir(here), reverse=True))
            except OSError:
                yield Found(self._name(here), _UNREADABLE, unsure=True)

    def _reason(self, here: Path, folder: bool) -> str:
        """Say why a file or folder is skipped without a look inside."""
        if not os.path.lexists(here):
            return _UNREADABLE
        if os.path.islink(here):
            return "symbolic link"
        if folder and (here.name in SKIPPED_FOLDERS or os.path.exists(here / "pyvenv.cfg")):
            return "folder of dependencies or caches"
        if self._ignoring.ignores(here, folder=folder):
            return "ignored by .gitignore"
        if not folder and not os.path.isfile(here):
            return "not a regular file"
        name = os.fsencode(self._base_relative(here))
        if len(name) > _LONGEST_PATH or not _is_utf8(name):
            return "name too long or not UTF-8"
        return ""

    def _name(self, path: Path) -> str:
        """Give a path as text that any output takes."""
        return os.fsencode(self._base_relative(path)).decode("utf-8", "replace")

    def _base_relative(self, path: Path) -> str:
        return path.relative_to(self._base).as_posix()


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
