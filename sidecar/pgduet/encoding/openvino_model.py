"""An encoder run by OpenVINO: on CPUs faster than torch, and equal to it."""

import importlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch

from pgduet.encoding.architecture import read_architecture
from pgduet.encoding.errors import WeightsError


class OpenVinoModel:
    """The same call as TorchModel, run by OpenVINO: token ids in, states of the tokens out."""

    engine = "openvino"

    def __init__(self, graph: Path, folder: Path, dtype: str = "float32") -> None:
        """Compile the graph (openvino.xml and openvino.bin in the folder `graph`) of the encoder in `folder`.

        In bfloat16 its products are computed so where the CPU can, else in float32: nearer to what is meant, and some
        fifty times as fast as imitating it. The threads are those of torch. Raises WeightsError where the graph cannot
        be read or compiled.
        """
        config = read_architecture(folder)
        core = _core()
        self.in_bfloat16 = dtype == "bfloat16" and multiplies_bfloat16()
        settings = {
            # Never fewer bits than the duet has, whatever the CPU would be faster with.
            "INFERENCE_PRECISION_HINT": "bf16" if self.in_bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
            # Pinned threads of two processes would share one core while another is idle.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            model = core.read_model(model=graph / "openvino.xml", weights=graph / "openvino.bin")
            self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        except RuntimeError as error:
            raise WeightsError(f"OpenVINO cannot run the encoder in {folder}: {error}") from error
        self.width = int(config.get("hidden_size") or config["dim"])
        self._padding = int(config.get("pad_token_id") or 0)

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states [n, t, width] of token ids [n, t]; what stands where `mask` [n, t] is 0 means nothing."""
        padded = ids.masked_fill(mask == 0, self._padding)
        found = self._request.infer([padded.numpy(), mask.numpy()], share_inputs=True, share_outputs=True)
        # A copy: the next call writes into the same memory.
        return torch.from_numpy(found[0]).clone()


@cache
def _core() -> Any:
    """Return the one core of this process: when a core goes it unloads its libraries, under threads that still run."""
    return import_openvino().Core()


def multiplies_bfloat16() -> bool:
    """Tell whether this CPU has instructions for products in bfloat16, by what OpenVINO's documents say tells it.

    With AVX-512 alone OpenVINO would imitate them.
    """
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def import_openvino() -> Any:
    """Import OpenVINO; raises WeightsError where it is not installed or cannot be loaded."""
    # It reports its use to its makers unless told not to in a file of the user. Without that module it cannot.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise WeightsError(
            f"OpenVINO cannot be imported: {error}", hint="run: pip install 'pgduet[openvino]', or use the engine torch"
        ) from error


def differs(model: OpenVinoModel, reference: Any, vocabulary: int, most_tokens: int) -> float:
    """Return how far the states are from those of the same encoder in torch, as a share of their length; at most 2.

    Texts of several lengths are read together and alone. An encoder whose way through its code depends on what it is
    given would be traced on one of its ways only, and is told by this.
    """
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for lengths in ((7, 3, 1), (1,), (min(300, most_tokens), 20), (2, 2)):
        ids = torch.randint(0, vocabulary, (len(lengths), max(lengths)), generator=generator)
        mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
        with torch.inference_mode():
            ours, theirs = model(ids, mask)[mask == 1], reference(ids, mask)[mask == 1]
        worst = max(worst, float(((ours - theirs).norm(dim=-1) / theirs.norm(dim=-1)).max()))
    return worst
