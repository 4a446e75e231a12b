"""Shared fixtures live in the plugins fix_*.py, one for each part of the system."""

import os
from pathlib import Path

import pytest

# A hundred tiny duets are not worth exporting one by one; the real one and every sidecar run what users run.
os.environ["PGDUET_ENGINE"] = "torch"

# Which server and sidecar a shell works with, such as those of `make demo`, is not for tests to know.
for name in [name for name in os.environ if name.startswith("PGDUET_SIDECAR")]:
    del os.environ[name]
for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"):
    os.environ.pop(name, None)

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

# The plugins import each other: their asserts are rewritten in whatever order they load.
pytest.register_assert_rewrite(*pytest_plugins)
