"""An encoder that computes in eight bits, run by onnxruntime: weights and what they are multiplied with."""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pgduet.encoding.architecture import read_architecture
from pgduet.encoding.errors import WeightsError
from pgduet.encoding.int8 import SCALE, read_int8
from pgduet.encoding.onnx_model import open_session, run_session
from pgduet.encoding.torch_model import TorchModel

# Their layers are the same, whatever their embeddings.
COMPUTABLE = ("bert", "roberta", "xlm-roberta")


class Int8Model:
    """The same call as TorchModel: token ids in, states of the tokens out. Only on CPUs.

    Each text is computed alone. In a batch its sums would come in another order and differ in their last bits, and a
    number that is then rounded to the next whole one changes all that follows: measured, scores moved by up to 0.005.

    Several texts are computed at once, a thread for each: 1.3 times as fast, measured on two threads, as all threads on
    one text after the other, of which each waits for the others many times in every layer.
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
        self.texts_at_once = torch.get_num_threads()
        self._threads = ThreadPoolExecutor(self.texts_at_once, "int8")
        self._name = STATES
        self.width = model.width
        # The layers are in the graph; of torch only this part is still used.
        self._embeddings = module.embeddings

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states [n, t, width] of token ids [n, t]; what stands where `mask` [n, t] is 0 means nothing."""
        lengths = mask.sum(dim=1).tolist()
        with torch.inference_mode():
            given = [
                self._embeddings(input_ids=ids[row : row + 1, :length]).numpy() for row, length in enumerate(lengths)
            ]
        found = torch.zeros((*ids.shape, self.width))
        if len(given) == 1:
            found[0, : lengths[0]] = self._states(self.session, given[0])
            return found
        # The longest first: no thread begins with it when the others have ended.
        rows = sorted(range(len(given)), key=lambda row: -lengths[row])
        computed = self._threads.map(lambda row: self._states(self._lone_thread, given[row]), rows)
        for row, states in zip(rows, computed, strict=True):
            found[row, : lengths[row]] = states
        return found

    def _states(self, session: Any, given: Any) -> torch.Tensor:
        (states,) = run_session(session, {self._name: given})
        return torch.from_numpy(states[0])


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
