"""Model stores to start a test with, and manifests written to be imported."""

import os
from pathlib import Path

import pytest

from fix_hub import duet_of
from pgduet.encoding.manifest import Manifest, parse_manifest, ready_made
from pgduet.encoding.manifest_toml import to_toml
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import import_file
from pgduet.encoding.store.layout import MANIFEST, sha256_of


def install(models: Path, name: str = "tiny") -> Path:
    """Lay out a duet of small files, with a manifest that pins them."""
    folder = models / name
    text = ready_made()["small"].replace('name = "small"', f'name = "{name}"')
    manifest = parse_manifest(text, "small.toml")
    for slot in manifest.slots:
        (folder / slot.slot).mkdir(parents=True)
        for file, pinned in slot.files.items():
            path = folder / slot.slot / file
            path.write_bytes(os.urandom(2000))
            text = text.replace(pinned, sha256_of(path))
    (folder / MANIFEST).write_text(text)
    return folder


def write(folder: Path, manifest: Manifest) -> Path:
    """Write a manifest as `duet.toml` into `folder`, to be imported."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    path.write_text(to_toml(manifest), encoding="utf-8")
    return path


def add(
    home: Path,
    manifest: Manifest | None = None,
    said: list[str] | None = None,
    *,
    accept: bool = False,
    other: bool = False,
) -> Path:
    """Import `home`/mine/duet.toml, or `manifest` written there, into `home`/models; note what is reported."""

    def report(what: str, _done: int, _total: int) -> None:
        if said is not None:
            said.append(what)

    path = write(home / "mine", manifest) if manifest else home / "mine" / MANIFEST
    return import_file(path, home / "models", report, accept_licence=accept, replace_other=other)


@pytest.fixture(scope="session")
def plain_store(checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which `tiny` was imported from the folders of both checkpoints. Tests copy it."""
    home = tmp_path_factory.mktemp("plain")
    code, text = (FolderSource(str(folder), "transformers") for folder in checkpoints)
    return add(home, duet_of(code, text)).parent
