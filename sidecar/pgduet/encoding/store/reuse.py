"""Encoders that the model store has already: other duets of the same encoder need nothing fetched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.manifest import Manifest, Slot, read_manifest
from pgduet.encoding.sources import FolderSource, PackageSource, Source
from pgduet.encoding.store.layout import MANIFEST, Place, mismatches, present_names


def stored_alike(slot: Slot, dtype: str, place: Place) -> Iterator[tuple[Slot, Path]]:
    """Yield `slot` with its hashes, and a folder of the store that holds its files, sound; the duet's own place first.

    They were made by the same recipe, or are the very files that `slot` pins. A folder is read again: what it holds may
    have changed, and is what the user means.
    """
    own = place.folder / slot.slot
    if slot.files and not mismatches(own, slot.files):
        yield slot, own
    if isinstance(slot.source, FolderSource):
        return
    for folder, manifest in _duets(place):
        for other in manifest.slots:
            known = _known(slot, dtype, other, manifest.dtype)
            if known and not mismatches(folder / other.slot, known.files):
                yield known, folder / other.slot


def without_files(source: Source) -> Source:
    """Return what names a source; the hashes of a package may be known only afterwards."""
    return replace(source, files={}) if isinstance(source, PackageSource) else source


def _duets(place: Place) -> Iterator[tuple[Path, Manifest]]:
    for name in sorted(present_names(place.store), key=lambda name: (name != place.name, name)):
        try:
            yield place.store / name, read_manifest(place.store / name / MANIFEST)
        except ManifestError:
            continue  # Of a newer version perhaps; `pgduet models list` tells of it.


def _known(slot: Slot, dtype: str, other: Slot, other_dtype: str) -> Slot | None:
    if slot.files:
        return slot if slot.files.items() <= other.files.items() else None
    alike = (without_files(slot.source), slot.adapter) == (without_files(other.source), other.adapter)
    # Other formats are stored as they come, whatever they are loaded in.
    if not alike or not other.files or (slot.source.format == "jina-v3" and dtype != other_dtype):
        return None
    if isinstance(slot.source, PackageSource) and slot.source.files not in ({}, getattr(other.source, "files", {})):
        return None
    return replace(slot, source=other.source, files=other.files)
