"""Putting a duet into the model store: look, ask, fetch, convert, write down, and one rename at the end."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from pgduet.encoding import self_test
from pgduet.encoding.errors import StoreError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest, Slot, read_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store import licence
from pgduet.encoding.store.exchange import clear, put_back, put_in_place, stands_within
from pgduet.encoding.store.fill import Filler
from pgduet.encoding.store.layout import MANIFEST, REFERENCES, Place, sha256_of, store_folder
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.report import Report, quiet
from pgduet.encoding.store.stored import is_sound, other_duet, read_stored, refuse_other, settled, with_attention

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def import_file(
    path: Path,
    models_dir: Path | None = None,
    report: Report = quiet,
    *,
    accept_licence: bool = False,
    replace_other: bool = False,
) -> Path:
    """Put the duet that the manifest file `path` describes into the model store; return its folder.

    Raises ManifestError when the file is not a manifest, StoreError when its name belongs to a ready-made duet, and
    whatever `install` raises.
    """
    manifest = read_manifest(path)
    if manifest.name in ready_made():
        raise StoreError(
            f"{manifest.name!r} is the name of a ready-made duet",
            hint=f"give the duet in {path} a name of its own",
        )
    return install(manifest, path.parent, models_dir, report, accept_licence, replace_other=replace_other)


def install(
    manifest: Manifest,
    origin_folder: Path | None,
    models_dir: Path | None,
    report: Report,
    accept_licence: bool,
    *,
    replace_other: bool = False,
) -> Path:
    """Fetch, check and convert what `manifest` describes; return the folder of the duet.

    Relative folders count from `origin_folder`. Writes nothing when all is there; mends what is damaged; goes on where
    it was interrupted. Raises StoreError when a licence was not accepted, the disk is too small, a file cannot be had
    or is not the right one, something that is no duet has its place, or, without `replace_other`, the store has another
    duet of that name; WeightsError or SelfTestError when the files make no duet.
    """
    store = store_folder(models_dir)
    recipe = _rooted(manifest, origin_folder)
    place = Place(store, manifest.name)
    folders = [Path(slot.source.path) for slot in recipe.slots if isinstance(slot.source, FolderSource)]
    with telling_disk_errors(store, folders):
        _refuse_own_folders(recipe, place)
        report("checking", 0, 0)
        if _is_complete(recipe, place, replace_other) and not _can_be_cleared(place):
            return place.folder
        store.mkdir(parents=True, exist_ok=True)
        with only_one(place.lock, report):
            put_back(place)
            if _is_complete(recipe, place, replace_other):
                clear(place)
            else:
                _install(recipe, place, report, accept_licence, replace_other)
    return place.folder


def _is_complete(recipe: Manifest, place: Place, replace_other: bool) -> bool:
    """Tell whether the duet stands in its place, sound; what a folder holds is only known when it has been copied.

    Raises StoreError when another one stands there, unless it may be replaced.
    """
    stored = read_stored(place, replace_other)
    if stored is None:
        return False
    if settled(recipe, stored, place.folder) != stored:
        if replace_other:
            return False
        raise other_duet(recipe.name)
    from_folder = any(isinstance(slot.source, FolderSource) for slot in recipe.slots)
    return not from_folder and is_sound(stored, place.folder)


def _can_be_cleared(place: Place) -> bool:
    """Tell whether an interruption left something that can go; a store may be for reading only."""
    return any(path.exists() for path in place.unfinished) and os.access(place.store, os.W_OK)


def _install(recipe: Manifest, place: Place, report: Report, accepted: bool, replace_other: bool) -> None:
    stored = read_stored(place, replace_other)
    licence.show(recipe, report)
    licence.require(recipe, accepted)
    filler = Filler(place, recipe.dtype, accepted, report)
    filler.prepare(recipe.slots)
    code, text = (with_attention(filler.fill(slot), place.partial / slot.slot) for slot in recipe.slots)
    made = replace(recipe, code=code, text=text, references="")
    if stored is not None and replace(stored, references="") == made and is_sound(stored, place.folder):
        clear(place)
        return
    refuse_other(stored, made, replace_other)
    complete(made, place, report)


def complete(manifest: Manifest, place: Place, report: Report) -> None:
    """Make a duet of the files in its partial folder: its references, its manifest, and the one rename.

    Raises WeightsError or SelfTestError when they make none; nothing is put in place then.
    """
    made = _with_references(manifest, place.partial, report)
    (place.partial / MANIFEST).write_text(to_toml(made), encoding="utf-8")
    put_in_place(place)


@contextmanager
def telling_disk_errors(store: Path, read_from: Sequence[Path] = ()) -> Iterator[None]:
    """Raise StoreError for an OSError: it names the file in the folders `read_from` that cannot be read, or the store.

    A full disk is the store's, though the error of a copy names the file that was read.
    """
    try:
        yield
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        if path and error.errno not in _FULL and any(path.is_relative_to(folder) for folder in read_from):
            raise StoreError(
                f"cannot read {path}: {error.strerror}", hint="check that the file is there and that you may read it"
            ) from error
        raise StoreError(
            f"cannot write to the model store {store}: {error}",
            hint="set PGDUET_MODELS_DIR to a folder with enough room that you may write to",
        ) from error


def _rooted(manifest: Manifest, origin: Path | None) -> Manifest:
    """Make the paths of folder sources absolute: the stored manifest stands elsewhere."""

    def rooted(slot: Slot) -> Slot:
        if not isinstance(slot.source, FolderSource):
            return slot
        path = ((origin or Path()) / Path(slot.source.path).expanduser()).resolve()
        return replace(slot, source=replace(slot.source, path=str(path)))

    return replace(manifest, code=rooted(manifest.code), text=rooted(manifest.text))


def _refuse_own_folders(recipe: Manifest, place: Place) -> None:
    for slot in recipe.slots:
        if isinstance(slot.source, FolderSource) and stands_within(Path(slot.source.path), place):
            raise StoreError(
                f"the {slot.slot} encoder of {recipe.name!r} comes from {slot.source.path}, where the model store "
                "keeps that duet itself",
                hint="give the duet another name, or copy the folder elsewhere and name the copy in the manifest",
            )


def _with_references(manifest: Manifest, folder: Path, report: Report) -> Manifest:
    """Make the reference vectors of a duet for which none come with pgduet."""
    if self_test.shipped(fingerprint_of(manifest)):
        (folder / REFERENCES).unlink(missing_ok=True)
        return manifest
    from pgduet.encoding.duet import Duet

    report("computing the reference vectors", 0, 0)
    duet = Duet(manifest, folder)
    self_test.check_golden(duet)
    np.save(folder / REFERENCES, self_test.make_references(duet))
    return replace(manifest, references=sha256_of(folder / REFERENCES))
