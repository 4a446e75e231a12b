"""Putting a duet into the model store: look, ask, fetch, convert, write down, and one rename at the end."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from pgduet.encoding import self_test
from pgduet.encoding.errors import ManifestError, StoreError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest, Slot, read_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource, PackageSource
from pgduet.encoding.store import licence
from pgduet.encoding.store.fill import Filler
from pgduet.encoding.store.layout import MANIFEST, REFERENCES, Place, sha256_of, store_folder, wrong_files
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.report import Report, quiet


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

    Relative folders count from `origin_folder`. Does nothing when all is there; mends what is damaged; goes on where
    it was interrupted. Raises StoreError when a licence was not accepted, the disk is too small, a file cannot be had
    or is not the right one, or, without `replace_other`, the store has another duet of that name; WeightsError or
    SelfTestError when the files make no duet.
    """
    store = store_folder(models_dir)
    recipe = _rooted(manifest, origin_folder)
    place = Place(store, manifest.name)
    try:
        store.mkdir(parents=True, exist_ok=True)
        with only_one(place.lock, report):
            _install(recipe, place, report, accept_licence, replace_other)
    except OSError as error:
        raise StoreError(
            f"cannot write to the model store {store}: {error}",
            hint="set PGDUET_MODELS_DIR to a folder with enough room that you may write to",
        ) from error
    return place.folder


def _install(recipe: Manifest, place: Place, report: Report, accepted: bool, replace_other: bool) -> None:
    report("checking", 0, 0)
    stored = _stored(place.folder)
    same = stored is not None and _settled(recipe, stored) == stored
    if stored and not same and not replace_other:
        raise _other(recipe.name)
    from_folder = any(isinstance(slot.source, FolderSource) for slot in recipe.slots)
    sound = stored is not None and _is_sound(stored, place.folder)
    if same and sound and not from_folder:
        return
    licence.show(recipe, report)
    licence.require(recipe, accepted)
    filler = Filler(place, recipe.dtype, stored, report)
    filler.prepare(recipe.slots)
    code, text = (_with_attention(filler.fill(slot), place.partial / slot.slot) for slot in recipe.slots)
    made = replace(recipe, code=code, text=text, references="")
    # What a folder holds is known only now.
    if stored is not None and replace(stored, references="") == made and sound:
        _clear(place)
        return
    if stored and not replace_other and any(a.files != b.files for a, b in zip(stored.slots, made.slots, strict=True)):
        raise _other(recipe.name)
    complete(made, place, report)


def complete(manifest: Manifest, place: Place, report: Report) -> None:
    """Make a duet of the files in its partial folder: its references, its manifest, and the one rename.

    Raises WeightsError or SelfTestError when they make none; nothing is put in place then.
    """
    made = _with_references(manifest, place.partial, report)
    (place.partial / MANIFEST).write_text(to_toml(made), encoding="utf-8")
    _swap(place)


def _rooted(manifest: Manifest, origin: Path | None) -> Manifest:
    """Make the paths of folder sources absolute: the stored manifest stands elsewhere."""

    def rooted(slot: Slot) -> Slot:
        if not isinstance(slot.source, FolderSource):
            return slot
        path = ((origin or Path()) / Path(slot.source.path).expanduser()).resolve()
        return replace(slot, source=replace(slot.source, path=str(path)))

    return replace(manifest, code=rooted(manifest.code), text=rooted(manifest.text))


def _stored(folder: Path) -> Manifest | None:
    """Read what stands in the store under that name; None where nothing does, or nothing that can be read."""
    try:
        return read_manifest(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    except ManifestError:
        return None


def _is_sound(stored: Manifest, folder: Path) -> bool:
    """Tell whether every file is as pinned, and there is something to test the vectors against."""
    if wrong_files(stored, folder):
        return False
    return bool(stored.references) or self_test.shipped(fingerprint_of(stored))


def _settled(recipe: Manifest, stored: Manifest) -> Manifest:
    """Fill what `recipe` leaves open with what is written in `stored`."""

    def settled(slot: Slot, other: Slot) -> Slot:
        source = slot.source
        if isinstance(source, PackageSource) and isinstance(other.source, PackageSource) and not source.files:
            source = replace(source, files=other.source.files)
        attention = other.attention if slot.attention == "auto" else slot.attention
        return replace(slot, source=source, files=slot.files or other.files, attention=attention)

    return replace(
        recipe,
        code=settled(recipe.code, stored.code),
        text=settled(recipe.text, stored.text),
        references=stored.references,
    )


def _other(name: str) -> StoreError:
    return StoreError(
        f"the model store already has another duet {name!r}",
        hint="give the new one another name, or repeat the command with --replace",
    )


def _with_attention(slot: Slot, folder: Path) -> Slot:
    """Write down how the encoder in `folder` attends, so that no later version can read its config another way."""
    if slot.source.format == "onnx":
        return slot
    from pgduet.encoding.torch_model import resolve_attention

    return replace(slot, attention=resolve_attention(folder, slot.attention))


def _with_references(manifest: Manifest, folder: Path, report: Report) -> Manifest:
    """Make the reference vectors of a duet for which none come with pgduet."""
    if self_test.shipped(fingerprint_of(manifest)):
        (folder / REFERENCES).unlink(missing_ok=True)
        return manifest
    from pgduet.encoding.duet import Duet

    report("computing the reference vectors", 0, 0)
    duet = Duet(manifest, folder)
    self_test.check_golden(duet, manifest)
    np.save(folder / REFERENCES, self_test.make_references(duet))
    return replace(manifest, references=sha256_of(folder / REFERENCES))


def _swap(place: Place) -> None:
    """Put the finished duet in its place; what stood there is moved aside first, since folders do not overwrite."""
    shutil.rmtree(place.old, ignore_errors=True)
    if place.folder.exists():
        place.folder.rename(place.old)
    place.partial.rename(place.folder)
    _clear(place)


def _clear(place: Place) -> None:
    for path in place.unfinished:
        shutil.rmtree(path, ignore_errors=True)
