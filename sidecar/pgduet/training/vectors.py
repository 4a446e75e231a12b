"""Vectors of evaluation texts: encoded once, kept in a file on request."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgduet.encoding import Manifest, Role, fingerprint_of
from pgduet.training.errors import DataError
from pgduet.training.ranking import Halves

if TYPE_CHECKING:
    from pgduet.encoding import Duet

# Called with what is being done, how many texts are done, and of how many.
Report = Callable[[str, int, int], None]
Texts = Mapping[Role, Sequence[str]]

_BATCH = 64
_WHAT = {Role.QUERY: "queries", Role.DOCUMENT: "codes"}


def halves_key(manifest: Manifest) -> str:
    """Return the fingerprint of a duet as if its halves weighed the same: halves do not depend on their weights."""
    equal = replace(manifest, code=replace(manifest.code, weight=0.5), text=replace(manifest.text, weight=0.5))
    return fingerprint_of(equal)


def encode(duet: "Duet", texts: Sequence[str], role: Role, report: Report) -> Halves:
    """Encode texts into both halves, in order; 10 kB of memory a text.

    Texts of like length share a batch, and batches run in a fixed shuffled order, so that the time left can be told.
    """
    by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    batches = [by_length[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
    results = []
    rows: list[int] = []
    report(_WHAT[role], 0, len(texts))
    for number in np.random.default_rng(0).permutation(len(batches)):
        batch = batches[number]
        results.append(duet.halves(duet.tokenise([texts[row] for row in batch], role)))
        rows += batch
        report(_WHAT[role], len(rows), len(texts))
    code, text, finite = (np.concatenate(part) for part in zip(*results, strict=True))
    return Halves(code, text, finite).take(np.argsort(rows))


@dataclass(frozen=True)
class Vectors:
    """The halves of the texts of each role, and the error where they could not be kept in their file."""

    halves: dict[Role, Halves]
    unsaved: DataError | None


def vectors_of(texts: Texts, key: str, load: Callable[[], "Duet"], path: Path | None, report: Report) -> Vectors:
    """Return the halves of the texts of each role; `load` is called only when a text has to be encoded.

    `path` is a file of vectors made by an earlier call: texts found in it, by their hash, are not encoded again, and
    new ones are added. Raises DataError when it is not such a file, belongs to halves of another `key`, or cannot be
    written; where writing fails only after the texts were encoded, the error is returned beside their vectors.
    """
    unsaved = None
    stored = _read(path, key) if path else _Stored.empty()
    missing = {
        role: [text for text in dict.fromkeys(some) if _digest(role, text) not in stored.rows]
        for role, some in texts.items()
    }
    if any(missing.values()):
        if path:
            _require_writable(path)
        duet = load()
        for role, some in missing.items():
            if some:
                stored = stored.extended([_digest(role, text) for text in some], encode(duet, some, role, report))
        if path:
            unsaved = _write(path, key, stored)
    halves = {
        role: stored.halves.take(np.array([stored.rows[_digest(role, text)] for text in some], np.int64))
        for role, some in texts.items()
    }
    return Vectors(halves, unsaved)


class _Stored:
    """Halves by the digest of role and text."""

    def __init__(self, digests: Sequence[bytes], halves: Halves | None) -> None:
        self.rows = {digest: row for row, digest in enumerate(digests)}
        self._halves = halves

    @classmethod
    def empty(cls) -> "_Stored":
        return cls([], None)

    @property
    def halves(self) -> Halves:
        assert self._halves is not None
        return self._halves

    def extended(self, digests: Sequence[bytes], more: Halves) -> "_Stored":
        if self._halves is None:
            return _Stored(digests, more)
        old = self._halves
        joined = Halves(
            np.concatenate([old.code, more.code]),
            np.concatenate([old.text, more.text]),
            np.concatenate([old.finite, more.finite]),
        )
        return _Stored([*self.rows, *digests], joined)


def _digest(role: Role, text: str) -> bytes:
    return hashlib.sha256(f"{role}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _read(path: Path, key: str) -> _Stored:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = str(file["key"])
            halves = Halves(file["code"], file["text"], file["finite"])
            digests = [bytes(row) for row in file["digests"]]
        if {len(halves.code), len(halves.text), len(halves)} != {len(digests)}:
            raise ValueError("its arrays are not of one length")
    except FileNotFoundError:
        return _Stored.empty()
    # A type error for an array on its own, which is no archive.
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a file of vectors: {error}", hint="delete it, or name another file") from error
    if found != key:
        raise DataError(
            f"the vectors in {path} are of other encoders ({found}, needed: {key})",
            hint="delete it, or name another file",
        )
    return _Stored(digests, halves)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _require_writable(path: Path) -> None:
    """Raise DataError where the file cannot be written: encoding may take hours."""
    try:
        _part(path).touch()
    except OSError as error:
        raise _unwritable(path, error) from error
    _part(path).unlink()


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot write the vectors to {path}: {error}", hint="name a file in a writable folder")


def _write(path: Path, key: str, stored: _Stored) -> DataError | None:
    """Write the file whole or not at all; return what went wrong."""
    digests = np.frombuffer(b"".join(stored.rows), np.uint8).reshape(-1, 32)
    halves = stored.halves
    part = _part(path)
    try:
        with part.open("wb") as file:
            np.savez(file, key=key, digests=digests, code=halves.code, text=halves.text, finite=halves.finite)
        part.replace(path)
    except OSError as error:
        return _unwritable(path, error)
    finally:
        part.unlink(missing_ok=True)
    return None
