import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgduet.errors import PgduetError
from pgduet.local import state
from pgduet.local.accounts import server_account
from pgduet.local.state import state_folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a short folder that everybody can enter."""
    folder = Path(tempfile.mkdtemp(prefix="pgd", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    if (folder / ".pgduet").is_symlink():
        shutil.rmtree((folder / ".pgduet").readlink(), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def long_checkout(open_folder: Path) -> Iterator[Path]:
    """Give a checkout whose path is too long for a unix socket below it."""
    checkout = open_folder / ("x" * 90)
    checkout.mkdir()
    yield checkout
    elsewhere = state._elsewhere(checkout)
    if elsewhere.is_symlink():
        elsewhere.unlink()
    shutil.rmtree(elsewhere, ignore_errors=True)


def test_state_lives_in_the_checkout_where_the_server_can_reach_it(open_folder: Path) -> None:
    found = state_folder(open_folder)
    assert found == open_folder / ".pgduet"
    assert found.is_dir()
    assert not found.is_symlink()
    assert state_folder(open_folder) == found


def test_the_server_can_enter_the_state_of_a_checkout_in_a_closed_folder(open_folder: Path) -> None:
    closed = open_folder / "closed"
    checkout = closed / "checkout"
    checkout.mkdir(parents=True)
    closed.chmod(0o700)
    found = state_folder(checkout)
    assert server_account().can_enter(found)
    assert (checkout / ".pgduet").resolve() == found
    assert state_folder(checkout) == found
    if found.parent != checkout:
        shutil.rmtree(found)


def test_a_long_path_gets_a_link_to_a_short_folder_and_keeps_it(long_checkout: Path) -> None:
    found = state_folder(long_checkout)
    assert (long_checkout / ".pgduet").readlink() == found
    assert len(str(found)) < 40
    assert found.stat().st_mode & 0o777 == 0o755
    assert state_folder(long_checkout) == found


def test_a_link_whose_folder_was_swept_away_gets_it_back(long_checkout: Path) -> None:
    found = state_folder(long_checkout)
    found.rmdir()
    assert state_folder(long_checkout) == found
    assert found.is_dir()


def test_a_folder_that_others_may_write_to_is_refused(long_checkout: Path) -> None:
    planted = state._elsewhere(long_checkout)
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(PgduetError, match="written to by others"):
        state_folder(long_checkout)


def test_a_planted_link_is_refused(long_checkout: Path, open_folder: Path) -> None:
    target = open_folder / "target"
    target.mkdir()
    state._elsewhere(long_checkout).symlink_to(target)
    with pytest.raises(PgduetError, match="not a folder"):
        state_folder(long_checkout)


def test_shell_scripts_get_the_same_answer(open_folder: Path) -> None:
    command = [sys.executable, "-m", "pgduet.local.state", str(open_folder)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == str(state_folder(open_folder))


def test_two_processes_at_once_make_one_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serves = state._serves

    def slow(repository: Path, link: Path) -> bool:
        link.mkdir(mode=0o755)
        return serves(repository, link)

    monkeypatch.setattr(state, "_serves", slow)
    assert state_folder(open_folder) == (open_folder / ".pgduet").resolve()


def test_two_processes_at_once_make_one_link(long_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = state._elsewhere

    def slow(repository: Path) -> Path:
        target = elsewhere(repository)
        (repository / ".pgduet").symlink_to(target)
        return target

    monkeypatch.setattr(state, "_elsewhere", slow)
    found = state_folder(long_checkout)
    assert found.is_dir()
    assert (long_checkout / ".pgduet").resolve() == found
