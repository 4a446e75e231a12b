"""Reading a TOML table key by key, with errors that name the file, the table and the key."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pgduet.encoding.errors import ManifestError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
# A stored file stands in its encoder's folder: no separators, no way out of it.
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# These two reach pip's command line: nothing that is an option, an address, a path or a list of requirements.
_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!+_-]*")
_INSIDE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")


class Table:
    """A TOML table whose keys are taken out one by one; `finish` refuses what nobody asked for.

    Every method raises ManifestError when its key is absent or does not hold what it should.
    """

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._data = data
        self._where = where
        self._taken: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def _take(self, key: str, kind: type | tuple[type, ...], what: str) -> Any:
        self._taken.add(key)
        if key not in self._data:
            raise ManifestError(f"{self._where}: key `{key}` is missing", hint=f"it holds {what}")
        value = self._data[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(key, what)
        return value

    def wrong(self, key: str, what: str) -> ManifestError:
        """Return the error that says what `key` has to hold."""
        return ManifestError(f"{self._where}: key `{key}` must hold {what}, not {self._data[key]!r}")

    def fault(self, what: str) -> ManifestError:
        """Return the error that says what is wrong with the table as a whole."""
        return ManifestError(f"{self._where}: {what}")

    def text(self, key: str, *, empty: bool = False) -> str:
        """Take a string."""
        value: str = self._take(key, str, "a string")
        if not value and not empty:
            raise self.wrong(key, "a string that is not empty")
        return value

    def name(self, key: str) -> str:
        """Take a name that is safe as a folder's name."""
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.wrong(key, "a name of a-z, 0-9, '.', '_' and '-'")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Take one of the strings `allowed`."""
        value = self.text(key)
        if value not in allowed:
            raise self.wrong(key, "one of " + ", ".join(repr(a) for a in allowed))
        return value

    def count(self, key: str, least: int = 1, most: int = 2**31 - 1) -> int:
        """Take a whole number within bounds."""
        what = f"a whole number from {least} to {most}"
        value: int = self._take(key, int, what)
        if not least <= value <= most:
            raise self.wrong(key, what)
        return value

    def share(self, key: str) -> float:
        """Take a number from 0 to 1."""
        what = "a number from 0 to 1"
        value = float(self._take(key, (int, float), what))
        if not 0 <= value <= 1:
            raise self.wrong(key, what)
        return value

    def sha256(self, key: str) -> str:
        """Take a sha256."""
        return self._matching(key, _SHA256, "a sha256 in 64 hexadecimal digits")

    def commit(self, key: str) -> str:
        """Take the full hash of a commit: a branch or tag may move, and vectors with it."""
        return self._matching(key, _COMMIT, "the full hash of a commit, 40 hexadecimal digits")

    def repo(self, key: str) -> str:
        """Take the id of a repository."""
        return self._matching(key, _REPO, "the id of a repository, such as 'owner/name'")

    def package(self, key: str) -> str:
        """Take the name of a Python package, as PEP 508 spells it."""
        return self._matching(key, _PACKAGE, "the name of a Python package")

    def version(self, key: str) -> str:
        """Take one version of a Python package."""
        return self._matching(key, _VERSION, "a version, such as '1.0.2'")

    def inside(self, key: str) -> str:
        """Take the name of a folder inside an archive."""
        return self._matching(key, _INSIDE, "a folder inside the package, such as 'name/model', without '..'")

    def _matching(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self.wrong(key, what)
        return value

    def numbers(self, key: str) -> tuple[tuple[float, ...], ...]:
        """Take a list of rows of numbers, all of one length."""
        what = "a list of lists of numbers, all of one length"
        rows: list[Any] = self._take(key, list, what)
        lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
        if len(lengths) != 1 or 0 in lengths or not all(_is_number(value) for row in rows for value in row):
            raise self.wrong(key, what)
        return tuple(tuple(float(value) for value in row) for row in rows)

    def table(self, key: str) -> "Table":
        """Take a table."""
        return Table(self._take(key, dict, "a table"), f"{self._where} [{key}]")

    def tables(self, key: str) -> "list[Table]":
        """Take a list of tables."""
        what = "a list of tables"
        values: list[Any] = self._take(key, list, what)
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, what)
        return [Table(value, f"{self._where} [{key} {i}]") for i, value in enumerate(values, start=1)]

    def hashes(self, key: str) -> dict[str, str]:
        """Take a table of file names and their sha256."""
        what = "a table of file names and their sha256 in 64 hexadecimal digits"
        value: dict[str, Any] = self._take(key, dict, what)
        if not value:
            raise self.wrong(key, what)
        for file, digest in value.items():
            if not _FILE.fullmatch(file) or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
                raise self.wrong(key, what)
        return value

    def finish(self) -> None:
        """Refuse keys that were not taken."""
        if unknown := sorted(set(self._data) - self._taken):
            raise ManifestError(
                f"{self._where}: unknown key `{unknown[0]}`", hint="known keys: " + ", ".join(sorted(self._taken))
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
