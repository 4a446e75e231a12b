"""Exchanging a duet in the model store for the one that was made beside it."""

import os
from contextlib import suppress
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.store.layout import MANIFEST, Place, holds_duet
from pgduet.encoding.store.removal import discard


def put_in_place(place: Place) -> None:
    """Put the finished duet in its place; what stood there is moved aside first, since folders do not overwrite.

    Raises StoreError where what stands there is no duet.
    """
    refuse_stranger(place)
    try:
        if os.path.lexists(place.folder):
            discard(place.old)
            place.folder.rename(place.old)
        place.partial.rename(place.folder)
    except BaseException:
        put_back(place)
        raise
    clear(place)


def put_back(place: Place) -> None:
    """Put back the duet that an exchange moved aside before it was interrupted."""
    if not os.path.lexists(place.folder) and holds_duet(place.old):
        place.old.rename(place.folder)


def clear(place: Place) -> None:
    """Remove what only stands there while the duet is being made."""
    for path in place.unfinished:
        # The duet is complete; the next pull tries again, and `pgduet models list` counts what is left.
        with suppress(OSError):
            discard(path)


def refuse_stranger(place: Place) -> None:
    """Raise StoreError where something that is no duet has the duet's place; it may be the user's own."""
    if os.path.lexists(place.folder) and not holds_duet(place.folder):
        raise StoreError(
            f"{place.folder} is in the way: it is no duet, as it holds no {MANIFEST}, and is left as it is",
            hint="give the duet another name, move that folder elsewhere, or use another folder as the model store",
        )


def stands_within(path: Path, place: Place) -> bool:
    """Tell whether `path` is, or is in, a folder that goes when the duet is exchanged."""
    within = path.resolve()
    return any(within.is_relative_to(folder.resolve()) for folder in (place.folder, *place.unfinished))
