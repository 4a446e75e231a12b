"""A private PostgreSQL cluster in one folder, for trying things out and for tests."""

import os
import secrets
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from pgduet.errors import PgduetError
from pgduet.local.accounts import server_account
from pgduet.local.binaries import Binaries, find_binaries
from pgduet.local.files import tail, write_private

_START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Cluster:
    """A PostgreSQL cluster that lives in `folder` and is reached by a unix socket there.

    Started by root it runs as the user `postgres`, else as the user who starts it. The socket asks for no password
    and stands in a folder of mode 0700; TCP on 127.0.0.1 asks for the one in `password_file`. `python_path` becomes
    the server's PYTHONPATH, the one way to put a module before the distribution's own. `port` is chosen once and
    kept when not given. `settings` are lines of postgresql.conf and take effect at the next start.
    Used in a `with` block the cluster is created, started, and stopped at the end.
    """

    def __init__(
        self,
        folder: Path,
        python_path: Sequence[Path] = (),
        port: int | None = None,
        settings: Mapping[str, str] = _NO_SETTINGS,
    ) -> None:
        self.folder = folder.absolute()
        self.python_path = tuple(python_path)
        self.settings = dict(settings)
        self.data = self.folder / "data"
        self.socket_directory = self.folder / "socket"
        self.log = self.folder / "postgres.log"
        self.pid_file = self.folder / "postgres.pid"
        self.password_file = self.folder / "postgres.password"
        self._port_file = self.folder / "postgres.port"
        self._fixed_port = port
        self._account = server_account()

    @property
    def port(self) -> int:
        """Give the port, which also names the socket; a free one is chosen at the first use and kept."""
        if self._fixed_port is not None:
            return self._fixed_port
        if not self._port_file.exists():
            self._port_file.write_text(f"{_free_port()}\n")
        return int(self._port_file.read_text())

    @property
    def pid(self) -> int | None:
        """Give the postmaster's process id, or None when the cluster is not running."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            # After a crash the number may belong to a stranger.
            return pid if self._is_postmaster(pid) else None
        except (OSError, ValueError):
            return None

    def _is_postmaster(self, pid: int) -> bool:
        """Tell whether a process works in the data folder, as a postmaster does."""
        process = Path(f"/proc/{pid}")
        try:
            return (process / "cwd").readlink() == self.data.resolve()
        except PermissionError:
            # Root in a container may not see where others work, but what they were started with.
            return os.fsencode(self.data) in (process / "cmdline").read_bytes().split(b"\0")

    @property
    def running(self) -> bool:
        """Tell whether the postmaster runs."""
        return self.pid is not None

    @property
    def environment(self) -> dict[str, str]:
        """Give libpq's variables for a superuser's connection by the socket."""
        return {"PGHOST": str(self.socket_directory), "PGPORT": str(self.port), "PGUSER": "postgres"}

    def conninfo(self, dbname: str = "postgres") -> str:
        """Give libpq's connection string for a superuser's connection by the socket."""
        parts = {"host": str(self.socket_directory), "port": str(self.port), "user": "postgres", "dbname": dbname}
        return " ".join(f"{name}='{_quoted(value)}'" for name, value in parts.items())

    def create(self) -> None:
        """Make the folder and the data in it; does nothing where they exist.

        Raises PgduetError when the server's user cannot reach the folder or initdb fails.
        """
        if self.data.exists():
            return
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not self._account.can_enter(self.folder):
            raise PgduetError(
                f"the user {self._account.name!r}, who runs PostgreSQL, cannot enter {self.folder}",
                hint="use a folder whose parents all let others pass (chmod o+x), such as one under /var/tmp",
            )
        self.socket_directory.mkdir(mode=0o700, exist_ok=True)
        self._account.own(self.socket_directory)
        write_private(self.password_file, secrets.token_urlsafe(24) + "\n")
        self._account.own(self.password_file)
        self._initdb(find_binaries())

    def _initdb(self, binaries: Binaries) -> None:
        """Run initdb in a folder aside and rename the result: an interrupted run leaves no half cluster."""
        unfinished = self.socket_directory / "initdb"
        shutil.rmtree(unfinished, ignore_errors=True)
        command: list[str | Path] = [
            binaries["initdb"],
            "-D",
            unfinished,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        command += ["--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256"]
        command += [f"--pwfile={self.password_file}"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        done = self._account.run(command, environment=self._server_environment(binaries))
        if done.returncode:
            raise PgduetError(
                f"initdb failed:\n{done.stdout.strip()}", hint=f"is there room on the disk of {self.folder}?"
            )
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("include 'pgduet.conf'\n")
        unfinished.rename(self.data)

    def start(self) -> None:
        """Start the postmaster and wait until it takes connections; does nothing when it runs.

        Raises PgduetError with the end of the server's log when it does not come up within a minute.
        """
        if self.running:
            return
        binaries = find_binaries(int((self.data / "PG_VERSION").read_text()))
        if self._fixed_port is None and not _is_free(self.port):
            self._port_file.unlink()
        self._write_settings()
        self.log.touch(mode=0o640)
        self._account.own(self.log)
        command: list[str | Path] = [
            binaries["pg_ctl"],
            "start",
            "-w",
            "-t",
            str(_START_SECONDS),
            "-D",
            self.data,
            "-l",
            self.log,
        ]
        done = self._account.run(command, environment=self._server_environment(binaries))
        if done.returncode:
            raise PgduetError(
                f"PostgreSQL did not start: {done.stdout.strip()}\n{tail(self.log)}", hint=f"read {self.log}"
            )
        self.pid_file.write_text(f"{self.pid}\n")

    def _write_settings(self) -> None:
        settings = _SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.socket_directory)}
        lines = [f"{name} = '{_doubled(value)}'\n" for name, value in (settings | self.settings).items()]
        (self.data / "pgduet.conf").write_text("".join(lines))
        self._account.own(self.data / "pgduet.conf")

    def _server_environment(self, binaries: Binaries) -> dict[str, str]:
        """Give the postmaster's whole environment: nothing of the caller's shell leaks into PL/Python."""
        environment = {"PATH": f"{binaries.folder}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder)}
        if self.python_path:
            environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in self.python_path)
        return environment

    def stop(self, mode: str = "fast") -> None:
        """Stop the postmaster and wait until it is gone; does nothing when it does not run.

        `mode` is pg_ctl's: `smart`, `fast` or `immediate`. Raises PgduetError when it does not end in time.
        """
        if self.running:
            binaries = find_binaries(int((self.data / "PG_VERSION").read_text()))
            command: list[str | Path] = [
                binaries["pg_ctl"],
                "stop",
                "-w",
                "-t",
                str(_START_SECONDS),
                "-m",
                mode,
                "-D",
                self.data,
            ]
            done = self._account.run(command, environment=self._server_environment(binaries))
            if done.returncode:
                raise PgduetError(
                    f"PostgreSQL did not stop: {done.stdout.strip()}\n{tail(self.log)}", hint=f"read {self.log}"
                )
        self.pid_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.create()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: a port whose old connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _doubled(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
