"""docs/reference/functions.md: functions, tables, views and operators of an installed database, from its catalogs."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg.rows import namedtuple_row

from fix_database import Connection
from page_examples import Shown
from page_text import NOTE, escaped, table

QUERIES = Path(__file__).resolve().parent / "docs" / "objects.sql"
ROLES = ["pgduet_reader", "pgduet_writer", "pgduet_admin", "pgduet_worker", "pg_monitor"]
INTRODUCTION = """\
Everything lives in the schema `pgduet`. What each function and column means is its COMMENT, which `\\df+ pgduet.*` and
`\\d+ pgduet.*` show too; [SQL](../sql.md) tells more, with errors and unusual input. Names of parameters can be written
out, as in `k => 5`. Results are those of the duet `small`, on the rows below, with similarities of two digits."""
# Where no line may end.
_HARD = "\u00a0"


def query(session: Connection, name: str, **values: Any) -> Sequence[Any]:
    """Run one of the queries that describe the schema."""
    parts = re.split(r"^-- (\w+) --$", QUERIES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    statement = dict(zip(parts[1::2], parts[2::2], strict=True))[name]
    with session.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement.encode(), values).fetchall()


def functions_page(session: Connection, examples: Mapping[str, Sequence[Shown]]) -> str:
    """Write the page; raises AssertionError where something lacks its comment or a function its example."""
    session.execute("SET search_path = public, pg_catalog")
    found = query(session, "functions", roles=ROLES)
    functions = {one.name: one for one in found}
    assert len(functions) == len(found), "two functions of one name need two sections"
    assert set(functions) == set(examples) - {"rows"}, "each function has a section in tests/docs/examples.sql"
    parts = ["# Functions, views, tables", NOTE, INTRODUCTION, "## The rows of the examples", *_shown(examples["rows"])]
    parts.append("## Functions")
    for name, shown in examples.items():
        if name != "rows":
            parts += [*_function(functions[name]), *_shown(shown)]
    relations = query(session, "relations", roles=ROLES)
    for title, is_view in (("Tables", False), ("Views", True)):
        parts.append(f"## {title}")
        for one in relations:
            if one.is_view == is_view:
                parts += _relation(session, one)
    return "\n\n".join([*parts, *_operators(session)]) + "\n"


def _function(one: Any) -> list[str]:
    assert one.comment, f"pgduet.{one.name} has no comment"
    # The types of defaults are those of their parameters.
    arguments = re.sub(r"(NULL|'[\w-]*')::[a-z ]+", r"\1", one.arguments)
    # Lines end between parameters only.
    whole = re.sub(r"(?<!,) ", _HARD, f"{one.name}({arguments})") + f" -> {re.sub(r'(?<!,) ', _HARD, one.result)}"
    lines = textwrap.wrap(whole, 80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    signature = "\n".join(lines).replace(_HARD, " ")
    return [
        f"### `{one.name}`",
        f"```text\n{signature}\n```",
        _sentence(one.comment),
        f"May call it: {_roles(one.roles)}.",
    ]


def _relation(session: Connection, one: Any) -> list[str]:
    columns = query(session, "columns", relation=one.oid)
    bare = [column.name for column in columns if not column.comment]
    assert one.comment, f"pgduet.{one.name} has no comment"
    assert not bare, f"columns of pgduet.{one.name} without a comment: {bare}"
    may = f"May read it: {_roles(one.readers)}." + (f" May write it: {_roles(one.writers)}." if one.writers else "")
    rows = [(f"`{column.name}`", f"`{column.type}`", escaped(column.comment)) for column in columns]
    return [f"### `{one.name}`", _sentence(one.comment), may, table(("column", "type", "meaning"), rows)]


def _operators(session: Connection) -> list[str]:
    operators = query(session, "operators")
    assert not [one for one in operators if one.own], "an operator of pgduet's own needs a description"
    rows = [(f"`{one.name}`", f"`{one.type}`", f"`{one.function}`") for one in operators]
    told = (
        "pgduet has none of its own. These are pgvector's on the types of `embedding` and `sketch`; smaller is nearer."
        " Of two stored vectors `1 - (a <=> b)` is the similarity that searches show."
    )
    return ["## Operators", told, table(("operator", "of two", "what it computes"), rows)]


def _shown(examples: Sequence[Shown]) -> list[str]:
    return [part for one in examples for part in (f"```sql\n{one.sql}\n```", f"```text\n{one.output}\n```")]


def _sentence(comment: str) -> str:
    return escaped(comment) + ("" if comment.endswith(".") else ".")


def _roles(roles: Sequence[str]) -> str:
    return ", ".join(f"`{role}`" for role in roles) if roles else "nobody but the owner"
