"""Shared fixtures live in the plugins fix_*.py, one for each part of the system."""

import os
from pathlib import Path

import pytest

# A hundred tiny duets are not worth exporting one by one; the real one and every sidecar run what users run.
os.environ["PGDUET_ENGINE"] = "torch"

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

# The plugins import each other: their asserts are rewritten in whatever order they load.
pytest.register_assert_rewrite(*pytest_plugins)
