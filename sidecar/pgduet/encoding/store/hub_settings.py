"""What the environment says about the hub, read at each call: the hub client reads it once, when it is imported."""

import os
import re
from urllib.parse import urlsplit

from huggingface_hub import constants

from pgduet.encoding.errors import StoreError

_YES = ("1", "ON", "YES", "TRUE")
# Up to the last @ before the path: a password may hold one itself.
_USER = re.compile(r"(?<=://)[^/\s]*@")


def endpoint() -> str:
    """Return HF_ENDPOINT, or empty where the hub client's own is meant."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/")


def is_offline() -> bool:
    """Tell whether the user wants no request to a hub."""
    return constants.is_offline_mode() or os.environ.get("HF_HUB_OFFLINE", "").upper() in _YES


def without_secrets(text: str) -> str:
    """Take the token out of a text, and user and password out of the addresses in it."""
    if token := os.environ.get("HF_TOKEN", "").strip():
        text = text.replace(token, "***")
    return _USER.sub("", text)


def require_address() -> None:
    """Raise StoreError where HF_ENDPOINT is not the address of a server."""
    try:
        address = urlsplit(endpoint())
        good = not endpoint() or (address.scheme in ("http", "https") and address.hostname and address.port != 0)
    except ValueError:
        good = False
    if not good:
        raise StoreError(
            f"HF_ENDPOINT cannot be used: {without_secrets(endpoint())!r} is not an address",
            hint="unset HF_ENDPOINT, or set it to an address that begins with https:// or http://",
        )
