"""Checks of this machine: the models' files and the disk."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pgduet.cli.checks.finding import Finding, failed
from pgduet.errors import PgduetError

_ENOUGH_BYTES = 2 * 1024**3


def check_machine(models: Iterable[str]) -> Iterator[Finding]:
    """Check that the files of the duets of these names are as pinned and that the disk has room."""
    from pgduet.encoding.store.layout import checked_manifest, duet_folder, store_folder

    for model in models:
        try:
            folder = duet_folder(model)
            checked_manifest(folder)
            yield Finding("model files", "ok", f"{model} in {folder} is as pinned")
        except PgduetError as error:
            yield failed("model files", error)
    yield _disk(store_folder())


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1024**3:.1f} GiB free at {existing}"
    if free < _ENOUGH_BYTES:
        return Finding(
            "disk", "warn", detail, "free some: a model of 2 GB is written in full before it replaces another"
        )
    return Finding("disk", "ok", detail)
