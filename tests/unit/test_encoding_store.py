import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import parse_manifest, ready_made
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store import package
from pgduet.encoding.store.layout import (
    MANIFEST,
    checked_manifest,
    duet_folder,
    list_duets,
    removable,
    remove,
    sha256_of,
    store_folder,
)
from pgduet.encoding.store.pull import pull


def install(models: Path, name: str = "tiny") -> Path:
    """Lay out a duet of small files, with a manifest that pins them."""
    folder = models / name
    text = ready_made()["small"].replace('name = "small"', f'name = "{name}"')
    manifest = parse_manifest(text, "small.toml")
    for slot in manifest.slots:
        (folder / slot.slot).mkdir(parents=True)
        for file, pinned in slot.files.items():
            path = folder / slot.slot / file
            path.write_bytes(os.urandom(2000))
            text = text.replace(pinned, sha256_of(path))
    (folder / MANIFEST).write_text(text)
    return folder


def source(files: Mapping[str, str]) -> PackageSource:
    return PackageSource("pgduet-no-such-package", "1.0", "folder", "transformers", files)


def test_one_flipped_bit_is_found_and_named(tmp_path: Path) -> None:
    folder = install(tmp_path)
    assert checked_manifest(folder).name == "tiny"
    path = folder / "text" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[1234] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"text/model\.safetensors has sha256") as caught:
        checked_manifest(folder)
    assert "models import" in caught.value.hint


def test_a_missing_file_is_found_and_named(tmp_path: Path) -> None:
    folder = install(tmp_path)
    (folder / "code" / "tokenizer.json").unlink()
    with pytest.raises(StoreError, match=r"code/tokenizer\.json is missing"):
        checked_manifest(folder)


def test_an_absent_duet_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not in the model store") as caught:
        duet_folder("small", tmp_path)
    assert caught.value.hint == "run: pgduet models pull small"


@pytest.mark.parametrize("name", ["../tiny", ".hidden", "..", ""])
def test_a_name_cannot_lead_out_of_the_store(tmp_path: Path, name: str) -> None:
    install(tmp_path / "models")
    install(tmp_path)
    with pytest.raises(StoreError, match="not in the model store"):
        duet_folder(name, tmp_path / "models")


def test_the_store_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PGDUET_MODELS_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert store_folder() == Path("/somewhere/pgduet/models")
    monkeypatch.setenv("PGDUET_MODELS_DIR", "/elsewhere")
    assert store_folder() == Path("/elsewhere")
    assert store_folder(tmp_path) == tmp_path


def test_present_and_ready_made_duets_are_listed(tmp_path: Path) -> None:
    install(tmp_path)
    listed = {each.manifest.name: each for each in list_duets(tmp_path)}
    assert set(listed) == {*ready_made(), "tiny"}
    assert [name for name, each in listed.items() if each.present] == ["tiny"]
    assert listed["tiny"].size >= 8 * 2000
    assert listed["small"].size == 0


def test_what_an_interrupted_pull_left_is_listed_and_removed(tmp_path: Path) -> None:
    (tmp_path / ".small.sources" / "code").mkdir(parents=True)
    (tmp_path / ".small.sources" / "code" / "part").write_bytes(b"x" * 10_000)
    (small,) = (each for each in list_duets(tmp_path) if each.manifest.name == "small")
    assert (small.present, small.partial) == (False, True)
    assert small.size == removable("small", tmp_path) >= 10_000
    remove("small", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".small.lock"]


def test_a_duet_is_removed_once(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path, "other")
    remove("tiny", tmp_path)
    assert [each.manifest.name for each in list_duets(tmp_path) if each.present] == ["other"]
    with pytest.raises(StoreError, match="there is nothing of the duet 'tiny'"):
        remove("tiny", tmp_path)


@pytest.mark.parametrize("name", ["../tiny", ".hidden", "..", "", "."])
def test_nothing_outside_the_store_can_be_removed(tmp_path: Path, name: str) -> None:
    install(tmp_path / "models", "other")
    install(tmp_path)
    (tmp_path / "models" / ".hidden").mkdir()
    with pytest.raises(StoreError, match="there is nothing of the duet"):
        remove(name, tmp_path / "models")
    assert (tmp_path / "tiny" / MANIFEST).is_file()
    assert (tmp_path / "models" / ".hidden").is_dir()
    assert (tmp_path / "models" / "other" / MANIFEST).is_file()


def test_an_unknown_duet_cannot_be_pulled(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no ready-made duet 'huge'"):
        pull("huge", tmp_path)


def test_without_an_index_the_error_says_what_pip_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(package, "_FIRST_PAUSE", 0.01)
    said: list[str] = []
    with pytest.raises(StoreError, match="in 3 tries: No matching distribution") as caught:
        package.fetch(source({"a": "0" * 64}), tmp_path / "target", lambda what, _done, _total: said.append(what))
    assert "PIP_FIND_LINKS" in caught.value.hint
    assert [what for what in said if "again" in what] == [
        "fetching pgduet-no-such-package again, try 2 of 3",
        "fetching pgduet-no-such-package again, try 3 of 3",
    ]
    assert not any((tmp_path / "target").iterdir())


def test_reading_manifests_and_the_store_does_not_import_torch() -> None:
    code = "import sys, pgduet.encoding.store.pull, pgduet.encoding.fingerprint; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
