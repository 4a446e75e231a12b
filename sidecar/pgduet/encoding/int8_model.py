"""An encoder that computes in eight bits, run by onnxruntime: weights and what they are multiplied with."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pgduet.encoding.architecture import read_architecture
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.hadamard import Floats
from pgduet.encoding.int8 import SCALE, read_int8
from pgduet.encoding.onnx_model import open_session, run_session
from pgduet.encoding.torch_model import TorchModel

# Their layers are the same, whatever their embeddings.
COMPUTABLE = ("bert", "roberta", "xlm-roberta")


class Int8Model:
    """The same call as TorchModel: token ids in, states of the tokens out. Only on CPUs.

    Each text is computed alone. In a batch its sums would come in another order and differ in their last bits, and a
    number that is then rounded to the next whole one changes all that follows: measured, scores moved by up to 0.005.
    """

    engine = "onnxruntime"

    def __init__(self, folder: Path, weights: str | None = None) -> None:
        """Load `folder`, whose config.json says that all is in eight bits; the threads are those of torch.

        Raises WeightsError where the encoder is none of COMPUTABLE, or the extra `onnx` is not installed.
        """
        refuse_uncomputable(read_architecture(folder), folder)
        model = TorchModel(folder, weights=weights)
        module: Any = model.module
        _, small = read_int8(folder, weights)
        # Not before it is known to be installed.
        from pgduet.encoding.int8_graph import STATES, make_graph

        places = {id(one): place for place, one in module.named_modules() if isinstance(one, nn.Linear)}

        def whole(linear: nn.Linear) -> tuple[Any, Any]:
            # Files may put the name of the model before the names of its weights.
            wanted = f".{places[id(linear)]}.weight"
            name = next((name for name in small if f".{name}".endswith(wanted)), None)
            if name is None:
                raise WeightsError(f"{folder} has no weights in eight bits for{wanted.replace('.', ' ', 1)}")
            return small[name].t().contiguous().numpy(), small[name + SCALE].numpy()

        graph = make_graph(module, whole)
        self.session = open_session(graph, only_cpu=True)
        # Threads of a session are those it was opened with.
        self._lone_thread = open_session(graph, only_cpu=True, threads=1)
        self._name = STATES
        self.width = model.width
        # The layers are in the graph; of torch only this part is still used.
        self._embeddings = module.embeddings

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states [n, t, width] of token ids [n, t]; what stands where `mask` [n, t] is 0 means nothing."""
        found = torch.zeros((*ids.shape, self.width))
        for row, length in enumerate(mask.sum(dim=1).tolist()):
            found[row, :length] = torch.from_numpy(self.compute(self.embed(ids[row, :length].tolist())))
        return found

    def embed(self, sequence: Sequence[int]) -> Floats:
        """Return what the layers of one text begin with, [1, t, width]."""
        with torch.inference_mode():
            given: Floats = self._embeddings(input_ids=torch.tensor([sequence])).numpy()
        return given

    def compute(self, given: Floats) -> Floats:
        """Return the states [t, width] of one text on all threads; raises RuntimeError where onnxruntime fails."""
        return self._states(self.session, given)

    def compute_on_one_thread(self, given: Floats) -> Floats:
        """Return the same, to the bit, on the thread of the caller."""
        return self._states(self._lone_thread, given)

    def _states(self, session: Any, given: Floats) -> Floats:
        (states,) = run_session(session, {self._name: given})
        found: Floats = states[0]
        return found


def refuse_uncomputable(config: dict[str, Any], where: Path) -> None:
    """Raise WeightsError where an encoder cannot compute in eight bits, or what it takes is not installed."""
    if config["model_type"] not in COMPUTABLE or config.get("hidden_act", "gelu") != "gelu":
        raise WeightsError(
            f"the encoder in {where} ({config['model_type']}) cannot compute in eight bits",
            hint=f"only encoders of the kinds {', '.join(COMPUTABLE)} with GELU can; keep its weights alone in them",
        )
    for package in ("onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise WeightsError(
                f"computing in eight bits takes {package}, which is not installed",
                hint="run: pip install 'pgduet[onnx]'",
            )
