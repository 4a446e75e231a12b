"""One command of a run, in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_BOUND = "pgduet.training.requests.bound"
_READ = 8_000


class Child:
    """A running command that cannot outlive the thread that made it; what it prints is added to `log`.

    It has a session of its own: Ctrl-C reaches the trainer alone, which then ends it.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("ab") as output:
            self._start = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", _BOUND, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | environment,
                start_new_session=True,
            )

    def code(self) -> int | None:
        """Return how it ended, minus the signal's number where a signal ended it; None while it runs."""
        return self._process.poll()

    def stop(self, grace: float) -> None:
        """End it: ask, and after `grace` seconds do not ask. Does nothing where it has ended."""
        if self._process.poll() is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def said(self) -> str:
        """Return its error and hint, else the last line that it printed, else how it ended."""
        code = self._process.poll()
        if code is not None and code < 0:
            return f"ended by {signal.Signals(-code).name}{_reason(-code)}"
        with self._log.open("rb") as log:
            log.seek(max(self._start, os.path.getsize(self._log) - _READ))
            lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        if errors:
            return "\n".join(lines[errors[-1] :]).removeprefix("error: ")
        return lines[-1].strip() if lines else f"ended with {code}, saying nothing"

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _reason(number: int) -> str:
    return ": perhaps there was not enough memory" if number == signal.SIGKILL else ""
