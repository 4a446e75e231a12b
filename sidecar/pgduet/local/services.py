"""Programs that go on running after the command that started them ended."""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgduet.errors import PgduetError
from pgduet.local.files import tail

_SHELL = "/bin/sh"
_MARK = "PGDUET_SERVICE"
# The program's own first act is to write its number: interrupting the starter at any moment loses no process.
_LAUNCH = 'cd / && echo $$ >"$PGDUET_SERVICE.new" && mv "$PGDUET_SERVICE.new" "$PGDUET_SERVICE" && exec "$@"'
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Service:
    """A program that runs in the background, with `<name>.pid` and `<name>.log` in `folder`.

    The program inherits the environment with `environment` laid over it, and a mark by which its pid file tells it
    from a stranger that got the same number later.
    """

    name: str
    folder: Path
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def pid_file(self) -> Path:
        """Give the file that holds the process id."""
        return self.folder / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        """Give the file that collects what the program prints."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Give the process id, or None when the program does not run."""
        try:
            pid = int(self.pid_file.read_text())
            environment = _environment_of(pid)
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(f"{_MARK}={self.pid_file}") in environment else None

    def start(self) -> bool:
        """Start the program in its own session; gives False when it runs already."""
        if self.pid is not None:
            return False
        environment = os.environ | self.environment | {_MARK: str(self.pid_file)}
        self.pid_file.unlink(missing_ok=True)
        launched = os.posix_spawn(
            _SHELL,
            [_SHELL, "-c", _LAUNCH, self.name, *self.command],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        while not self.pid_file.exists() and os.waitpid(launched, os.WNOHANG) == (0, 0):
            time.sleep(_POLL_SECONDS / 10)
        return True

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says so.

        Raises PgduetError with the end of the log when the program ends or `seconds` pass first; a program that was
        not ready in time is stopped.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            alive = self.pid is not None
            if alive and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            self.stop()
            what = f"was not ready after {seconds:.0f} s" if alive else "ended before it was ready"
            raise PgduetError(f"the {self.name} {what}; its log ends with:\n{tail(self.log)}", hint=f"read {self.log}")

    def stop(self, seconds: float = 20) -> bool:
        """End the program by its process id, by force after `seconds`; gives False when it did not run."""
        handle = self._open_handle()
        if handle is not None:
            try:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                if not select.select([handle], [], [], seconds)[0]:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    select.select([handle], [], [], seconds)
            except ProcessLookupError:
                pass
            finally:
                os.close(handle)
        self.pid_file.unlink(missing_ok=True)
        return handle is not None

    def _open_handle(self) -> int | None:
        """Open a handle of the process that no reuse of its number can redirect: opened first, checked after."""
        pid = self.pid
        if pid is None:
            return None
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        if self.pid == pid:
            return handle
        os.close(handle)
        return None


def _environment_of(pid: int) -> list[bytes]:
    """Read the environment of a process; that of one that has ended is empty, collected by its parent or not."""
    process = Path(f"/proc/{pid}")
    environment = b""
    deadline = time.monotonic() + 1
    while not environment and time.monotonic() < deadline:
        environment = (process / "environ").read_bytes()
        if (process / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
            break
        # Empty for the moment in which a process turns into the program it executes.
        time.sleep(0 if environment else _POLL_SECONDS / 20)
    return environment.split(b"\0")
