"""What stands in the model store under the name of a duet, against what its recipe says."""

from dataclasses import replace
from pathlib import Path

from pgduet.encoding import self_test
from pgduet.encoding.architecture import resolve_attention
from pgduet.encoding.errors import ManifestError, StoreError, WeightsError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest, Slot, read_manifest
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store.exchange import refuse_stranger
from pgduet.encoding.store.layout import MANIFEST, Place, holds_duet, wrong_files


def read_stored(place: Place, replace_other: bool) -> Manifest | None:
    """Read the duet that stands in the place; None where none does, or, with `replace_other`, one that is not readable.

    Raises StoreError where something else stands there, or the duet cannot be read.
    """
    refuse_stranger(place)
    if not holds_duet(place.folder):
        return None
    try:
        return read_manifest(place.folder / MANIFEST)
    except ManifestError as error:
        if replace_other:
            return None
        raise StoreError(
            f"the model store already has a duet {place.name!r}, which this version cannot read: {error}",
            hint="give the new one another name, or repeat the command with --replace",
        ) from error


def settled(recipe: Manifest, stored: Manifest, folder: Path) -> Manifest:
    """Fill what `recipe` leaves open with what is written in `stored`, which stands in `folder`."""
    code, text = (
        _settled(slot, other, folder / slot.slot) for slot, other in zip(recipe.slots, stored.slots, strict=True)
    )
    return replace(recipe, code=code, text=text, references=stored.references)


def _settled(slot: Slot, other: Slot, folder: Path) -> Slot:
    source = slot.source
    if isinstance(source, PackageSource) and isinstance(other.source, PackageSource) and not source.files:
        source = replace(source, files=other.source.files)
    try:
        attention = with_attention(slot, folder).attention
    except WeightsError:  # Damaged: it is about to be mended.
        attention = other.attention if slot.attention == "auto" else slot.attention
    return replace(slot, source=source, files=slot.files or other.files, attention=attention)


def with_attention(slot: Slot, folder: Path) -> Slot:
    """Write down how the encoder in `folder` attends, so that no later version can read its config another way.

    Raises WeightsError where it cannot attend as the slot says, or its config cannot be read.
    """
    if slot.source.format == "onnx":
        return slot
    return replace(slot, attention=resolve_attention(folder, slot.attention))


def is_sound(stored: Manifest, folder: Path) -> bool:
    """Tell whether every file is as pinned, and there is something to test the vectors against."""
    if not _is_pinned(stored) or wrong_files(stored, folder):
        return False
    return bool(stored.references) or self_test.shipped(fingerprint_of(stored))


def refuse_other(stored: Manifest | None, made: Manifest, replace_other: bool) -> None:
    """Raise StoreError where `made` gives other vectors than the duet that it would replace, and nobody said so."""
    if stored is None or replace_other:
        return
    if not _is_pinned(stored) or fingerprint_of(stored) != fingerprint_of(made):
        raise other_duet(made.name)


def _is_pinned(stored: Manifest) -> bool:
    """Only a manifest that somebody wrote into the store by hand is not."""
    return all(slot.files for slot in stored.slots)


def other_duet(name: str) -> StoreError:
    """Return the error for a name that another duet has."""
    return StoreError(
        f"the model store already has another duet {name!r}",
        hint="give the new one another name, or repeat the command with --replace",
    )
