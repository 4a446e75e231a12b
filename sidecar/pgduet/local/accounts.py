"""Whom the database server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgduet.errors import PgduetError

SERVER_USER = "postgres"


@dataclass(frozen=True)
class Account:
    """An operating system account that processes of the server run under."""

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Tell whether this process already runs under the account."""
        return self.uid == os.geteuid()

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """Give the command that runs another one under the account, in the same process."""
        # Told to change the user itself, subprocess forks, and gRPC's threads and handlers do not survive every fork.
        change = [] if self.is_current else ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return [*change, *(str(part) for part in command)]

    def run(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command under the account in the root folder and give back its output, standard error merged in."""
        return subprocess.run(
            self.command(command),
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def can_enter(self, folder: Path) -> bool:
        """Tell whether the account can walk into a folder, by trying it: modes alone say nothing about access lists."""
        return self.run(["test", "-x", folder]).returncode == 0

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or folder; nothing to do when it runs this process."""
        if not self.is_current:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Find the account for the database server: `postgres` when this process is root, else its own.

    Raises PgduetError as root on a machine without a `postgres` account.
    """
    if os.geteuid() != 0:
        own = pwd.getpwuid(os.geteuid())
        return Account(own.pw_name, own.pw_uid, own.pw_gid)
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise PgduetError(
            f"there is no operating system user {SERVER_USER!r}, and PostgreSQL refuses to run as root",
            hint="run `make setup` (it installs PostgreSQL's package, which adds the user), or run as an ordinary user",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
