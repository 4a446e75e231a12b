"""The model store: one folder per duet, holding its `duet.toml`, `code/` and `text/`."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.errors import ManifestError, StoreError
from pgduet.encoding.manifest import Manifest, read_manifest, ready_made
from pgduet.encoding.tables import Table

MANIFEST = "duet.toml"
REFERENCES = "references.npy"


@dataclass(frozen=True)
class Place:
    """Where the parts of one duet stand in the store, while it is being made and after."""

    store: Path
    name: str

    @property
    def folder(self) -> Path:
        """The complete duet."""
        return self.store / self.name

    @property
    def partial(self) -> Path:
        """The duet being made."""
        return self.store / f".{self.name}.partial"

    @property
    def sources(self) -> Path:
        """What it is made from."""
        return self.store / f".{self.name}.sources"

    @property
    def old(self) -> Path:
        """What stood in its place, while the two are exchanged."""
        return self.store / f".{self.name}.old"

    @property
    def lock(self) -> Path:
        """The file that is locked while any of them changes."""
        return self.store / f".{self.name}.lock"

    @property
    def unfinished(self) -> tuple[Path, Path, Path]:
        """The folders that only stand there while the duet is being made, or after an interruption."""
        return self.partial, self.sources, self.old


def store_folder(models_dir: Path | None = None) -> Path:
    """Return the folder of the store: `models_dir`, else PGDUET_MODELS_DIR, else pgduet/models in the user's cache."""
    if models_dir is not None:
        return models_dir
    if named := os.environ.get("PGDUET_MODELS_DIR"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pgduet" / "models"


def duet_folder(name: str, models_dir: Path | None = None) -> Path:
    """Return the folder of the duet `name`.

    Raises StoreError when it is not in the store.
    """
    store = store_folder(models_dir)
    if is_name(name) and holds_duet(store / name):
        return store / name
    known = ", ".join(ready_made())
    hint = f"run: pgduet models pull {name}" if name in ready_made() else f"ready-made duets: {known}"
    raise StoreError(f"the duet {name!r} is not in the model store {store}", hint=hint)


def is_name(name: str) -> bool:
    """Tell whether a duet can have that name; one with a separator or a leading dot would lead out of the store."""
    try:
        Table({"name": name}, "").name("name")
    except ManifestError:
        return False
    return True


def holds_duet(folder: Path) -> bool:
    """Tell whether a folder is a duet, so that this package may replace or remove it; any other belongs to the user."""
    return (folder / MANIFEST).is_file()


def present_names(models_dir: Path | None = None) -> list[str]:
    """Return the names of the duets in the store."""
    names = (path.parent.name for path in store_folder(models_dir).glob(f"[!.]*/{MANIFEST}"))
    return sorted(name for name in names if is_name(name))


def checked_manifest(folder: Path) -> Manifest:
    """Read the manifest of a duet's folder after checking the sha256 of every file.

    Reads the whole folder: about 0.5 s for `small`. Raises StoreError naming the first file that is wrong or does not
    belong there.
    """
    manifest = read_manifest(folder / MANIFEST)
    if wrong := wrong_files(manifest, folder):
        raise StoreError(
            f"the duet {manifest.name!r} in {folder} is damaged: {wrong[0]}",
            hint=mend_hint(manifest.name),
        )
    return manifest


def wrong_files(manifest: Manifest, folder: Path) -> list[str]:
    """Return one sentence for every file of a duet that is missing, has another sha256 than pinned, or is not pinned.

    A file that is not pinned counts: weights beside the pinned ones could be loaded instead of them.
    """
    problems = []
    for slot in manifest.slots:
        problems += mismatches(folder / slot.slot, slot.files)
        problems += [f"{path} does not belong to the duet" for path in _unknown(folder / slot.slot, slot.files)]
    if manifest.references:
        problems += mismatches(folder, {REFERENCES: manifest.references})
    return problems


def _unknown(folder: Path, files: Mapping[str, str]) -> list[Path]:
    pinned = {folder / name for name in files}
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path for path in paths if path not in pinned)


def mend_hint(name: str, *, readable: bool = True) -> str:
    """Say how a damaged duet is mended; one whose manifest is not `readable` might be another one."""
    if name in ready_made():
        return f"run: pgduet models pull {name}"
    return f"import {name} again from its manifest: pgduet models import FILE.toml" + ("" if readable else " --replace")


def mismatches(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return one sentence for every one of `files` (name to sha256) that is missing from `folder` or differs."""
    problems = []
    for name, expected in files.items():
        path = folder / name
        try:
            if not path.is_file():
                problems.append(f"{path} is missing")
            elif (actual := sha256_of(path)) != expected:
                problems.append(f"{path} has sha256 {actual}, expected {expected}")
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}")
    return problems


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
