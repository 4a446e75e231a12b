#!/usr/bin/env python3
"""Pack the dashboard as a zip that any Superset imports: `python3 deploy/superset/bundle.py pgduet-dashboard.zip`.

Superset then asks for the password of the database connection, whose address stands in dashboard/databases/pgduet.yaml.
"""

import sys
import zipfile
from pathlib import Path

DASHBOARD = Path(__file__).resolve().parent / "dashboard"


def files() -> dict[str, str]:
    """Give the content of every file of the export by its path within it."""
    return {str(path.relative_to(DASHBOARD)): path.read_text() for path in sorted(DASHBOARD.rglob("*.yaml"))}


def write(target: Path) -> None:
    """Write the zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files().items():
            archive.writestr(f"pgduet/{name}", content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} FILE.zip")
    write(Path(sys.argv[1]))
