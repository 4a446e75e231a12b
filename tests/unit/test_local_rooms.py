import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("proto", "plpython", "sidecar", "migrations", "sql")


def rooms() -> set[str]:
    found = (path.parent for folder in FOLDERS for path in (REPOSITORY / folder / "pgduet").glob("*/__init__.py"))
    return {f"pgduet.{room.name}" for room in found}


def test_the_import_rules_know_every_room() -> None:
    linter = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(linter["root_packages"]) == rooms()
    ruled = {module for contract in linter["contracts"] for module in contract["source_modules"]}
    assert rooms() - ruled == set()


def test_the_namespace_folders_are_no_packages_and_every_room_is_typed() -> None:
    for folder in FOLDERS:
        assert not (REPOSITORY / folder / "pgduet" / "__init__.py").exists()
        for package in (REPOSITORY / folder / "pgduet").rglob("__init__.py"):
            assert (package.parent / "py.typed").exists(), package


def test_the_constraints_name_exact_versions_of_every_dependency() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if not line.startswith("#")}
    assert all("==" in line for line in lines if not line.startswith("#"))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {requirement.split(">")[0].split("=")[0].split("[")[0].lower() for requirement in wanted}
    assert names - pinned == {"pgduet"}
