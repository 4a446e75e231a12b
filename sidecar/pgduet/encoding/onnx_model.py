"""An encoder as an ONNX file, such as the one that the jina-embeddings-v3 repository ships."""

import importlib
import threading
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch

from pgduet.encoding.errors import WeightsError
from pgduet.encoding.formats.jina_layout import read_json

FILE = "model.onnx"
_IDS, _MASK, _TASK = "input_ids", "attention_mask", "task_id"
_ONLY_ERRORS = 3  # its warnings about graphs go to the standard error of the server

# Sessions in use, by file: both roles of an encoder share the weights.
_sessions: WeakValueDictionary[tuple[Path, int, int], Any] = WeakValueDictionary()
_lock = threading.Lock()


class OnnxModel:
    """The same call as TorchModel, run by onnxruntime: token ids in, states of the tokens out."""

    engine = "onnxruntime"

    def __init__(self, folder: Path, task: str | None) -> None:
        """Load `folder` (config.json, model.onnx, and model.onnx_data beside it where the weights are in that file).

        `task` is a name in the config's `lora_adaptations`; None for a file without the input `task_id`. The threads
        are those of torch. Raises WeightsError when onnxruntime is not installed, the file cannot be loaded or has
        other inputs, or the task is not known.
        """
        config = read_json(folder / "config.json")
        self.session = _session(folder / FILE)
        self._check_inputs(folder, task)
        self._fixed: dict[str, Any] = {} if task is None else {_TASK: _task_id(config, task)}
        width = config.get("hidden_size")
        if self.session.get_outputs()[0].type != "tensor(float)" or type(width) is not int:
            raise WeightsError(f"{folder / FILE} does not give the states of tokens in float32 as its first output")
        self.width = width

    def _check_inputs(self, folder: Path, task: str | None) -> None:
        shapes = {each.name: each.shape for each in self.session.get_inputs()}
        expected = {_IDS, _MASK} | (set() if task is None else {_TASK})
        if set(shapes) != expected or shapes.get(_TASK):
            raise WeightsError(
                f"{folder / FILE} takes {', '.join(sorted(shapes))}; expected were {', '.join(sorted(expected))}",
                hint="`task_id` has to be one number, and belongs to an encoder whose manifest names its adapters",
            )

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the states [n, t, width] of token ids [n, t]; where `mask` is 0 both mean nothing."""
        feeds = {_IDS: ids.cpu().numpy(), _MASK: mask.cpu().numpy(), **self._fixed}
        (states, *_) = run_session(self.session, feeds)
        if states.shape != (*ids.shape, self.width):
            raise WeightsError(f"{FILE} gave states of shape {states.shape}, not {(*ids.shape, self.width)}")
        return torch.from_numpy(states)


def _task_id(config: dict[str, Any], task: str) -> Any:
    tasks = config.get("lora_adaptations") or []
    if task not in tasks:
        raise WeightsError(f"there is no adapter {task!r}", hint=f"the config.json lists: {', '.join(tasks)}")
    return np.array(tasks.index(task), np.int64)


def _session(path: Path) -> Any:
    """Open the file, or share the session that is open on it."""
    try:
        found = path.stat()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    key = (path.resolve(), found.st_ino, found.st_mtime_ns)
    with _lock:
        session = _sessions.get(key)
        if session is None:
            session = open_session(path)
            _sessions[key] = session
    return session


def open_session(model: Path | bytes, *, only_cpu: bool = False, threads: int | None = None) -> Any:
    """Open a file or the bytes of one, on a CUDA card where there is one; raises WeightsError where it cannot be.

    A call has so many threads, those of torch where nothing is said.
    """
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.log_severity_level = _ONLY_ERRORS
    # Threads that spin for work would take the cores from the other half, which computes next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = ["CPUExecutionProvider"]
    if not only_cpu and torch.cuda.is_available() and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        wanted.insert(0, "CUDAExecutionProvider")
    try:
        # On CPUs what this one makes of three nodes takes three times as long as they do.
        slow = ["SkipLayerNormFusion"] if only_cpu else []
        return onnxruntime.InferenceSession(model, options, providers=wanted, disabled_optimizers=slow)
    except _failures(onnxruntime) as error:
        named = model if isinstance(model, Path) else "the encoder's graph"
        raise WeightsError(f"onnxruntime cannot load {named}: {error}") from error


def run_session(session: Any, feeds: dict[str, Any]) -> list[Any]:
    """Return what a session gives, its first output first; raises RuntimeError, as torch does, where it fails."""
    try:
        found: list[Any] = session.run([session.get_outputs()[0].name], feeds)
    except _failures(_onnxruntime()) as error:
        raise RuntimeError(f"onnxruntime: {error}") from error
    return found


def _failures(onnxruntime: Any) -> tuple[type[Exception], ...]:
    state = onnxruntime.capi.onnxruntime_pybind11_state
    # They have no common ancestor but Exception.
    known = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile)
    return (*known, state.NotImplemented, state.RuntimeException)


def _onnxruntime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise WeightsError(
            f"this encoder needs it, and onnxruntime cannot be imported: {error}",
            hint="run: pip install 'pgduet[onnx]'",
        ) from error
