"""The fingerprint: equal exactly where vectors may be compared."""

import hashlib
import json
from typing import Any

from pgduet.encoding.errors import ManifestError
from pgduet.encoding.manifest import Manifest, Slot

# Raise it when the code that turns texts into vectors changes what it returns for the same manifest.
_SCHEME = 1
_DIGITS = 16


def fingerprint_of(manifest: Manifest) -> str:
    """Return 16 hexadecimal digits over everything that moves a vector or its sketch; needs no weights.

    Names, summaries and licences are left out, and so is where the files came from: their hashes say what they are.
    Raises ManifestError for a recipe whose files are not known before they are fetched.
    """
    if not all(slot.files for slot in manifest.slots):
        raise ManifestError(
            f"the duet {manifest.name!r} has no fingerprint before its files are known",
            hint=f"run: pgduet models pull {manifest.name}",
        )
    what = {
        "dtype": manifest.dtype,
        "halves": [_half(slot) for slot in manifest.slots],
        "lift_seed": manifest.lift_seed,
        "scheme": _SCHEME,
        "sketch_seed": manifest.sketch_seed,
    }
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _half(slot: Slot) -> dict[str, Any]:
    half: dict[str, Any] = {
        "files": sorted(slot.files.items()),
        "max_tokens": slot.max_tokens,
        "pooling": slot.pooling,
        "prefix": sorted(slot.prefix.items()),
        "slot": slot.slot,
        "weight": slot.weight,
        "width": slot.width,
    }
    # Left out at their defaults: a manifest written before these keys existed keeps its fingerprint.
    if slot.attention != "auto":
        half["attention"] = slot.attention
    if slot.end:
        half["end"] = slot.end
    if slot.adapter:
        half["adapter"] = sorted(slot.adapter.items())
    return half
