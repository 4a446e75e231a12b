"""The model store: one folder per duet, holding its `duet.toml`, `code/` and `text/`."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest, parse_manifest, read_manifest, ready_made

MANIFEST = "duet.toml"


@dataclass(frozen=True)
class Listed:
    """A duet that is known by name: `present` in the store, or only ready to be pulled."""

    manifest: Manifest
    present: bool


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
    # A name with a separator or a leading dot would lead out of the store, or into a pull under way.
    if name == Path(name).name and not name.startswith(".") and (store / name / MANIFEST).is_file():
        return store / name
    known = ", ".join(ready_made())
    hint = f"run: pgduet models pull {name}" if name in ready_made() else f"ready-made duets: {known}"
    raise StoreError(f"the duet {name!r} is not in the model store {store}", hint=hint)


def list_duets(models_dir: Path | None = None) -> list[Listed]:
    """Return the duets in the store and the ready-made ones, in the order of their names."""
    known = {name: Listed(parse_manifest(text, f"{name}.toml"), False) for name, text in ready_made().items()}
    for path in store_folder(models_dir).glob(f"[!.]*/{MANIFEST}"):
        known[path.parent.name] = Listed(read_manifest(path), True)
    return [known[name] for name in sorted(known)]


def checked_manifest(folder: Path) -> Manifest:
    """Read the manifest of a duet's folder after checking the sha256 of every file.

    Reads the whole folder: about 0.5 s for `small`. Raises StoreError naming the first file that is wrong.
    """
    manifest = read_manifest(folder / MANIFEST)
    if wrong := wrong_files(manifest, folder):
        raise StoreError(
            f"the duet {manifest.name!r} in {folder} is damaged: {wrong[0]}",
            hint=f"run: pgduet models pull {manifest.name}",
        )
    return manifest


def wrong_files(manifest: Manifest, folder: Path) -> list[str]:
    """Return one sentence for every file of a duet that is missing or has another sha256 than its manifest says."""
    return [problem for slot in manifest.slots for problem in mismatches(folder / slot.slot, slot.files)]


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
