"""The examples for Grafana and Metabase: every query runs as a plain reader, gives rows, and columns of plain types."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fix_bi import Reader
from fix_cluster import REPOSITORY
from fix_database import Connection
from stub_sidecar import StubSidecar

EXAMPLES = REPOSITORY / "examples"
BOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana" / "pgduet.json").read_text())
QUESTIONS: list[dict[str, Any]] = json.loads((EXAMPLES / "metabase" / "questions.json").read_text())
TIME_FILTER = re.compile(r"\$__timeFilter\((\w+)\)")
PLAIN = {"bool", "float8", "int4", "int8", "text", "timestamptz"}
HOSTILE = "it's 100 %; {{x}} $1 \\' -- \"quoted\""


@pytest.fixture
def session(reader: Reader, stub: StubSidecar) -> Iterator[Connection]:
    reader.database.set("sidecar_address", stub.address)
    with reader.connect() as connection:
        yield connection


def plain_rows(session: Connection, sql: str, values: dict[str, str] | None = None) -> list[list[str]]:
    """Run a query that must give rows; return names and types of its columns."""
    cursor = session.execute(sql.encode(), values)
    assert cursor.fetchall(), sql
    assert cursor.description
    columns = [[one.name, psycopg.adapters.types[one.type_code].name] for one in cursor.description]
    assert {kind for _, kind in columns} <= PLAIN, f"{sql}: {columns}"
    return columns


def test_every_panel_of_the_grafana_dashboard_shows_something(session: Connection) -> None:
    for panel in BOARD["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            # What Grafana does with its macros and with a variable in the format sqlstring.
            sql = TIME_FILTER.sub(r"\1 BETWEEN now() - interval '30 days' AND now()", target["rawSql"])
            columns = plain_rows(session, sql.replace("${question:sqlstring}", "'" + HOSTILE.replace("'", "''") + "'"))
            if target["format"] == "time_series":
                assert columns[0] == ["time", "timestamptz"]
                assert {kind for name, kind in columns[1:] if name != "metric"} == {"float8"}


def test_the_panels_lie_side_by_side_on_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in BOARD["panels"]):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_every_question_of_metabase_has_an_answer(session: Connection) -> None:
    for question in QUESTIONS:
        native = question["dataset_query"]["native"]
        # Metabase binds what stands in braces.
        sql = re.sub(r"\{\{(\w+)\}\}", r"%(\1)s::text", native["query"].replace("%", "%%"))
        values = dict.fromkeys(native["template-tags"], HOSTILE)
        names = {name for name, _ in plain_rows(session, sql, values or None)}
        settings = question["visualization_settings"]
        assert names >= {*settings.get("graph.dimensions", []), *settings.get("graph.metrics", [])}
