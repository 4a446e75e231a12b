"""Print what pyproject.toml's base and the extras named as arguments require, for a layer that outlives the code."""

import sys
import tomllib
from pathlib import Path

_project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
_wanted = [
    *_project["dependencies"],
    *(one for extra in sys.argv[2:] for one in _project["optional-dependencies"][extra]),
]
# An extra may name others of the project itself, which no index has: they are asked for by name.
print(*(one for one in _wanted if not one.startswith(f"{_project['name']}[")), sep="\n")  # noqa: T201
