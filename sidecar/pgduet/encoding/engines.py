"""What runs an encoder: onnxruntime for ONNX files and eight bits, OpenVINO on CPUs, else torch."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from pgduet.encoding.architecture import computes_int8, read_architecture
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.manifest import Role, Slot
from pgduet.encoding.torch_model import TorchModel

AUTO, OPENVINO, TORCH = ENGINES = ("auto", "openvino", "torch")
ONNX_FILE = "model.onnx"
# Padded tokens in one pass of OpenVINO. In float32 as fast for each token as 1,024, and a batch of mixed lengths is
# padded less; in bfloat16 a pass of as many takes half the time, of which more goes into what is done once for all.
_PASS_TOKENS, _PASS_TOKENS_BFLOAT16 = 512, 1024
# Of an encoder that is not in float32 OpenVINO still keeps its graph in it: a large one would need twice the memory.
_MOST_BYTES = 2**30


@dataclass(frozen=True)
class Runtime:
    """An engine, one of ENGINES, and torch's name of a device, or `auto`: the first CUDA card where there is one."""

    engine: str = AUTO
    device: str = AUTO

    def __post_init__(self) -> None:
        """Raise WeightsError for an engine or a device that is not known, or not here."""
        if self.engine not in ENGINES:
            raise WeightsError(f"there is no engine {self.engine!r}", hint="PGDUET_ENGINE is auto, openvino or torch")
        kind, _, number = self.device.partition(":")
        numbered = bool(number) or self.device.endswith(":")
        if kind not in (AUTO, "cpu", "cuda") or (numbered and not (kind == "cuda" and number.isdecimal())):
            raise WeightsError(
                f"there is no device {self.device!r}", hint="PGDUET_DEVICE is auto, cpu, cuda or cuda:N for card N"
            )
        if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
            raise WeightsError(
                f"torch finds no card for {self.device!r}; it finds {torch.cuda.device_count()}",
                hint="set PGDUET_DEVICE=cpu, or install a torch that is built for the card's driver",
            )

    @property
    def place(self) -> torch.device:
        """Where torch computes."""
        if self.device == AUTO:
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)


# For training, which moves weights where it wants them.
TORCH_ON_CPU = Runtime(TORCH, "cpu")


def wished_runtime() -> Runtime:
    """Return what PGDUET_ENGINE and PGDUET_DEVICE name, `auto` by default; raises WeightsError where that is not."""
    return Runtime(os.environ.get("PGDUET_ENGINE") or AUTO, os.environ.get("PGDUET_DEVICE") or AUTO)


def runs_onnx(slot: Slot) -> bool:
    """Tell whether the slot's encoder is an ONNX file."""
    return ONNX_FILE in slot.files


def build_encoder(slot: Slot, folder: Path, role: Role, dtype: str, runtime: Runtime) -> Encoder:
    """Load the encoder of a slot for a role.

    With the engine `auto` it is OpenVINO on a CPU where that is installed and can run the encoder with equal results
    (in bfloat16 only one whose files are below a gigabyte), else torch. Raises WeightsError where the files make no
    encoder, or the engine that was named cannot run it.
    """
    if runs_onnx(slot):
        from pgduet.encoding.onnx_model import OnnxModel

        return Encoder(OnnxModel(folder, slot.adapter.get(role)), slot.pooling)
    weights = f"{role}.safetensors" if slot.adapter else None
    if computes_int8(read_architecture(folder)):
        from pgduet.encoding.int8_encoder import Int8Encoder
        from pgduet.encoding.int8_model import Int8Model

        return Int8Encoder(Int8Model(folder, weights), slot.pooling)
    if takes_openvino(slot, folder, dtype, runtime):
        try:
            return _in_openvino(slot, folder, weights, dtype)
        except WeightsError:
            if runtime.engine == OPENVINO:
                raise
    model = TorchModel(folder, attention=slot.attention, dtype=dtype, weights=weights, device=runtime.place)
    return _on_gpu(model, slot, folder) if runtime.place.type == "cuda" else Encoder(model, slot.pooling)


def takes_openvino(slot: Slot, folder: Path, dtype: str, runtime: Runtime) -> bool:
    """Tell whether OpenVINO is tried first for an encoder that torch could run too."""
    if runtime.engine != AUTO:
        return runtime.engine == OPENVINO
    if runtime.place.type != "cpu" or find_spec("openvino") is None:
        return False
    return dtype == "float32" or sum((folder / name).stat().st_size for name in slot.files) <= _MOST_BYTES


def _in_openvino(slot: Slot, folder: Path, weights: str | None, dtype: str) -> Encoder:
    from pgduet.encoding.openvino_graph import openvino_model

    model = openvino_model(slot, folder, weights, dtype)
    return Encoder(model, slot.pooling, _PASS_TOKENS_BFLOAT16 if model.in_bfloat16 else _PASS_TOKENS)


def _on_gpu(model: TorchModel, slot: Slot, folder: Path) -> Encoder:
    from pgduet.encoding.packed import PACKABLE, TOKENS_PER_PASS, PackedEncoder

    if read_architecture(folder)["model_type"] in PACKABLE and model.module.dtype is torch.bfloat16:
        return PackedEncoder(model, slot.pooling)
    return Encoder(model, slot.pooling, TOKENS_PER_PASS)
