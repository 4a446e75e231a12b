"""Finding PostgreSQL's server programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgduet.errors import PgduetError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """One installed version of PostgreSQL's server programs."""

    folder: Path
    major: int

    @property
    def libraries(self) -> Path:
        """Give the folder of the server's loadable modules."""
        packaged = self.folder.parent / "lib"
        if (packaged / "plpgsql.so").exists():
            return packaged
        return _ask(str(self.folder / "pg_config"), "--pkglibdir")

    def __getitem__(self, program: str) -> Path:
        return self.folder / program


def _folders() -> Iterator[Path]:
    """Yield candidate folders, best first: the one PG_CONFIG names, the distribution's highest, the one on PATH."""
    if chosen := os.environ.get("PG_CONFIG"):
        yield _ask(chosen, "--bindir")
        return
    packaged = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit()]
    yield from sorted(packaged, key=lambda p: int(p.parent.name), reverse=True)
    if found := shutil.which("pg_config"):
        yield _ask(found, "--bindir")


def _ask(pg_config: str, option: str) -> Path:
    try:
        return Path(subprocess.run([pg_config, option], capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError) as error:
        raise PgduetError(
            f"{pg_config} does not answer: {error}", hint="set PG_CONFIG to the server's pg_config, or unset it"
        ) from error


def _major(folder: Path) -> int:
    """Read the major version of the server in a folder; 0 where there is none."""
    if not ((folder / "postgres").exists() and (folder / "initdb").exists()):
        return 0
    output = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\b(\d+)(?:\.|devel|beta|rc)", output)
    return int(match[1]) if match else 0


def find_binaries(major: int | None = None) -> Binaries:
    """Find the server's programs: of exactly `major`, or else the highest version that is new enough.

    Raises PgduetError when there are none.
    """
    for folder in _folders():
        found = _major(folder)
        if found == major or (major is None and found >= OLDEST_MAJOR):
            return Binaries(folder, found)
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or later"
    raise PgduetError(
        f"the server programs of {wanted} are not on this machine",
        hint="run `make setup`, or set PG_CONFIG to the pg_config of a server that is installed elsewhere",
    )
