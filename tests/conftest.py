"""Shared fixtures live in the plugins fix_*.py, one for each part of the system."""

from pathlib import Path

import pytest

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

# The plugins import each other: their asserts are rewritten in whatever order they load.
pytest.register_assert_rewrite(*pytest_plugins)
