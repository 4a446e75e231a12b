"""The peers' environments, and the processes that run in them."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from speed_texts import PREFIXES, Halves

_HERE = Path(__file__).resolve().parent
# The newest that install together, with the torch that pgduet is measured with.
_TORCH = "torch==2.13.0"
PACKAGES = {
    "st": [_TORCH, "sentence-transformers==6.2.0", "optimum-intel[openvino]==2.2.0"],
    "infinity": [_TORCH, "infinity-emb[torch]==0.0.78"],
}
ENVIRONMENTS = {
    "sentence-transformers": "st",
    "sentence-transformers, OpenVINO": "st",
    "transformers": "st",
    "infinity": "infinity",
}
_LAYOUT = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def environment(name: str, root: Path) -> Path:
    """Return the Python of a peer's environment, which is made where it is not there yet (minutes, a gigabyte)."""
    folder = root / name
    python = folder / "bin" / "python"
    stamp = folder / "packages.json"
    wanted = json.dumps(PACKAGES[name])
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"installing {', '.join(PACKAGES[name])} into {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[name]], check=True)
        # Comes along for images, in a build that does not fit this torch.
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "torchvision"], check=True)
        stamp.write_text(wanted)
    return python


def layout(source: Path, target: Path, width: int, max_tokens: int) -> Path:
    """Lay the files of one half out as sentence-transformers wants them; the weights are linked."""
    (target / "1_Pooling").mkdir(parents=True)
    (target / "2_Normalize").mkdir()
    for file in source.iterdir():
        (target / file.name).symlink_to(file)
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    for name, content in (
        ("modules.json", _LAYOUT),
        ("sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False}),
        ("1_Pooling/config.json", pooling),
    ):
        (target / name).write_text(json.dumps(content), encoding="utf-8")
    return target


class Peer:
    """One peer with both encoders loaded; `ask` gives it a slice of texts."""

    def __init__(self, kind: str, dtype: str, python: Path, folders: Sequence[Path], threads: int) -> None:
        """Start it and wait until it is ready; what it prints goes to standard error."""
        self.name = kind if dtype == "float32" else f"{kind}, {dtype}"
        command = [str(python), str(_HERE / "speed_peer.py"), kind, dtype, *map(str, folders), str(threads)]
        # pgduet.encoding sets it for itself; peers run as they come.
        plain = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=plain)
        self._answer()

    def ask(self, texts: Sequence[str], *, vectors: bool = False) -> tuple[float, Halves | None]:
        """Return the seconds that both encoders took, and on request the vectors of both."""
        by_half = [[PREFIXES[half] + text for text in texts] for half in ("code", "text")]
        assert self._process.stdin
        print(json.dumps({"texts": by_half, "vectors": vectors}), file=self._process.stdin, flush=True)
        answer = self._answer()
        return answer["seconds"], answer.get("vectors")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"error: {self.name} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
