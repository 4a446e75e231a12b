"""Everything that `pgduet demo` runs, under one state folder: a cluster, a sidecar and a worker."""

import grp
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pgduet.errors import PgduetError
from pgduet.local.accounts import SERVER_USER, server_account
from pgduet.local.cluster import Cluster
from pgduet.local.files import tail
from pgduet.local.server_python import server_python_path
from pgduet.local.services import Service
from pgduet.local.state import state_folder

DATABASE = "pgduet"
MODEL = "small"


def checkout() -> Path:
    """Give the root of the checkout that this package runs from.

    Raises PgduetError where it runs from an installed wheel.
    """
    root = Path(__file__).resolve().parents[3]
    if not (root / "pyproject.toml").exists():
        raise PgduetError("the demo needs a checkout of pgduet", hint="clone the repository and run `make demo` there")
    return root


class Stack:
    """A private cluster, sidecar and worker with all their files in the state folder of a checkout."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.folder = state_folder(repository)
        self.program = str(Path(sys.executable).parent / "pgduet")
        self.cluster = Cluster(self.folder, python_path=self._python_path())
        self._sockets = self.folder / "run"
        self.address = f"unix:{self._sockets / 'sidecar.sock'}"
        self.env_file = self.folder / "env"
        serve = [self.program, "serve", "--model", MODEL, "--listen", self.address]
        self.sidecar = Service("sidecar", self.folder, serve, self._socket_access())
        self.worker = Service("worker", self.folder, [self.program, "worker"], self.environment)

    def _python_path(self) -> list[Path]:
        """Give the server's packages; none where they are missing, so that what runs can be stopped all the same."""
        try:
            return [server_python_path(self.folder)]
        except PgduetError:
            return []

    def _socket_access(self) -> dict[str, str]:
        """Let the server's user reach the sidecar's socket where it is not the sidecar's own user."""
        if server_account().is_current:
            return {"PGDUET_SOCKET_MODE": "0600"}
        return {"PGDUET_SOCKET_MODE": "0660", "PGDUET_SOCKET_GROUP": grp.getgrgid(server_account().gid).gr_name}

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables by which psql and pgduet reach this stack; none of them is secret."""
        here = {"PGDATABASE": DATABASE, "PGDUET_SIDECAR": self.address}
        chosen = {name: os.environ[name] for name in ("PGDUET_MODELS_DIR",) if name in os.environ}
        return self.cluster.environment | here | chosen

    def write_env(self) -> None:
        """Write the file that a shell sources to work with this stack."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.environment.items()]
        self.env_file.write_text("".join(lines))

    def prepare_sockets(self) -> None:
        """Make the folder of the sidecar's socket, which the server's user may enter and others may not."""
        self._sockets.mkdir(mode=0o750, exist_ok=True)
        if not server_account().is_current:
            os.chown(self._sockets, -1, server_account().gid)

    def run(self, *arguments: str, quiet: bool = True) -> str:
        """Run a `pgduet` command against this stack and give its output; not quiet, it prints itself.

        Raises PgduetError with the output and the end of every log that grew.
        """
        before = {log: log.stat().st_size if log.exists() else 0 for log in self.logs()}
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.repository,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode:
            grown = [log for log, size in before.items() if log.exists() and log.stat().st_size > size]
            ends = "".join(f"\n--- end of {log}:\n{tail(log)}" for log in grown)
            raise PgduetError(
                f"`pgduet {shlex.join(arguments)}` failed: {(done.stdout or '').strip()}{ends}",
                hint=f"the services go on running; look into {self.folder}, stop them with `make stop`",
            )
        return done.stdout or ""

    def logs(self) -> Iterator[Path]:
        """Yield the log files of the three parts."""
        yield from (self.cluster.log, self.sidecar.log, self.worker.log)

    def down(self) -> list[str]:
        """Stop all parts by process id and give the names of those that ran."""
        stopped = [service.name for service in (self.worker, self.sidecar) if service.stop()]
        if self.cluster.running:
            stopped.append(SERVER_USER)
        self.cluster.stop()
        return stopped
