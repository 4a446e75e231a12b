"""Which library runs an encoder: onnxruntime for ONNX files, OpenVINO on CPUs in float32, torch for all else."""

import os
from importlib.util import find_spec
from pathlib import Path

import torch

from pgduet.encoding.encoder import Model
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.manifest import Role, Slot
from pgduet.encoding.torch_model import TorchModel

AUTO, OPENVINO, TORCH = ENGINES = ("auto", "openvino", "torch")
ONNX_FILE = "model.onnx"


def runs_onnx(slot: Slot) -> bool:
    """Tell whether the slot's encoder is an ONNX file."""
    return ONNX_FILE in slot.files


def wished_engine() -> str:
    """Return the engine that PGDUET_ENGINE names, `auto` by default; raises WeightsError where there is none such."""
    engine = os.environ.get("PGDUET_ENGINE") or AUTO
    if engine not in ENGINES:
        raise WeightsError(f"PGDUET_ENGINE is {engine!r}", hint="it must be auto, openvino or torch")
    return engine


def build_model(slot: Slot, folder: Path, role: Role, dtype: str, engine: str) -> Model:
    """Load the encoder of a slot for a role, run by `engine` where it is not an ONNX file.

    With `auto` it is OpenVINO where that is installed and can run the encoder with equal results, else torch. Raises
    WeightsError where the files make no encoder, or the engine that was named cannot run it.
    """
    if runs_onnx(slot):
        from pgduet.encoding.onnx_model import OnnxModel

        return OnnxModel(folder, slot.adapter.get(role))
    weights = f"{role}.safetensors" if slot.adapter else None
    if engine == OPENVINO or (engine == AUTO and _suits_openvino(dtype)):
        try:
            return _in_openvino(slot, folder, weights, dtype)
        except WeightsError:
            if engine == OPENVINO:
                raise
    return TorchModel(folder, attention=slot.attention, dtype=dtype, weights=weights)


def _suits_openvino(dtype: str) -> bool:
    return dtype == "float32" and not torch.cuda.is_available() and find_spec("openvino") is not None


def _in_openvino(slot: Slot, folder: Path, weights: str | None, dtype: str) -> Model:
    if dtype != "float32":
        raise WeightsError(
            f"the engine openvino runs encoders in float32; the manifest says {dtype}", hint="use the engine torch"
        )
    from pgduet.encoding.openvino_graph import openvino_model

    return openvino_model(slot, folder, weights)
