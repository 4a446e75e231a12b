"""Pulling a ready-made duet into the model store."""

from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import parse_manifest, ready_made
from pgduet.encoding.store.install import install
from pgduet.encoding.store.report import Report, quiet


def pull(name: str, models_dir: Path | None = None, report: Report = quiet, *, accept_licence: bool = False) -> Path:
    """Fetch, check and convert the files of the ready-made duet `name`; return its folder.

    Does nothing when every file is there with the right sha256. An interrupted pull goes on where it stopped; of two at
    once, the second waits for the first. The duet appears in one rename, complete. Raises StoreError when there is no
    such duet, its licence was not accepted, a file cannot be fetched or is not the right one, or the store cannot be
    written.
    """
    if name not in ready_made():
        raise StoreError(f"there is no ready-made duet {name!r}", hint="ready-made duets: " + ", ".join(ready_made()))
    manifest = parse_manifest(ready_made()[name], f"{name}.toml")
    return install(manifest, None, models_dir, report, accept_licence, replace_other=True)
