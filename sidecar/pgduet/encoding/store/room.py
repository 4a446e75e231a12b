"""Whether the disk has room for a duet, asked before anything is fetched."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Slot

# Left free beside what the duet takes: logs, locks, and whoever else writes meanwhile.
MARGIN = 256 << 20
# An index does not tell the size of a package; the largest that is known takes this much when it is converted.
_PACKAGE = 600 << 20


@dataclass(frozen=True)
class Need:
    """Bytes that one encoder takes: to fetch, and to write besides."""

    encoder: str
    fetched: int
    written: int

    @classmethod
    def of_package(cls, encoder: str) -> "Need":
        """Estimate an encoder out of a package."""
        return cls(encoder, 0, _PACKAGE)

    @classmethod
    def of(cls, slot: Slot, dtype: str, *, fetched: int, copied: int, whole: int) -> "Need":
        """Reckon an encoder whose source has `whole` bytes, of which `fetched` are not here yet.

        jina v3 is written as two sets of weights; in float32 they may be twice as wide as its bfloat16.
        """
        if slot.source.format != "jina-v3":
            return cls(slot.encoder, fetched, copied)
        return cls(slot.encoder, fetched, whole * (4 if dtype == "float32" else 2))


def require_room(store: Path, needs: Sequence[Need]) -> None:
    """Raise StoreError with the needed and the free bytes where the disk of `store` is too small."""
    if not needs:
        return
    fetched, written = sum(need.fetched for need in needs), sum(need.written for need in needs)
    needed, free = fetched + written + MARGIN, shutil.disk_usage(store).free
    if needed > free:
        raise StoreError(
            f"the disk of the model store {store} has {readable(free)} free and {readable(needed)} are needed: "
            f"{readable(fetched)} to fetch, {readable(written)} to write besides, {readable(MARGIN)} to spare",
            hint="make room, or set PGDUET_MODELS_DIR to a folder on a larger disk",
        )


def readable(count: float) -> str:
    """Write a number of bytes for people, such as `3.1 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
