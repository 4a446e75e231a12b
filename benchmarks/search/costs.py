"""What a backend uses: processor time and private memory, as Linux counts them."""

import threading
from pathlib import Path
from typing import Self


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a backend has used, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class MemoryWatch:
    """The most private memory that a backend holds while the block runs, in MB; shared buffers do not count."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._start = self._read()
        self.megabytes = 0.0

    def _read(self) -> float:
        lines = [line for line in self._file.read_text().splitlines() if line.startswith("RssAnon")]
        return int(lines[0].split()[1]) / 1024

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.megabytes = max(self.megabytes, self._read() - self._start)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
