"""The bill of materials is complete, nothing pinned is known to be bad, and extras bring what their rooms import."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CONSTRAINTS = REPOSITORY / "constraints.txt"
KNOWN_BAD = tomllib.loads((REPOSITORY / "deploy" / "known_bad.toml").read_text())
# What runs where only [db] and [cli] are installed: beside a database, as in its image.
LIGHT = ("client", "worker", "database", "ingest", "local", "cli")


def pinned() -> dict[str, str]:
    pairs = (line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line and line[0] != "#")
    return {canonicalize_name(name): version for name, version in pairs}


def known_bad(versions: dict[str, str]) -> list[str]:
    return [
        f"{name} {versions[name]}: {about['why']}"
        for name, about in KNOWN_BAD.items()
        if name in versions and SpecifierSet(about["bad"]).contains(versions[name], prereleases=True)
    ]


def test_nothing_pinned_is_known_to_be_bad() -> None:
    assert set(KNOWN_BAD) <= set(pinned())
    assert known_bad(pinned()) == []
    assert known_bad(pinned() | {"torch": "2.5.1"}) == [f"torch 2.5.1: {KNOWN_BAD['torch']['why']}"]


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    made = subprocess.run(
        [sys.executable, REPOSITORY / "deploy" / "sbom.py", wheel, CONSTRAINTS], check=True, capture_output=True
    )
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def test_the_bill_lists_base_extras_and_weights(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == PROJECT["version"]
    libraries = {one["name"]: one for one in bill["components"] if one["type"] == "library"}
    base = {canonicalize_name(Requirement(one).name) for one in PROJECT["dependencies"]}
    assert {name for name, one in libraries.items() if one["scope"] == "required"} == base
    assert {"torch", "transformers", "psycopg", "typer", "openvino"} <= set(libraries)
    assert not {"pytest", "mypy", "matplotlib", "pgduet"} & set(libraries)
    assert {name: one["version"] for name, one in libraries.items()}.items() <= pinned().items()
    weights = {one["bom-ref"]: one for one in bill["components"] if one["type"] == "machine-learning-model"}
    assert weights["small/text"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert weights["qodo-jina/text"]["licenses"] == [{"license": {"name": "CC BY-NC 4.0"}}]
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))
    assert set(bill["dependencies"][0]["dependsOn"]) <= set(references)


def imports(file: Path) -> Iterator[str]:
    """Yield the top-level modules that loading a file imports; what functions import is their own matter."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (one.name.split(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_the_extras_db_and_cli_bring_what_their_rooms_import() -> None:
    files = [file for room in LIGHT for file in (REPOSITORY / "sidecar" / "pgduet" / room).rglob("*.py")]
    files += (REPOSITORY / "migrations" / "pgduet").rglob("*.py")
    modules = {module for file in files for module in imports(file)} - set(sys.stdlib_module_names) - {"pgduet"}
    extras = PROJECT["optional-dependencies"]
    brought = {
        canonicalize_name(Requirement(one).name) for one in (*PROJECT["dependencies"], *extras["db"], *extras["cli"])
    }
    installed = packages_distributions()
    homes = {module: {canonicalize_name(name) for name in installed[module]} for module in modules}
    assert {module for module, names in homes.items() if not names & brought} == set()
    assert {"grpc_health", "psycopg", "alembic", "typer"} <= set(homes)
