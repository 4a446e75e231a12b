"""What is in the model store, complete or not, and what it takes on the disk."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.manifest import Manifest, parse_manifest, read_manifest, ready_made
from pgduet.encoding.store.layout import MANIFEST, Place, is_name, present_names, store_folder


@dataclass(frozen=True)
class Listed:
    """A name that the store knows: of a duet `present` in it, of a ready-made one, or of one left half made.

    `manifest` is None where there is none that can be read; `problem` says why. `partial` tells of an interrupted pull
    or import. `size` counts the bytes that all of it takes on the disk.
    """

    name: str
    manifest: Manifest | None
    problem: str
    present: bool
    partial: bool
    size: int


@dataclass(frozen=True)
class Usage:
    """Bytes on the disk: those `taken`, and those that removing would set `free`."""

    taken: int
    free: int


def list_duets(models_dir: Path | None = None) -> list[Listed]:
    """Return the duets in the store, those left half made, and the ready-made ones, in the order of their names."""
    store = store_folder(models_dir)
    present = set(present_names(models_dir))
    names = {*ready_made(), *present, *_interrupted_names(store)}
    return [_listed(Place(store, name), name in present) for name in sorted(names)]


def _listed(place: Place, present: bool) -> Listed:
    manifest, problem = None, ""
    try:
        if present:
            manifest = read_manifest(place.folder / MANIFEST)
        elif place.name in ready_made():
            manifest = parse_manifest(ready_made()[place.name], f"{place.name}.toml")
    except ManifestError as error:
        problem = str(error)
    partial = any(path.exists() for path in place.unfinished)
    paths = [place.folder] if present else []
    return Listed(place.name, manifest, problem, present, partial, usage([*paths, *place.unfinished]).taken)


def _interrupted_names(store: Path) -> Iterator[str]:
    for path in store.glob(".*"):
        name, _, end = path.name[1:].rpartition(".")
        # The lock file of a duet stays when the duet is gone.
        if end != "lock" and is_name(name) and path in Place(store, name).unfinished:
            yield name


def usage(folders: Iterable[Path]) -> Usage:
    """Count the bytes that the files in `folders` take on the disk; a pull may change them meanwhile.

    A file with several links is counted once, and only set free where all of its links are in these folders.
    """
    links: dict[tuple[int, int], int] = defaultdict(int)
    taken = free = 0
    for folder in folders:
        # What is behind a link at the top stands elsewhere: it is neither taken here nor removed.
        for path in [] if folder.is_symlink() else _files(folder):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            key = status.st_dev, status.st_ino
            links[key] += 1
            taken += status.st_blocks * 512 * (links[key] == 1)
            free += status.st_blocks * 512 * (links[key] == status.st_nlink)
    return Usage(taken, free)


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)
