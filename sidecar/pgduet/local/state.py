"""Where a checkout keeps what it makes while running: `.pgduet/`, or a folder that link points to.

Run as a script (`python3 state.py REPOSITORY`) it prints the folder, so that shell scripts follow the same rule.
"""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from pgduet.errors import PgduetError
from pgduet.local.accounts import server_account

NAME = ".pgduet"
# A unix socket's path takes at most 107 bytes (sockaddr_un); the longest name below the state folder takes 27.
_LONGEST = 70
_ELSEWHERE = Path("/var/tmp")  # noqa: S108


def state_folder(repository: Path) -> Path:
    """Give the real path of the state folder of a checkout, making it where it is missing.

    It is `.pgduet` in the checkout unless the server's user cannot enter the checkout or the path is too long for
    sockets in it; then `.pgduet` is a link to a folder under /var/tmp that is named after the checkout's path.
    Raises PgduetError when that folder belongs to somebody else or others may write to it.
    """
    repository = repository.resolve()
    link = repository / NAME
    if link.exists():
        _check(link.resolve())
        return link.resolve()
    if _serves(repository, link):
        # Another process may have made it meanwhile, here and below.
        link.mkdir(mode=0o755, exist_ok=True)
        _check(link)
        link.chmod(0o755)
        return link
    target = link.readlink() if link.is_symlink() else _elsewhere(repository)
    target.mkdir(mode=0o755, exist_ok=True)
    _check(target)
    target.chmod(0o755)
    with suppress(FileExistsError):
        link.symlink_to(target)
    return target


def _serves(repository: Path, link: Path) -> bool:
    return not link.is_symlink() and len(os.fsencode(link)) <= _LONGEST and server_account().can_enter(repository)


def _elsewhere(repository: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(repository)).hexdigest()
    return _ELSEWHERE / f"pgduet-{digest[:10]}"


def _check(folder: Path) -> None:
    """Refuse a folder that another user could have planted: it will hold code the database server runs."""
    found = folder.lstat()
    safe = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    if not safe:
        raise PgduetError(
            f"{folder} belongs to another user, is not a folder, or may be written to by others",
            hint="if it is yours: chmod go-w and chown it; else remove it and try again",
        )


if __name__ == "__main__":
    print(state_folder(Path(sys.argv[1])))  # noqa: T201
