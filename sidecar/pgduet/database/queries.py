"""Named queries, kept in .sql files beside the modules that run them."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEADER = re.compile(r"^-- (\w+) --\s*$", re.MULTILINE)


@cache
def load_queries(file: str, package: str = "pgduet.database") -> dict[str, LiteralString]:
    """Read the queries of a package's `<file>.sql`, keyed by the name in the header `-- name --` above each.

    Parameters are psycopg's `%(name)s`. Raises FileNotFoundError for an unknown file.
    """
    text = files(package).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    parts = _HEADER.split(text)
    queries = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    return cast("dict[str, LiteralString]", queries)
