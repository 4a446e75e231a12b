"""Runs a command that ends when the process that started it does: python -m ... PID COMMAND ARGUMENT ..."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

# Of prctl(2).
_SET_PARENT_DEATH_SIGNAL = 1
# Short of memory, the kernel ends this command rather than the database or the trainer.
_SOONER = "500"


def main() -> None:
    """Become the command; a parent that is gone already ends it here."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_SOONER, encoding="ascii")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
