"""What may never happen to the folders of a store: lost, half exchanged, or taken from the user."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fix_hub import duet_of
from fix_store import add, install
from pgduet.encoding.errors import ManifestError, StoreError
from pgduet.encoding.fingerprint import fingerprint_of
from pgduet.encoding.manifest import Manifest
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store import stored
from pgduet.encoding.store.exchange import put_back, put_in_place
from pgduet.encoding.store.install import import_file, telling_disk_errors
from pgduet.encoding.store.layout import MANIFEST, Place, checked_manifest
from pgduet.encoding.store.reweighting import check_new_name, reweighted

NOWHERE = FolderSource("nowhere", "transformers")


@pytest.fixture
def home(plain_store: Path, tmp_path: Path) -> Path:
    """A user's folder with the duet `tiny` in its store."""
    shutil.copytree(plain_store, tmp_path / "models")
    return tmp_path


@pytest.fixture
def recipe(checkpoints: tuple[Path, Path]) -> Manifest:
    """The recipe of `tiny`."""
    code, text = (FolderSource(str(folder), "transformers") for folder in checkpoints)
    return duet_of(code, text)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("other", [False, True])
def test_a_folder_of_the_user_in_the_place_of_a_duet_is_left_alone(
    checkpoints: tuple[Path, Path], tmp_path: Path, other: bool
) -> None:
    for source in checkpoints:
        shutil.copytree(source, tmp_path / "models" / "mine" / source.name)
    before = everything(tmp_path / "models" / "mine")
    outside, inside = FolderSource(str(checkpoints[0]), "transformers"), FolderSource("mine/code", "transformers")
    manifest = tmp_path / "models" / "mine.toml"
    for origin, said in ((outside, "is in the way: it is no duet"), (inside, "where the model store keeps that duet")):
        manifest.write_text(to_toml(duet_of(origin, outside, name="mine")), encoding="utf-8")
        with pytest.raises(StoreError, match=said):
            import_file(manifest, tmp_path / "models", replace_other=other)
        manifest.unlink()
        assert everything(tmp_path / "models" / "mine") == before
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"mine"}


@pytest.mark.parametrize("where", ["tiny", ".tiny.partial", ".tiny.sources", ".tiny.old"])
def test_a_duet_is_not_made_from_its_own_folders(home: Path, where: str) -> None:
    code, text = (FolderSource(str(home / "models" / where / name), "transformers") for name in ("code", "text"))
    before = everything(home)
    with pytest.raises(StoreError, match=r"the code encoder of 'tiny' comes from .*, where the model store keeps"):
        add(home, duet_of(code, text), other=True)
    (home / "mine" / MANIFEST).unlink()
    assert everything(home) == before


def test_a_manifest_that_cannot_be_read_is_replaced_only_with_a_yes(home: Path, recipe: Manifest) -> None:
    path = home / "models" / "tiny" / MANIFEST
    path.write_text(path.read_text(encoding="utf-8") + "\n[layers]\nfrom_the_future = 1\n", encoding="utf-8")
    before = everything(home / "models")
    with pytest.raises(StoreError, match=r"cannot read: .*unknown key `layers`") as caught:
        add(home, recipe)
    assert "--replace" in caught.value.hint
    assert everything(home / "models") == before
    checked_manifest(add(home, other=True))


def test_the_way_of_attention_is_compared_as_it_is_resolved(home: Path, recipe: Manifest) -> None:
    """An encoder that always attends both ways is the same duet whether its manifest says so or not."""
    first = checked_manifest(home / "models" / "tiny")
    said: list[str] = []
    add(home, replace(recipe, code=replace(recipe.code, attention="bidirectional")), said)
    assert checked_manifest(home / "models" / "tiny") == first
    assert "computing the reference vectors" not in said


def test_auto_is_what_the_config_says_not_what_is_stored(tmp_path: Path) -> None:
    code = {"model_type": "qwen2", "is_causal": False}
    for name, config in (("code", code), ("text", {"model_type": "qwen2"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config), encoding="utf-8")
    recipe = duet_of(NOWHERE, NOWHERE)
    causal = replace(
        recipe, code=replace(recipe.code, attention="causal"), text=replace(recipe.text, attention="causal")
    )
    found = stored.settled(recipe, causal, tmp_path)
    assert [slot.attention for slot in found.slots] == ["bidirectional", "causal"]
    (tmp_path / "code" / "config.json").write_text("damaged", encoding="utf-8")
    assert stored.settled(recipe, causal, tmp_path).code.attention == "causal"
    wished = replace(recipe, code=replace(recipe.code, attention="bidirectional"))
    assert stored.settled(wished, causal, tmp_path).code.attention == "bidirectional"


def test_vectors_that_would_change_need_a_yes_even_where_no_file_does(home: Path) -> None:
    first = checked_manifest(home / "models" / "tiny")
    made = replace(first, code=replace(first.code, attention="causal"))
    assert fingerprint_of(made) != fingerprint_of(first)
    with pytest.raises(StoreError, match="already has another duet"):
        stored.refuse_other(first, made, False)
    stored.refuse_other(first, made, True)
    stored.refuse_other(first, replace(first, summary="Other words"), False)


def test_an_interrupted_exchange_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, "tiny")
    install(tmp_path)
    place.partial.mkdir()
    before = everything(place.folder)
    rename = Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path == place.partial:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(place)
    assert everything(place.folder) == before
    assert not place.old.exists()


def test_a_duet_that_was_moved_aside_is_put_back_at_the_next_import(home: Path, recipe: Manifest) -> None:
    place = Place(home / "models", "tiny")
    first = checked_manifest(place.folder)
    place.folder.rename(place.old)
    said: list[str] = []
    assert checked_manifest(add(home, recipe, said)) == first
    assert "computing the reference vectors" not in said
    assert sorted(path.name for path in place.store.iterdir()) == [".tiny.lock", "tiny"]


def test_only_a_duet_is_put_back_and_never_over_another(tmp_path: Path) -> None:
    place = Place(tmp_path, "tiny")
    (place.old / "code").mkdir(parents=True)
    put_back(place)
    assert not place.folder.exists()
    install(tmp_path)
    before = everything(place.folder)
    (place.old / MANIFEST).touch()
    put_back(place)
    assert everything(place.folder) == before


def test_a_linked_duet_is_replaced_by_a_folder_and_what_is_behind_the_link_stays(tmp_path: Path) -> None:
    target = install(tmp_path / "elsewhere")
    before = everything(target)
    place = Place(tmp_path / "models", "tiny")
    (place.partial / "code").mkdir(parents=True)
    place.folder.symlink_to(target)
    put_in_place(place)
    assert not place.folder.is_symlink()
    assert [path.name for path in place.store.iterdir()] == ["tiny"]
    assert everything(target) == before


def test_a_file_of_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    store, source = tmp_path / "models", tmp_path / "mine"
    denied, full = os.strerror(errno.EACCES), os.strerror(errno.ENOSPC)

    def told(error: OSError) -> str:
        with pytest.raises(StoreError) as caught, telling_disk_errors(store, [source]):
            raise error
        return str(caught.value)

    unreadable = PermissionError(errno.EACCES, denied, str(source / "model.safetensors"))
    assert told(unreadable) == f"cannot read {source}/model.safetensors: {denied}"
    locked = PermissionError(errno.EACCES, denied, str(store / ".tiny.lock"))
    assert told(locked) == f"cannot write to the model store {store}: {locked}"
    # As a copy tells it: the file that it read comes first.
    too_small = OSError(errno.ENOSPC, full, str(source / "model.safetensors"), None, str(store / "model.safetensors"))
    assert told(too_small).startswith(f"cannot write to the model store {store}: ")


def test_a_name_that_is_taken_or_not_allowed_is_told_before_a_duet_is_reweighted(home: Path) -> None:
    models = home / "models"
    (models / "photos").mkdir()
    check_new_name("free", models)
    for name in ("tiny", "small", "photos"):
        with pytest.raises(StoreError, match=f"the name '{name}' is taken"):
            check_new_name(name, models)
        with pytest.raises(StoreError, match=f"the name '{name}' is taken"):
            reweighted("tiny", name, (0.25, 0.75), models)
    with pytest.raises(ManifestError, match="a name of a-z"):
        check_new_name("../Tiny", models)
    assert checked_manifest(reweighted("tiny", "free", (0.25, 0.75), models)).code.weight == 0.25
    with pytest.raises(StoreError, match="is taken"):
        check_new_name("free", models)


def test_a_name_that_was_taken_while_waiting_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(home / "models", "late")
    install(place.store, "late").rename(place.old)
    with pytest.raises(StoreError, match="the name 'late' is taken"):
        reweighted("tiny", "late", (0.25, 0.75), place.store)
    assert (place.folder / MANIFEST).is_file()


def test_reweighting_tells_that_the_store_cannot_be_written(home: Path) -> None:
    (home / "models" / ".new.lock").mkdir()
    with pytest.raises(StoreError, match="cannot write to the model store"):
        reweighted("tiny", "new", (0.25, 0.75), home / "models")
