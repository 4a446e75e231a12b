"""The duet: manifests, the model store, and the two encoders that turn a text into one vector.

Names are imported when first used: reading a manifest or listing the store does not load torch.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Read once, when torch is imported, so it is set before anything here can import it.
# A thread that waits must sleep: spinning beside a busy PostgreSQL took 3.4 s for one text instead of 0.8 s.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from pgduet.encoding.duet import Duet, Encoded, EncoderInfo, Tokens, load_duet
    from pgduet.encoding.errors import ManifestError, SelfTestError, StoreError, WeightsError
    from pgduet.encoding.fingerprint import fingerprint_of
    from pgduet.encoding.manifest import Manifest, Part, Role

__all__ = [
    "Duet",
    "Encoded",
    "EncoderInfo",
    "Manifest",
    "ManifestError",
    "Part",
    "Role",
    "SelfTestError",
    "StoreError",
    "Tokens",
    "WeightsError",
    "fingerprint_of",
    "load_duet",
]

_HOMES = {
    "Duet": "duet",
    "Encoded": "duet",
    "EncoderInfo": "duet",
    "Manifest": "manifest",
    "ManifestError": "errors",
    "Part": "manifest",
    "Role": "manifest",
    "SelfTestError": "errors",
    "StoreError": "errors",
    "Tokens": "duet",
    "WeightsError": "errors",
    "fingerprint_of": "fingerprint",
    "load_duet": "duet",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
