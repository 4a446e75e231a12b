"""OpenVINO gives what torch gives, for every architecture, and keeps its graphs; where it cannot, torch runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fix_architectures import SEQUENCES, checkpoint
from fix_hub import slot
from pgduet.encoding import WeightsError, engines, load_duet, openvino_graph, openvino_model
from pgduet.encoding.architecture import DECODERS, ENCODERS
from pgduet.encoding.encoder import Encoder
from pgduet.encoding.engines import Runtime, build_encoder
from pgduet.encoding.manifest import Role, Slot
from pgduet.encoding.openvino_model import OpenVinoModel
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.layout import sha256_of
from pgduet.encoding.torch_model import TorchModel


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of graphs of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pgduet" / "openvino"


def described(folder: Path, attention: str = "auto") -> Slot:
    files = {path.name: sha256_of(path) for path in folder.iterdir()}
    return slot("code", FolderSource(str(folder), "transformers"), max_tokens=30, files=files, attention=attention)


def built(folder: Path, engine: str = "openvino", dtype: str = "float32", attention: str = "auto") -> object:
    runtime = Runtime(engine, "cpu")
    return build_encoder(described(folder, attention), folder, Role.DOCUMENT, dtype, runtime).model


# One of each kind of mask and of positions; the others take as many seconds each.
OFTEN = [("bert", "auto"), ("jina_embeddings_v3", "auto"), ("modernbert", "auto"), ("qwen2", "auto")]
REST = {(kind, "auto") for kind in (*ENCODERS, *DECODERS)} | {(kind, "bidirectional") for kind in DECODERS}


@pytest.mark.parametrize(
    ("kind", "attention"),
    [*OFTEN, *(pytest.param(*one, marks=pytest.mark.slow) for one in sorted(REST - set(OFTEN)))],
)
def test_every_architecture_gives_the_vectors_of_torch(tmp_path: Path, kind: str, attention: str) -> None:
    folder = checkpoint(tmp_path / kind, kind)
    model = built(folder, attention=attention)
    assert isinstance(model, OpenVinoModel)
    ours, theirs = Encoder(model), Encoder(TorchModel(folder, attention=attention))
    together, finite = ours.encode(SEQUENCES)
    assert finite.all()
    assert np.abs(together - theirs.encode(SEQUENCES)[0]).max() < 2e-6
    alone = np.concatenate([ours.encode([sequence])[0] for sequence in SEQUENCES])
    assert np.abs(together - alone).max() < 1e-6
    # Its memory is used again by the next call.
    first = ours.states(SEQUENCES[0])
    kept = first.copy()
    ours.states(tuple(reversed(SEQUENCES[0])))
    assert np.array_equal(first, kept)


def test_a_graph_is_made_once_and_made_anew_where_it_cannot_be_read(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(tmp_path / "bert", "bert")
    built(folder)
    (place,) = cache.iterdir()
    made = []
    plain = openvino_graph._export

    def counted(reference: TorchModel, target: Path) -> None:
        made.append(target)
        plain(reference, target)

    monkeypatch.setattr(openvino_graph, "_export", counted)
    built(folder)
    assert not made
    (place / "openvino.xml").write_text("<net>")
    assert isinstance(built(folder), OpenVinoModel)
    assert len(made) == 1
    # Other weights have a graph of their own; nothing unfinished is left.
    built(checkpoint(tmp_path / "other", "bert", vocab_size=90))
    assert len(made) == 2
    assert len(list(cache.iterdir())) == 2


class _Odd(torch.nn.Module):
    """Takes another way through its code: for long texts, while it is exported, or with an error then."""

    def __init__(self, module: torch.nn.Module, way: str) -> None:
        super().__init__()
        self.module = module
        self.device = torch.device("cpu")
        self.way = way

    def forward(self, **given: torch.Tensor) -> object:
        found = self.module(**given)
        exporting = torch.compiler.is_exporting()
        if self.way == "fails" and exporting:
            raise NotImplementedError("such an encoder")
        if {"long": given["input_ids"].shape[1] > 10, "exported": exporting}.get(self.way):
            found.last_hidden_state = found.last_hidden_state + 1
        return found


@pytest.mark.parametrize(
    ("way", "what"),
    [
        ("long", "gives other states"),
        ("fails", "cannot run this encoder: NotImplementedError"),
        pytest.param("exported", "gives other states", marks=pytest.mark.slow),
    ],
)
def test_an_encoder_that_is_exported_wrong_or_not_at_all_is_run_by_torch(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, way: str, what: str
) -> None:
    folder = checkpoint(tmp_path / "bert", "bert")
    load = TorchModel.__init__

    def odd(self: TorchModel, *given: object, **named: object) -> None:
        load(self, *given, **named)  # type: ignore[arg-type]
        self.module = _Odd(self.module, way)  # type: ignore[assignment]

    monkeypatch.setattr(TorchModel, "__init__", odd)
    with pytest.raises(WeightsError, match=what):
        built(folder)
    assert isinstance(built(folder, "auto"), TorchModel)
    assert list(cache.iterdir()) == []


def test_what_openvino_cannot_run_is_told_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(tmp_path / "bert", "bert")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot write the graph"):
        built(folder)
    assert isinstance(built(folder, "auto"), TorchModel)


@pytest.mark.parametrize("cpu", ["this one", "one without"])
def test_bfloat16_is_computed_so_where_the_cpu_can_and_else_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpu: str
) -> None:
    can = cpu == "this one" and openvino_model.multiplies_bfloat16()
    if cpu != "this one":
        monkeypatch.setattr(openvino_model, "multiplies_bfloat16", lambda: False)
    folder = checkpoint(tmp_path / "bert", "bert")
    expected, _ = Encoder(TorchModel(folder)).encode(SEQUENCES)
    # The second time the graph is there already.
    for _ in range(2):
        encoder = build_encoder(described(folder), folder, Role.DOCUMENT, "bfloat16", Runtime("auto", "cpu"))
        assert isinstance(encoder.model, OpenVinoModel)
        assert encoder._tokens_per_pass == (1024 if can else 512)
        found, finite = encoder.encode(SEQUENCES)
        assert finite.all()
        cosines = (found * expected).sum(axis=1)
        assert cosines.min() > 0.9995
        assert (cosines.min() < 1 - 1e-6) == can
        alone = np.concatenate([encoder.encode([sequence])[0] for sequence in SEQUENCES])
        assert np.abs(found - alone).max() < 1e-3


def test_a_large_encoder_in_bfloat16_is_run_by_torch_unless_openvino_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(tmp_path / "bert", "bert")
    monkeypatch.setattr(engines, "_MOST_BYTES", sum(path.stat().st_size for path in folder.iterdir()) - 1)
    assert isinstance(built(folder, "auto", "bfloat16"), TorchModel)
    assert isinstance(built(folder, "openvino", "bfloat16"), OpenVinoModel)
    assert isinstance(built(folder, "auto"), OpenVinoModel)


def test_the_environment_chooses_the_engine(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGDUET_ENGINE")

    def kinds() -> set[type]:
        duet = load_duet("tiny", tiny_store)
        return {type(half.encoders[Role.DOCUMENT].model) for half in (duet.code, duet.text)}

    assert kinds() == {OpenVinoModel}
    monkeypatch.setenv("PGDUET_ENGINE", "torch")
    assert kinds() == {TorchModel}
    monkeypatch.setenv("PGDUET_ENGINE", "tensorrt")
    with pytest.raises(WeightsError, match="there is no engine 'tensorrt'"):
        kinds()


def test_nothing_is_reported_to_the_makers_of_openvino(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "bert", "bert")
    code = f"""
import socket, sys
def refuse(*given): raise SystemExit("a connection was made")
socket.socket.connect = socket.getaddrinfo = refuse
from pathlib import Path
from pgduet.encoding.openvino_graph import _export
from pgduet.encoding.torch_model import TorchModel
_export(TorchModel(Path({str(folder)!r})), Path({str(tmp_path)!r}))
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "openvino.bin").is_file()


def test_a_model_that_goes_takes_nothing_along_that_others_run_in(tiny_store: Path) -> None:
    code = f"""
import gc, threading
from pathlib import Path
from pgduet.encoding import load_duet
from pgduet.encoding.engines import Runtime
from pgduet.encoding.manifest import Role
def used():
    duet = load_duet("tiny", Path({str(tiny_store)!r}), runtime=Runtime("openvino", "cpu"))
    assert duet.encode(duet.tokenise(["def a"], Role.DOCUMENT)).finite.all()
    return duet
stays = used()
for _ in range(3):
    thread = threading.Thread(target=used)
    thread.start()
    thread.join()
    gc.collect()
assert stays.encode(stays.tokenise(["def a"], Role.DOCUMENT)).finite.all()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
