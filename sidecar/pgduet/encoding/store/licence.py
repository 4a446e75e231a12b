"""Licences of encoders: shown before anything is fetched, and asked for where they restrict the use."""

from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Manifest, Slot
from pgduet.encoding.store.report import NOTE, Report


def show(manifest: Manifest, report: Report) -> None:
    """Report the licence of each encoder as a note."""
    for slot in manifest.slots:
        report(f"{slot.slot}: {slot.encoder}, licence {slot.licence}", 0, NOTE)


def require(manifest: Manifest, accepted: bool) -> None:
    """Raise StoreError where a licence needs an explicit yes and has none."""
    for slot in manifest.slots:
        if slot.restricted and not accepted:
            raise StoreError(
                f"{slot.encoder} is licensed as {slot.licence}: {slot.restricted}",
                hint="if you may use it on these terms, repeat the command with --accept-license",
            )


def compare(slot: Slot, told: str, report: Report) -> None:
    """Report a note where the hub tells another licence than the manifest; `told` is empty where it tells none."""
    if told and _plain(told) != _plain(slot.licence):
        report(f"{slot.encoder}: its manifest says licence {slot.licence}, the hub says {told}", 0, NOTE)


def _plain(licence: str) -> str:
    """The hub writes `cc-by-nc-4.0` where people write CC BY-NC 4.0."""
    return licence.casefold().replace(" ", "-")
