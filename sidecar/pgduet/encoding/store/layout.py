"""The model store: one folder per duet, holding its `duet.toml`, `code/` and `text/`."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest, parse_manifest, read_manifest, ready_made
from pgduet.encoding.store.lock import only_one

MANIFEST = "duet.toml"
REFERENCES = "references.npy"


@dataclass(frozen=True)
class Listed:
    """A duet that is known by name: `present` in the store, or only ready to be pulled.

    `size` counts the bytes that it takes on the disk, those of a pull that was not completed (`partial`) included.
    """

    manifest: Manifest
    present: bool
    partial: bool
    size: int


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
    if _is_name(name) and (store / name / MANIFEST).is_file():
        return store / name
    known = ", ".join(ready_made())
    hint = f"run: pgduet models pull {name}" if name in ready_made() else f"ready-made duets: {known}"
    raise StoreError(f"the duet {name!r} is not in the model store {store}", hint=hint)


def _is_name(name: str) -> bool:
    """A name with a separator or a leading dot would lead out of the store, or into a pull under way."""
    return bool(name) and name == Path(name).name and not name.startswith(".")


def list_duets(models_dir: Path | None = None) -> list[Listed]:
    """Return the duets in the store and the ready-made ones, in the order of their names.

    Raises ManifestError naming a `duet.toml` in the store that cannot be read.
    """
    store = store_folder(models_dir)
    known = {name: (parse_manifest(text, f"{name}.toml"), False) for name, text in ready_made().items()}
    for name in present_names(models_dir):
        known[name] = (read_manifest(store / name / MANIFEST), True)
    return [_listed(Place(store, name), *known[name]) for name in sorted(known)]


def _listed(place: Place, manifest: Manifest, present: bool) -> Listed:
    partial = any(path.exists() for path in place.unfinished)
    return Listed(manifest, present, partial, sum(size_of(path) for path in (place.folder, *place.unfinished)))


def present_names(models_dir: Path | None = None) -> list[str]:
    """Return the names of the duets in the store."""
    return sorted(path.parent.name for path in store_folder(models_dir).glob(f"[!.]*/{MANIFEST}"))


def size_of(folder: Path) -> int:
    """Count the bytes that the files in a folder take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def removable(name: str, models_dir: Path | None = None) -> int:
    """Count the bytes that `remove` would free.

    Raises StoreError when there is nothing of that name.
    """
    return sum(size_of(path) for path in _parts(name, models_dir))


def remove(name: str, models_dir: Path | None = None) -> None:
    """Remove a duet from the store, and what an interrupted pull of it left.

    Raises StoreError when there is nothing of that name, or it cannot be removed.
    """
    place = Place(store_folder(models_dir), name)
    _parts(name, models_dir)
    try:
        with only_one(place.lock):
            # Out of sight in one step first, so that an interruption leaves no half of a duet under its name.
            if place.folder.is_dir():
                shutil.rmtree(place.old, ignore_errors=True)
                place.folder.rename(place.old)
            for path in place.unfinished:
                if path.is_dir():
                    shutil.rmtree(path)
    except OSError as error:
        raise StoreError(f"cannot remove the duet {name!r} from {place.store}: {error}") from error


def _parts(name: str, models_dir: Path | None) -> list[Path]:
    place = Place(store_folder(models_dir), name)
    paths = [path for path in (place.folder, *place.unfinished) if _is_name(name) and path.is_dir()]
    if not paths:
        raise StoreError(
            f"there is nothing of the duet {name!r} in the model store {place.store}", hint="see: pgduet models list"
        )
    return paths


def checked_manifest(folder: Path) -> Manifest:
    """Read the manifest of a duet's folder after checking the sha256 of every file.

    Reads the whole folder: about 0.5 s for `small`. Raises StoreError naming the first file that is wrong.
    """
    manifest = read_manifest(folder / MANIFEST)
    if wrong := wrong_files(manifest, folder):
        raise StoreError(
            f"the duet {manifest.name!r} in {folder} is damaged: {wrong[0]}",
            hint=mend_hint(manifest),
        )
    return manifest


def wrong_files(manifest: Manifest, folder: Path) -> list[str]:
    """Return one sentence for every file of a duet that is missing or has another sha256 than its manifest says."""
    problems = [problem for slot in manifest.slots for problem in mismatches(folder / slot.slot, slot.files)]
    if manifest.references:
        problems += mismatches(folder, {REFERENCES: manifest.references})
    return problems


def mend_hint(manifest: Manifest) -> str:
    """Say how a damaged duet is mended."""
    if manifest.name in ready_made():
        return f"run: pgduet models pull {manifest.name}"
    return f"import {manifest.name} again from its manifest: pgduet models import FILE.toml"


def mismatches(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Return one sentence for every one of `files` (name to sha256) that is missing from `folder` or differs."""
    problems = []
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{path} is missing")
        elif (actual := sha256_of(path)) != expected:
            problems.append(f"{path} has sha256 {actual}, expected {expected}")
    return problems


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
