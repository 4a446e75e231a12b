"""What a repository of a hub holds at one commit, with the hash of every file."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pgduet.encoding.sources import HubSource
from pgduet.encoding.store.hub_settings import endpoint, without_secrets
from pgduet.encoding.store.layout import sha256_of

_BLOCK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """One file: `size` in bytes and its hash, `sha256` for one in large file storage, else `blob`, that of git."""

    name: str
    size: int
    sha256: str
    blob: str

    def matches(self, path: Path) -> bool:
        """Tell whether `path` holds exactly this file."""
        if path.stat().st_size != self.size:
            return False
        return sha256_of(path) == self.sha256 if self.sha256 else _git_blob(path) == self.blob


@dataclass(frozen=True)
class Listing:
    """The files of a repository, and the licence that its card tells, or empty."""

    files: tuple[RemoteFile, ...]
    licence: str


def write_listing(path: Path, source: HubSource, listing: Listing) -> None:
    """Keep a listing, so that an interrupted fetch can go on without asking again."""
    data = {**_origin(source), **asdict(listing)}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.replace(path)


def read_listing(path: Path, source: HubSource) -> Listing | None:
    """Return the listing kept at `path`, or None where there is none of this repository and commit that can be read.

    One that another HF_ENDPOINT gave counts as none: the user may have changed it because that one was wrong.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if {key: data[key] for key in _origin(source)} != _origin(source):
            return None
        return Listing(tuple(RemoteFile(**file) for file in data["files"]), data["licence"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _origin(source: HubSource) -> dict[str, str]:
    return {"endpoint": without_secrets(endpoint()), "repo": source.repo, "revision": source.revision}


def _git_blob(path: Path) -> str:
    """Hash a file as git does: sha1 over its kind, its length and its bytes."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
