"""Print the bill of materials of a wheel as CycloneDX 1.6 JSON: what it requires, and the weights that it can fetch.

    python deploy/sbom.py dist/pgduet-0.1.0-py3-none-any.whl constraints.txt >pgduet.cdx.json

A component of the base is `required`, of an extra `optional`; versions are those of the constraints, which is what the
tests ran with. Reads the two files alone.
"""

import hashlib
import json
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def bill(wheel: Path, constraints: Path) -> dict[str, Any]:
    """Give the bill of a wheel as a JSON object; raises KeyError where a requirement has no version."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = Parser().parsestr(archive.read(name).decode("utf-8"))
        duets = [
            tomllib.loads(archive.read(name).decode("utf-8"))
            for name in archive.namelist()
            if name.startswith("pgduet/encoding/duets/") and name.endswith(".toml")
        ]
    subject = _package(about["Name"], about["Version"]) | {
        "type": "application",
        "licenses": [{"expression": about["License-Expression"]}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
    }
    packages = _packages(about, _versions(constraints))
    weights = [_weights(duet["name"], slot, duet[slot]) for duet in duets for slot in ("code", "text")]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": packages + weights,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [one["bom-ref"] for one in packages]}],
    }


def _versions(constraints: Path) -> dict[str, str]:
    lines = (line.split("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, version in pairs}


def _packages(about: Message, versions: dict[str, str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    extras = ("", *(about.get_all("Provides-Extra") or []))
    for requirement in map(Requirement, about.get_all("Requires-Dist") or []):
        name = canonicalize_name(requirement.name)
        wanted = [extra for extra in extras if _holds(requirement.marker, extra)]
        # Extras that are made of others name the project itself; what only developers install ships with nobody.
        if name == canonicalize_name(about["Name"]) or set(wanted) <= {"dev", "bench"}:
            continue
        one = found.setdefault(name, _package(name, versions[name]) | {"type": "library", "scope": "optional"})
        if "" in wanted:
            one["scope"] = "required"
    return sorted(found.values(), key=lambda one: str(one["bom-ref"]))


def _holds(marker: Marker | None, extra: str) -> bool:
    return marker is None or marker.evaluate({"extra": extra})


def _package(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{canonicalize_name(name)}@{version}"
    return {"bom-ref": purl, "name": name, "version": version, "purl": purl}


def _weights(duet: str, slot: str, about: dict[str, Any]) -> dict[str, Any]:
    source = about["source"]
    return {
        "type": "machine-learning-model",
        "bom-ref": f"{duet}/{slot}",
        "scope": "optional",
        "name": about["encoder"],
        "version": str(source.get("revision") or source.get("version") or ""),
        "licenses": [{"license": {"name": about["licence"]}}],
    }


if __name__ == "__main__":
    json.dump(bill(Path(sys.argv[1]), Path(sys.argv[2])), sys.stdout, indent=2)
