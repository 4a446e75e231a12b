"""From an encoder's files to a graph that OpenVINO compiles; made once, then kept in the user's cache."""

import gc
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from pgduet.encoding.architecture import most_tokens, read_architecture
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.manifest import Slot
from pgduet.encoding.openvino_model import OpenVinoModel, differs, import_openvino
from pgduet.encoding.torch_model import TorchModel

# Raise it when another graph is made of the same files.
_SCHEME = 1
# Of the states' length: what two ways to add the same float32 numbers differ by, with room.
_TOLERANCE = 2e-5


def openvino_model(slot: Slot, folder: Path, weights: str | None, dtype: str) -> OpenVinoModel:
    """Return the encoder of a slot, run by OpenVINO; `weights` names its file where each role has its own.

    The graph is made where the cache has none: some seconds for a small encoder, and twice its memory. It takes as much
    of the disk as the weights in float32, in which a new one is compared with torch. Raises WeightsError where OpenVINO
    is not installed, cannot run this encoder, or gives other states.
    """
    import_openvino()
    place = _cache() / _key(slot, weights)
    try:
        if place.is_dir():
            # One that cannot be read is made anew: a cache is nobody's only copy.
            with suppress(WeightsError):
                return OpenVinoModel(place, folder, dtype)
            shutil.rmtree(place)
        made = _made(slot, folder, weights, place)
        if dtype != "float32":
            made = OpenVinoModel(place, folder, dtype)
    except OSError as error:
        raise WeightsError(
            f"cannot write the graph that OpenVINO runs to {place.parent}: {error}",
            hint="set XDG_CACHE_HOME to a folder with room that you may write to, or use the engine torch",
        ) from error
    # The exporter leaves the encoder's weights in reference cycles, and whoever loads may have put collecting off.
    gc.collect()
    return made


def _made(slot: Slot, folder: Path, weights: str | None, place: Path) -> OpenVinoModel:
    reference = TorchModel(folder, attention=slot.attention, weights=weights)
    place.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that the last step is one rename, however many processes make it.
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as partial:
        made = Path(partial) / place.name
        made.mkdir()
        _export(reference, made)
        model = OpenVinoModel(made, folder)
        config = read_architecture(folder)
        most = min(slot.max_tokens, most_tokens(config) or slot.max_tokens)
        if (off := differs(model, reference, config["vocab_size"], most)) > _TOLERANCE:
            raise WeightsError(f"OpenVINO gives other states for the encoder in {folder}: they differ by {off:.1e}")
        try:
            os.rename(made, place)
        except OSError:
            # Another process was first; this one has its own in memory.
            if not place.is_dir():
                raise
    return model


class _States(torch.nn.Module):
    """The module with the two inputs and the one output of the graph."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.module(input_ids=ids, attention_mask=mask).last_hidden_state
        return states


def _export(reference: TorchModel, target: Path) -> None:
    openvino = import_openvino()
    # Several texts of several tokens with padding: sizes of one, or a mask without zeros, would be taken as fixed.
    ids = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 0, 0], [5, 6, 7, 8, 0]])
    mask = (ids > 0).long()
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # Each library still uses what the other has declared outdated; nobody here can mend that.
            warnings.simplefilter("ignore", FutureWarning)
            program = torch.export.export(_States(reference.module), (ids, mask), dynamic_shapes=(free, free))
            graph = openvino.convert_model(program)
    except Exception as error:
        # What an encoder's code can do is without limit, and so is what both libraries raise about it.
        raise WeightsError(f"OpenVINO cannot run this encoder: {type(error).__name__}: {error}") from error
    # Half precision is the default of the file, not of the vectors.
    openvino.save_model(graph, target / "openvino.xml", compress_to_fp16=False)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgduet" / "openvino"


def _key(slot: Slot, weights: str | None) -> str:
    """Name everything that a graph is made of."""
    what: dict[str, Any] = {
        "attention": slot.attention,
        "files": sorted(slot.files.items()),
        "scheme": _SCHEME,
        "weights": weights,
        "with": [version(package) for package in ("openvino", "torch", "transformers")],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
