"""From trained weights to a duet in the model store."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pgduet.encoding.manifest import Slot
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import import_file
from pgduet.encoding.store.layout import MANIFEST, checked_manifest, duet_folder
from pgduet.encoding.store.report import Report, quiet
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.lora import is_random

if TYPE_CHECKING:
    from pgduet.training.tuning.trainee import Trainee

Weights = Mapping[str, torch.Tensor]
# Put behind the name of an encoder that learnt.
_TUNED = ", fine-tuned"


def parent_weights(trainee: "Trainee") -> dict[str, torch.Tensor]:
    """Return a copy, on the CPU, of the weights that will be trained, before they are."""
    return {name: weights.detach().to("cpu", copy=True) for name, weights in trainee.learning()}


def average(trainee: "Trainee", parent: Weights, tuned: Weights, share: float) -> None:
    """Set the trained weights to `share` of the tuned ones and the rest of the parent's.

    Halfway between them an encoder keeps nearly all it learnt here, and what it knew of everything else.
    """
    with torch.no_grad():
        for name, weights in trainee.learning():
            # An adapter's change is a product that was zero: it is scaled by the factor that made it so, and once.
            part = 1.0 if is_random(name) else share
            weights.copy_(parent[name] + part * (tuned[name] - parent[name]))


def export(
    trainee: "Trainee",
    parent: str,
    name: str,
    folder: Path,
    *,
    weights: tuple[float, float] | None = None,
    models_dir: Path | None = None,
    report: Report = quiet,
) -> Path:
    """Write the tuned duet into `folder` and import it from there into the model store as `name`; return its place.

    `weights` are those of its halves, the parent's by default. What was not trained is the parent's own. The folder is
    what a damaged store is mended from. Raises StoreError or ManifestError where the name is taken or cannot be one.
    """
    origin = duet_folder(parent, models_dir)
    manifest = checked_manifest(origin)
    shares = weights or (manifest.code.weight, manifest.text.weight)
    code, text = (
        replace(_slot(slot, trainee, origin, folder), weight=share)
        for slot, share in zip(manifest.slots, shares, strict=True)
    )
    summary = f"{parent}, fine-tuned"
    made = replace(manifest, name=name, summary=summary, references="", code=code, text=text)
    path = folder / MANIFEST
    path.write_text(to_toml(made), encoding="utf-8")
    # Who could tune it has the parent, whose licence was accepted.
    return import_file(path, models_dir, report, accept_licence=True)


def _slot(slot: Slot, trainee: "Trainee", origin: Path, folder: Path) -> Slot:
    if slot.slot not in trainee.encoders:
        return slot
    target = folder / slot.slot
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    tuned = trainee.folded(slot.slot)
    missing = set(tuned)
    for file in slot.files:
        if file.endswith(".safetensors"):
            missing -= _write(origin / slot.slot / file, target / file, tuned)
        else:
            shutil.copyfile(origin / slot.slot / file, target / file)
    if missing:
        raise TuningError(f"the weights of the {slot.slot} half in {origin} lack {sorted(missing)[0]}")
    source = FolderSource(slot.slot, "transformers")
    encoder = slot.encoder if slot.encoder.endswith(_TUNED) else slot.encoder + _TUNED
    return replace(slot, encoder=encoder, source=source, files={}, golden=())


def _write(source: Path, target: Path, tuned: Weights) -> set[str]:
    """Write a file of weights anew, in its own names and number types; return the names of the tuned ones in it."""
    tensors, found = {}, set()
    with safe_open(source, "pt") as file:
        for key in file.keys():  # noqa: SIM118 (no mapping)
            tensors[key] = file.get_tensor(key)
            name = _name_of(key, tuned)
            if name:
                tensors[key] = tuned[name].to("cpu", tensors[key].dtype).contiguous()
                found.add(name)
    save_file(tensors, target, metadata={"format": "pt"})
    return found


def _name_of(key: str, tuned: Weights) -> str | None:
    """Return the name that a weight has in the model; files may put the name of the model before it."""
    return next((name for name in (key, key.partition(".")[2]) if name in tuned), None)
