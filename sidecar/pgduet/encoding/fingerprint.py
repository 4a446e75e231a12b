"""The fingerprint: equal exactly where vectors may be compared."""

import hashlib
import json

from pgduet.encoding.manifest import Manifest

# Raise it when the code that turns texts into vectors changes what it returns for the same manifest.
_SCHEME = 1
_DIGITS = 16


def fingerprint_of(manifest: Manifest) -> str:
    """Return 16 hexadecimal digits over everything that moves a vector or its sketch; needs no weights.

    Names, summaries and licences are left out, and so is where the files came from: their hashes say what they are.
    """
    halves = [
        {
            "files": sorted(slot.files.items()),
            "max_tokens": slot.max_tokens,
            "pooling": slot.pooling,
            "prefix": sorted(slot.prefix.items()),
            "slot": slot.slot,
            "weight": slot.weight,
            "width": slot.width,
        }
        for slot in manifest.slots
    ]
    what = {
        "dtype": manifest.dtype,
        "halves": halves,
        "lift_seed": manifest.lift_seed,
        "scheme": _SCHEME,
        "sketch_seed": manifest.sketch_seed,
    }
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
