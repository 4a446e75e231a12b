"""A duet of the same encoders with other weights."""

import os
from dataclasses import replace
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.formats.conversion import put
from pgduet.encoding.manifest import Manifest, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.store.exchange import put_back
from pgduet.encoding.store.install import complete, telling_disk_errors
from pgduet.encoding.store.layout import Place, checked_manifest, duet_folder, store_folder
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.removal import discard
from pgduet.encoding.store.report import Report, quiet
from pgduet.encoding.tables import Table


def check_new_name(name: str, models_dir: Path | None) -> None:
    """Ask whether a new duet can be called `name`, before anything is done for it.

    Raises ManifestError when no duet can have that name, StoreError when it is taken.
    """
    Table({"name": name}, "the new duet").name("name")
    _refuse_taken(Place(store_folder(models_dir), name))


def reweighted(
    name: str, new_name: str, weights: tuple[float, float], models_dir: Path | None = None, report: Report = quiet
) -> Path:
    """Put a duet `new_name` into the store: that of `name` with the weights of (code, text); return its folder.

    The files are shared with those of `name` where the file system has links. Raises StoreError when `name` is absent
    or damaged, `new_name` is taken, or the store cannot be written; ManifestError when the name or the weights cannot
    be used.
    """
    folder = duet_folder(name, models_dir)
    manifest = _with_weights(checked_manifest(folder), new_name, weights)
    place = Place(store_folder(models_dir), new_name)
    _refuse_taken(place)
    with telling_disk_errors(place.store), only_one(place.lock, report):
        put_back(place)
        # Again: another process may have had the lock.
        _refuse_taken(place)
        discard(place.partial)
        for slot in manifest.slots:
            (place.partial / slot.slot).mkdir(parents=True)
            for file in slot.files:
                put(folder / slot.slot / file, place.partial / slot.slot / file, link=True)
        complete(manifest, place, report)
    return place.folder


def _refuse_taken(place: Place) -> None:
    if place.name in ready_made() or os.path.lexists(place.folder):
        raise StoreError(f"the name {place.name!r} is taken", hint="`pgduet models list` shows the names in use")


def _with_weights(manifest: Manifest, name: str, weights: tuple[float, float]) -> Manifest:
    code, text = (replace(slot, weight=weight) for slot, weight in zip(manifest.slots, weights, strict=True))
    summary = f"{manifest.name} with weights {weights[0]:.3f} : {weights[1]:.3f}"
    made = replace(manifest, name=name, summary=summary, references="", code=code, text=text)
    # Through the parser, which knows what a name and a weight may be.
    return parse_manifest(to_toml(made), f"the duet {name!r}")
