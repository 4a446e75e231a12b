"""Removing a duet from the model store."""

import shutil
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.store.catalogue import usage
from pgduet.encoding.store.layout import MANIFEST, Place, holds_duet, is_name, store_folder
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.report import Report, quiet


def removable(name: str, models_dir: Path | None = None) -> int:
    """Count the bytes that `remove` would free; those of files that another duet shares stay.

    Raises StoreError when there is nothing of that name.
    """
    return usage(_parts(Place(store_folder(models_dir), name))).free


def remove(name: str, models_dir: Path | None = None, report: Report = quiet) -> None:
    """Remove a duet from the store, and what an interrupted pull of it left; of a linked folder only the link goes.

    Waits for a pull of that duet, and reports that. Raises StoreError when there is nothing of that name, or it cannot
    be removed. A folder of that name that is no duet stays.
    """
    place = Place(store_folder(models_dir), name)
    _parts(place)
    try:
        with only_one(place.lock, report):
            _remove(place)
    except OSError as error:
        raise StoreError(f"cannot remove the duet {name!r} from {place.store}: {error}") from error


def _remove(place: Place) -> None:
    parts = _parts(place)
    if place.folder in parts:
        # Out of sight in one step first, so that an interruption leaves no half of a duet under its name.
        discard(place.old)
        place.folder.rename(place.old)
    for path in place.unfinished:
        discard(path)


def discard(path: Path) -> None:
    """Remove a folder, or a link and not what is behind it; do nothing where there is none."""
    if path.is_symlink():
        path.unlink()
    elif path.is_dir():
        # First, so that what an interruption leaves is not taken for a duet.
        (path / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(path)


def _parts(place: Place) -> list[Path]:
    paths = [path for path in place.unfinished if path.is_dir() or path.is_symlink()] if is_name(place.name) else []
    if is_name(place.name) and holds_duet(place.folder):
        paths.insert(0, place.folder)
    if not paths:
        raise StoreError(
            f"there is nothing of the duet {place.name!r} in the model store {place.store}",
            hint="see: pgduet models list",
        )
    return paths
