"""A smaller duet made of another one: encoders without some of their layers, weights in fewer bits."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pgduet.encoding.architecture import INT8, is_int8, multiplies_whole, read_architecture
from pgduet.encoding.engines import wished_runtime
from pgduet.encoding.errors import ManifestError
from pgduet.encoding.formats.conversion import put
from pgduet.encoding.int8 import quantised
from pgduet.encoding.int8_model import refuse_uncomputable
from pgduet.encoding.layers import count_layers, kept, renamed, with_layers
from pgduet.encoding.manifest import Slot
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.exchange import put_back
from pgduet.encoding.store.install import complete, telling_disk_errors
from pgduet.encoding.store.layout import Place, checked_manifest, duet_folder, sha256_of, store_folder
from pgduet.encoding.store.lock import only_one
from pgduet.encoding.store.removal import discard
from pgduet.encoding.store.report import Report, quiet
from pgduet.encoding.store.reweighting import check_new_name

if TYPE_CHECKING:
    from pgduet.encoding.duet import Duet

_WEIGHTS = ".safetensors"
_INDEX = _WEIGHTS + ".index.json"


@dataclass(frozen=True)
class Shrink:
    """How a duet is made smaller: `layers` that stay, by slot (`code`, `text`), and whether weights go to eight bits.

    `activations`: what they are multiplied with, too. `bfloat16`: all that is not in eight bits is stored so, and
    computed with. Raises ManifestError where that changes nothing, or contradicts itself.
    """

    layers: Mapping[str, int]
    int8: bool = False
    activations: bool = False
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if self.activations and not self.int8:
            raise ManifestError("activations in eight bits need weights in eight bits", hint="ask for both")
        if self.activations and self.bfloat16:
            raise ManifestError(
                "activations in eight bits leave nothing to compute in bfloat16",
                hint="ask for one of both; weights alone in eight bits go with bfloat16",
            )
        if not self.layers and not self.int8 and not self.bfloat16:
            raise ManifestError(
                "nothing was asked for that makes a duet smaller",
                hint="ask for fewer layers of a half, for int8 or for bfloat16",
            )

    @property
    def number_types(self) -> list[str]:
        """What is in fewer bits, in words."""
        return ["int8"] * self.int8 + ["int8 activations"] * self.activations + ["bfloat16"] * self.bfloat16

    def changes(self, slot: str) -> bool:
        """Tell whether this half becomes another one."""
        return self.int8 or self.bfloat16 or slot in self.layers


def shrink(
    name: str,
    new_name: str,
    how: Shrink,
    judge: Callable[["Duet", Path], None],
    models_dir: Path | None = None,
    report: Report = quiet,
) -> Path:
    """Put a smaller duet `new_name`, made of `name`, into the store; return its folder.

    `judge` gets the new duet, and the folder of its files, before it is put in its place; whatever it raises keeps the
    duet out, and nothing is left behind.
    Raises StoreError where `name` is absent or damaged or `new_name` is taken, ManifestError or WeightsError where an
    encoder cannot be made smaller so.
    """
    from pgduet.encoding.duet import Duet

    check_new_name(new_name, models_dir)
    origin, place = duet_folder(name, models_dir), Place(store_folder(models_dir), new_name)
    manifest = checked_manifest(origin)
    if how.bfloat16 and manifest.dtype == "bfloat16":
        raise ManifestError(f"{name} is in bfloat16 already", hint="ask for fewer layers, or for int8")
    # Both halves are looked at before the first is written: that may take minutes.
    plans = {slot.slot: _plan(slot, origin / slot.slot, how) for slot in manifest.slots if how.changes(slot.slot)}
    with telling_disk_errors(place.store), only_one(place.lock, report):
        put_back(place)
        # Again: another process may have had the lock.
        check_new_name(new_name, models_dir)
        discard(place.partial)
        try:
            code, text = (_half(slot, plans.get(slot.slot), origin, place.partial, report) for slot in manifest.slots)
            said = ", ".join(["fewer layers"] * bool(how.layers) + how.number_types)
            dtype = "bfloat16" if how.bfloat16 else manifest.dtype
            made = replace(
                manifest, name=new_name, summary=f"{name}, {said}", references="", dtype=dtype, code=code, text=text
            )
            judge(Duet(made, place.partial, wished_runtime()), place.partial)
            complete(made, place, report)
        except BaseException:
            discard(place.partial)
            raise
    return place.folder


def _half(slot: Slot, plan: "_Plan | None", origin: Path, partial: Path, report: Report) -> Slot:
    source, target = origin / slot.slot, partial / slot.slot
    target.mkdir(parents=True)
    if plan:
        report(f"making {slot.encoder} smaller", 0, 0)
        return plan.write(slot, source, target)
    for file in slot.files:
        put(source / file, target / file, link=True)
    return slot


@dataclass(frozen=True)
class _Plan:
    """What becomes of one encoder: its config.json, and the layers that stay, None for all of them."""

    config: dict[str, Any]
    layers: list[int] | None
    how: Shrink

    def write(self, slot: Slot, source: Path, target: Path) -> Slot:
        places: dict[str, str] = {}
        for file in slot.files:
            if file.endswith(_WEIGHTS):
                places |= dict.fromkeys(self._write_weights(source / file, target / file), file)
            elif file != "config.json" and not file.endswith(_INDEX):
                put(source / file, target / file, link=True)
        (target / "config.json").write_text(json.dumps(self.config, indent=2) + "\n", encoding="utf-8")
        for file in slot.files:
            if file.endswith(_INDEX):
                (target / file).write_text(json.dumps({"metadata": {}, "weight_map": places}), encoding="utf-8")
        said = [slot.encoder] + ([f"{len(self.layers)} layers"] if self.layers else []) + self.how.number_types
        files = {file: sha256_of(target / file) for file in slot.files}
        return replace(
            slot,
            encoder=", ".join(said),
            source=FolderSource(str(source), slot.source.format),
            files=files,
            # Known states of the original weights say nothing about these.
            golden=(),
        )

    def _write_weights(self, source: Path, target: Path) -> list[str]:
        """Write a file of weights anew; return the names of those in it."""
        tensors: dict[str, torch.Tensor] = {}
        with safe_open(source, "pt") as file:
            for key in file.keys():  # noqa: SIM118 (no mapping)
                name = key if self.layers is None else renamed(key, self.layers)
                if name is not None:
                    weights = file.get_tensor(key)
                    paired = self.how.activations and multiplies_whole(name)
                    written = quantised(name, weights, paired=paired) if self.how.int8 else {name: weights}
                    tensors |= {key: self._rounded(one) for key, one in written.items()}
        save_file(tensors, target, metadata={"format": "pt"})
        return list(tensors)

    def _rounded(self, weights: torch.Tensor) -> torch.Tensor:
        """Return a matrix in bfloat16 where that was asked for; all else is small and stays as it is."""
        rounds = self.how.bfloat16 and weights.ndim > 1 and weights.is_floating_point()
        return weights.to(torch.bfloat16) if rounds else weights


def _plan(slot: Slot, folder: Path, how: Shrink) -> _Plan:
    if slot.source.format == "onnx":
        raise ManifestError(
            f"the {slot.slot} half ({slot.encoder}) is an ONNX file, which is run as it is",
            hint="shrink the other half alone, by its layers",
        )
    config = read_architecture(folder)
    if is_int8(config):
        raise ManifestError(
            f"the weights of the {slot.slot} half ({slot.encoder}) are in eight bits already",
            hint="shrink the duet that it was made of",
        )
    layers = None
    if slot.slot in how.layers:
        layers = kept(count_layers(config), how.layers[slot.slot])
        config = with_layers(config, layers)
    if how.activations:
        refuse_uncomputable(config, folder)
    kinds = {"quant_method": INT8} | ({"activations": "int8"} if how.activations else {})
    return _Plan(config | ({"quantization_config": kinds} if how.int8 else {}), layers, how)
