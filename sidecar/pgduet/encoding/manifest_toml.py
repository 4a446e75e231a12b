"""Writing a manifest as the text of a `duet.toml`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import tomli_w

from pgduet.encoding.manifest import Manifest, Role, Slot
from pgduet.encoding.sources import HubSource, PackageSource, Source


def to_toml(manifest: Manifest) -> str:
    """Return the text that `parse_manifest` reads back as an equal manifest; keys at their default are left out."""
    data: dict[str, Any] = {
        "name": manifest.name,
        "summary": manifest.summary,
        "dtype": manifest.dtype,
        "lift_seed": manifest.lift_seed,
        "sketch_seed": manifest.sketch_seed,
        "references": manifest.references,
        **{slot.slot: _slot(slot) for slot in manifest.slots},
    }
    return tomli_w.dumps(_without_empty(data))


def _slot(slot: Slot) -> dict[str, Any]:
    data = {
        "encoder": slot.encoder,
        "licence": slot.licence,
        "restricted": slot.restricted,
        "width": slot.width,
        "pooling": slot.pooling,
        "attention": "" if slot.attention == "auto" else slot.attention,
        "max_tokens": slot.max_tokens,
        "end": slot.end,
        "weight": slot.weight,
        "prefix": _by_role(slot.prefix),
        "adapter": _by_role(slot.adapter),
        "files": dict(slot.files),
        "source": _source(slot.source),
        "golden": [
            {"role": str(one.role), "text": one.text, "token": one.token, "values": [list(row) for row in one.values]}
            for one in slot.golden
        ],
    }
    return _without_empty(data)


def _by_role(values: Mapping[Role, str]) -> dict[str, str]:
    return {str(role): value for role, value in values.items()}


def _source(source: Source) -> dict[str, Any]:
    kind = "package" if isinstance(source, PackageSource) else "hub" if isinstance(source, HubSource) else "folder"
    return _without_empty({"kind": kind, **asdict(source)})


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in ("", {}, [])}
