"""The wheel holds every room with its data, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = ("proto", "plpython", "sidecar", "migrations", "sql")


def test_the_wheel_holds_every_file_of_every_room(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*build, str(REPOSITORY)], check=True)
    (wheel,) = tmp_path.glob("pgduet-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", *(f"{root}/pgduet" for root in ROOTS)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    expected = {name.split("/", 1)[1] for name in listed}
    assert expected <= packed
    assert {name for name in packed if not name.startswith("pgduet/")} == set()
    assert "pgduet/sql/042_search.sql" in packed
    assert "pgduet/encoding/duets/small.toml" in packed


def test_no_namespace_folder_has_an_init_file() -> None:
    assert not [root for root in ROOTS if (REPOSITORY / root / "pgduet" / "__init__.py").exists()]
