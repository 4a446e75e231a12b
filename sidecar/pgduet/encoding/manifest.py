"""The manifest of a duet: everything that decides what its vectors are."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.sources import Source, read_source
from pgduet.encoding.tables import Table

SLOT_WIDTHS = {"code": 1536, "text": 1024}
POOLINGS = ("mean", "last", "cls")
ATTENTIONS = ("auto", "causal", "bidirectional")
# Never float16: states of these encoders pass its largest number.
DTYPES = ("float32", "bfloat16")


class Role(StrEnum):
    """What a text is for; encoders may be trained with another prefix or adapter for each side."""

    DOCUMENT = "document"
    QUERY = "query"


class Part(StrEnum):
    """Which vector is wanted: the fused one, or one half alone."""

    BOTH = "both"
    CODE = "code"
    TEXT = "text"


@dataclass(frozen=True)
class Golden:
    """Known states of the real weights: `values[i][j]` is the state of token `token + i` in dimension `1 + j`.

    `text` is read as it stands, without the prefix of its role.
    """

    role: Role
    text: str
    token: int
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Slot:
    """One half of a duet: which encoder fills it and how it is used.

    `width` is the encoder's own; `slot_width` what it is lifted to. `attention` matters for decoders only. `end` is the
    token that stands exactly once behind every text, "none" where no token does, or empty where the tokenizer decides.
    `adapter` names the weights of each role, or is empty. `restricted` says why the licence needs an explicit yes, or
    is empty. `files` maps the names stored for this encoder to their sha256; it is empty where the hashes are known
    only after fetching. `weight` is this half's share of the cosine.
    """

    slot: str
    encoder: str
    licence: str
    restricted: str
    width: int
    pooling: str
    attention: str
    max_tokens: int
    end: str
    weight: float
    prefix: Mapping[Role, str]
    adapter: Mapping[Role, str]
    golden: tuple[Golden, ...]
    source: Source
    files: Mapping[str, str]

    @property
    def slot_width(self) -> int:
        """Numbers this half takes in the fused vector."""
        return SLOT_WIDTHS[self.slot]


@dataclass(frozen=True)
class Manifest:
    """A duet as its `duet.toml` describes it; `references` is the sha256 of its reference vectors, or empty."""

    name: str
    summary: str
    dtype: str
    lift_seed: int
    sketch_seed: int
    references: str
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
        references=table.sha256("references") if "references" in table else "",
        code=_slot("code", table.table("code")),
        text=_slot("text", table.table("text")),
    )
    table.finish()
    if abs(manifest.code.weight + manifest.text.weight - 1) > 1e-9:
        raise ManifestError(f"{origin}: the weights of code and text must sum to 1")
    return manifest


def _slot(slot: str, table: Table) -> Slot:
    stored = table.hashes("files") if "files" in table else {}
    result = Slot(
        slot=slot,
        encoder=table.text("encoder"),
        licence=table.text("licence"),
        restricted=table.text("restricted") if "restricted" in table else "",
        width=table.count("width", most=SLOT_WIDTHS[slot]),
        pooling=table.choice("pooling", POOLINGS),
        attention=table.choice("attention", ATTENTIONS) if "attention" in table else "auto",
        max_tokens=table.count("max_tokens", least=8),
        end=table.text("end") if "end" in table else "",
        weight=table.share("weight"),
        prefix=_by_role(table.table("prefix"), empty=True),
        adapter=_by_role(table.table("adapter"), empty=False) if "adapter" in table else {},
        golden=tuple(_golden(one) for one in table.tables("golden")) if "golden" in table else (),
        source=read_source(table.table("source"), stored),
        files=stored,
    )
    table.finish()
    if result.source.format == "jina-v3" and not result.adapter:
        raise table.fault("format 'jina-v3' needs a table `adapter` that names the adapter of each role")
    if result.source.format == "onnx" and result.attention != "auto":
        raise table.fault("an ONNX file has its attention built in; leave `attention` out")
    if result.adapter and result.source.format not in ("jina-v3", "onnx"):
        raise table.fault(f"format {result.source.format!r} has no adapters; leave `adapter` out")
    return result


def _by_role(table: Table, *, empty: bool) -> dict[Role, str]:
    result = {role: table.text(role, empty=empty) for role in Role}
    table.finish()
    return result


def _golden(table: Table) -> Golden:
    golden = Golden(
        role=Role(table.choice("role", [str(role) for role in Role])),
        text=table.text("text"),
        token=table.count("token", least=0),
        values=table.numbers("values"),
    )
    table.finish()
    return golden


def ready_made() -> dict[str, str]:
    """Return the text of every manifest that comes with pgduet, by name of the duet."""
    folder = files("pgduet.encoding").joinpath("duets")
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
