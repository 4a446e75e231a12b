"""A duet of the same encoders with other weights."""

import shutil
from dataclasses import replace
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.formats.conversion import put
from pgduet.encoding.manifest import Manifest, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.store.install import complete
from pgduet.encoding.store.layout import Place, checked_manifest, duet_folder, store_folder
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.report import Report, quiet


def reweighted(
    name: str, new_name: str, weights: tuple[float, float], models_dir: Path | None = None, report: Report = quiet
) -> Path:
    """Put a duet `new_name` into the store: that of `name` with the weights of (code, text); return its folder.

    The files are shared with those of `name` where the file system has links. Raises StoreError when `name` is absent
    or damaged, or `new_name` is taken; ManifestError when the name or the weights cannot be used.
    """
    folder = duet_folder(name, models_dir)
    manifest = _with_weights(checked_manifest(folder), new_name, weights)
    place = Place(store_folder(models_dir), new_name)
    if new_name in ready_made() or place.folder.exists():
        raise StoreError(f"the name {new_name!r} is taken", hint="`pgduet models list` shows the names in use")
    with only_one(place.lock, report):
        shutil.rmtree(place.partial, ignore_errors=True)
        for slot in manifest.slots:
            (place.partial / slot.slot).mkdir(parents=True)
            for file in slot.files:
                put(folder / slot.slot / file, place.partial / slot.slot / file, link=True)
        complete(manifest, place, report)
    return place.folder


def _with_weights(manifest: Manifest, name: str, weights: tuple[float, float]) -> Manifest:
    code, text = (replace(slot, weight=weight) for slot, weight in zip(manifest.slots, weights, strict=True))
    summary = f"{manifest.name} with weights {weights[0]:.3f} : {weights[1]:.3f}"
    made = replace(manifest, name=name, summary=summary, references="", code=code, text=text)
    # Through the parser, which knows what a name and a weight may be.
    return parse_manifest(to_toml(made), f"the duet {name!r}")
