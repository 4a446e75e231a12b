"""Print what pyproject.toml's base and the extras named as arguments require, for a layer that outlives the code."""

import re
import sys
import tomllib
from pathlib import Path

_project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
# An extra may name others of the project itself, which no index has: what they name is printed instead.
_OWN = re.compile(rf"{re.escape(_project['name'])}\[([^]]+)\]$")


def _required(extra: str) -> list[str]:
    found = []
    for one in _project["optional-dependencies"][extra]:
        own = _OWN.match(one)
        found += [each for name in own[1].split(",") for each in _required(name.strip())] if own else [one]
    return found


_wanted = [*_project["dependencies"], *(one for extra in sys.argv[2:] for one in _required(extra))]
print(*dict.fromkeys(_wanted), sep="\n")  # noqa: T201
