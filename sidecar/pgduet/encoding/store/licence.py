"""Licences of encoders: shown before anything is fetched, and asked for where they restrict the use."""

import re
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest, Slot
from pgduet.encoding.store.report import NOTE, Report

# `NC` as a part of its own: CC BY-NC 4.0, cc-by-nc-sa-4.0; but not NCSA, which is free.
_NON_COMMERCIAL = re.compile(r"(?<![a-z])nc(?![a-z])|non-?\s?commercial", re.IGNORECASE)
_HINT = "if you may use it on these terms, repeat the command with --accept-license"
_CARD = "README.md"


def show(manifest: Manifest, report: Report) -> None:
    """Report the licence of each encoder as a note."""
    for slot in manifest.slots:
        report(f"{slot.slot}: {slot.encoder}, licence {slot.licence}", 0, NOTE)


def require(manifest: Manifest, accepted: bool) -> None:
    """Raise StoreError where a licence needs an explicit yes and has none: one that restricts, or is not commercial."""
    for slot in manifest.slots:
        terms = slot.restricted or ("not for commercial use" if _is_non_commercial(slot.licence) else "")
        if terms and not accepted:
            raise StoreError(f"{slot.encoder} is licensed as {slot.licence}: {terms}", hint=_HINT)


def compare(slot: Slot, told: str, teller: str, accepted: bool, report: Report) -> None:
    """Report a note where `teller` tells another licence than the manifest; `told` is empty where it tells none.

    Raises StoreError where what it tells allows no commercial use and was not accepted.
    """
    if told and _plain(told) != _plain(slot.licence):
        report(f"{slot.encoder}: its manifest says licence {slot.licence}, {teller} says {told}", 0, NOTE)
    if _is_non_commercial(told) and not accepted:
        raise StoreError(f"{slot.encoder} is licensed as {told}, says {teller}: not for commercial use", hint=_HINT)


def told_by_card(folder: Path) -> str:
    """Read the licence off the model card in a folder, as the keys of a repository's card tell it; empty without."""
    path = folder / _CARD
    if not path.is_file():
        return ""
    head = re.match(r"---\s*\n(.*?)\n---", path.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    # A list below the key is read as its lines are: only what it says matters.
    found = re.findall(r"^license(?:_name)?:([^\n]*(?:\n\s*-[^\n]*)*)", head[1] if head else "", re.MULTILINE)
    words = [word.strip("-'\"[],") for value in found for word in value.split()]
    return " ".join(word for word in words if word and word != "other")


def _is_non_commercial(licence: str) -> bool:
    return bool(_NON_COMMERCIAL.search(licence))


def _plain(licence: str) -> str:
    """The hub writes `cc-by-nc-4.0` where people write CC BY-NC 4.0."""
    return licence.casefold().replace(" ", "-")
