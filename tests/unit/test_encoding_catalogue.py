"""What the store lists, and what is removed from it."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from fix_store import install
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import ready_made
from pgduet.encoding.store import catalogue
from pgduet.encoding.store.catalogue import Usage, list_duets, usage
from pgduet.encoding.store.layout import MANIFEST
from pgduet.encoding.store.removal import removable, remove


def test_present_and_ready_made_duets_are_listed(tmp_path: Path) -> None:
    install(tmp_path)
    listed = {each.name: each for each in list_duets(tmp_path)}
    assert set(listed) == {*ready_made(), "tiny"}
    assert [name for name, each in listed.items() if each.present] == ["tiny"]
    assert listed["tiny"].size >= 8 * 2000
    assert listed["small"].size == 0


@pytest.mark.parametrize("name", ["small", "mine.v2"])
def test_what_an_interrupted_pull_or_import_left_is_listed_and_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / f".{name}.sources" / "code").mkdir(parents=True)
    (tmp_path / f".{name}.sources" / "code" / "part").write_bytes(b"x" * 10_000)
    (tmp_path / ".gone.lock").touch()
    (left,) = (each for each in list_duets(tmp_path) if each.partial)
    assert (left.name, left.present, left.manifest is None) == (name, False, name == "mine.v2")
    assert left.size == removable(name, tmp_path) >= 10_000
    remove(name, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".gone.lock", f".{name}.lock"])


def test_a_manifest_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    install(tmp_path)
    (install(tmp_path, "newer") / MANIFEST).write_text('name = "newer"\nlayers = 3\n')
    listed = {each.name: each for each in list_duets(tmp_path)}
    assert listed["newer"].present
    assert listed["newer"].manifest is None
    assert "newer/duet.toml" in listed["newer"].problem
    assert listed["tiny"].manifest is not None


def test_files_that_vanish_while_they_are_counted_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path)
    whole = usage([tmp_path]).taken
    seen = list(catalogue._files(tmp_path))
    seen[0].unlink()
    monkeypatch.setattr(catalogue, "_files", lambda _folder: seen)
    assert 0 < usage([tmp_path]).taken < whole


def test_a_file_with_two_links_is_counted_once_and_free_only_with_both(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "file").write_bytes(b"x" * 8192)
    os.link(tmp_path / "one" / "file", tmp_path / "two" / "file")
    assert usage([tmp_path / "one"]) == Usage(taken=8192, free=0)
    assert usage([tmp_path / "one", tmp_path / "two"]) == Usage(taken=8192, free=8192)


def test_a_duet_is_removed_once(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path, "other")
    remove("tiny", tmp_path)
    assert [each.name for each in list_duets(tmp_path) if each.present] == ["other"]
    with pytest.raises(StoreError, match="there is nothing of the duet 'tiny'"):
        remove("tiny", tmp_path)


@pytest.mark.parametrize("name", ["../tiny", ".hidden", "..", "", ".", "Documents", "photos"])
def test_nothing_but_a_duet_of_the_store_can_be_removed(tmp_path: Path, name: str) -> None:
    install(tmp_path / "models", "other")
    install(tmp_path)
    for folder in (".hidden", "Documents", "photos"):
        (tmp_path / "models" / folder).mkdir()
        (tmp_path / "models" / folder / "letter.txt").write_text("dear")
    install(tmp_path / "models" / "Documents", "inner")
    before = sorted(tmp_path.rglob("*"))
    for action in (removable, remove):
        with pytest.raises(StoreError, match="there is nothing of the duet"):
            action(name, tmp_path / "models")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_stranger_stays_when_what_a_pull_left_beside_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / ".photos.partial").mkdir()
    remove("photos", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".photos.lock", "photos"]


def test_of_a_linked_duet_only_the_link_is_removed(tmp_path: Path) -> None:
    target = install(tmp_path / "elsewhere")
    before = sorted(target.rglob("*"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny").symlink_to(target)
    assert removable("tiny", tmp_path / "models") == 0
    remove("tiny", tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".tiny.lock"]
    assert sorted(target.rglob("*")) == before


def test_removing_tells_that_it_waits_for_a_pull(tmp_path: Path) -> None:
    install(tmp_path)
    said: list[str] = []
    waits = threading.Event()

    def report(what: str, _done: int, _total: int) -> None:
        said.append(what)
        waits.set()

    with (tmp_path / ".tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=remove, args=("tiny", tmp_path, report))
        thread.start()
        assert waits.wait(60)
        assert (tmp_path / "tiny").is_dir()
    thread.join()
    assert said == ["waiting for another pull to end"]
    assert not (tmp_path / "tiny").exists()
