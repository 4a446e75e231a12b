"""Dashboards for Grafana, Metabase and Superset: queries run as a plain reader, columns are those of the views."""

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from fix_bi import COLUMNS, Reader
from fix_cluster import REPOSITORY
from fix_database import Connection
from stub_sidecar import StubSidecar

EXAMPLES = REPOSITORY / "examples"
BOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana" / "pgduet.json").read_text())
QUESTIONS: list[dict[str, Any]] = json.loads((EXAMPLES / "metabase" / "questions.json").read_text())
SUPERSET = REPOSITORY / "deploy" / "superset"
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


@pytest.fixture
def export(tmp_path: Path) -> dict[str, Any]:
    """Give the files of the packed dashboard by their path."""
    subprocess.run([str(SUPERSET / "bundle.py"), str(tmp_path / "pack.zip")], check=True)
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        return {name.removeprefix("pgduet/"): yaml.safe_load(pack.read(name)) for name in pack.namelist()}


def test_the_superset_dashboard_is_whole(export: dict[str, Any]) -> None:
    parts = {
        kind: [content for name, content in export.items() if name.startswith(f"{kind}/")]
        for kind in ("databases", "datasets", "charts", "dashboards")
    }
    (database,), (board,) = parts["databases"], parts["dashboards"]
    assert {one["database_uuid"] for one in parts["datasets"]} == {database["uuid"]}
    assert {one["dataset_uuid"] for one in parts["charts"]} <= {one["uuid"] for one in parts["datasets"]}
    shown = [one["meta"] for name, one in board["position"].items() if name.startswith("CHART-")]
    assert {one["uuid"]: one["sliceName"] for one in shown} == {
        one["uuid"]: one["slice_name"] for one in parts["charts"]
    }
    rows = [one["children"] for name, one in board["position"].items() if name.startswith("ROW-")]
    widths = [sum(board["position"][chart]["meta"]["width"] for chart in row) for row in rows]
    assert widths == [12] * len(rows)


def test_datasets_of_superset_have_the_columns_of_their_views(reader: Reader, export: dict[str, Any]) -> None:
    known: dict[str, dict[str, str]] = {}
    for view, column, kind, _ in reader.rows(COLUMNS):
        known.setdefault(view, {})[column] = kind.upper()
    plain = [one for name, one in export.items() if name.startswith("datasets/") and one["sql"] is None]
    assert len(plain) == 7
    for dataset in plain:
        columns = {one["column_name"]: one["type"] for one in dataset["columns"] if "expression" not in one}
        assert columns == known[dataset["table_name"]]


@pytest.mark.parametrize(
    ("options", "told"),
    [(["--port", "http"], "takes a number"), (["--prot", "1"], "no option --prot"), (["--dsn"], "--dsn needs a value")],
)
def test_what_cannot_be_asked_of_the_superset_script_is_said_before_anything_is_installed(
    options: list[str], told: str
) -> None:
    done = subprocess.run([str(SUPERSET / "run.sh"), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "superset: hint: " in done.stderr
