"""One at a time: the lock of a duet in the model store."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgduet.encoding.store.report import Report, quiet


@contextmanager
def only_one(path: Path, report: Report = quiet) -> Iterator[None]:
    """Hold the lock file `path`; the system lets go of it even if this process is killed."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another pull to end", 0, 0)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
