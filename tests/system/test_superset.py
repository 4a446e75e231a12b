"""The dashboard in a real Apache Superset: installed, prepared and served by its script, asked by API and browser."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fix_bi import HISTORY, INDEX, refresh
from fix_browser import Browser
from fix_cluster import REPOSITORY
from fix_database import Database
from fix_worker import Running, running, wait_until

pytestmark = pytest.mark.slow

SUPERSET = REPOSITORY / "deploy" / "superset"
PICTURES = REPOSITORY / "artefacts"
PGDUET = str(Path(sys.executable).with_name("pgduet"))
BOARD = "/superset/dashboard/pgduet/"
HOSTILE = "it's 100 %; {{ 1 }} :x \\' -- \"quoted\" '; DROP TABLE pgduet.code_chunks"
LACKING = (
    "SET session_replication_role = replica; INSERT INTO pgduet.code_chunks (repo, path, language, content, updated_at)"
    " VALUES ('json', 'new.py', 'python', 'def new(): ...', now() - interval '5 minutes'),"
    " ('json', 'bad.py', 'python', 'def bad(): ...', now()); RESET session_replication_role"
)
FAILED = (
    "INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)"
    " SELECT c.chunk_id, 1, c.content_hash, 'row_permanent', 'the model failed on this text', 8"
    " FROM pgduet.code_chunks c WHERE c.path = 'bad.py'"
)


@pytest.fixture
def library(live_database: Database, tmp_path: Path) -> Database:
    """Give a database with two packages of Python's library, their real vectors, a map, and a history."""
    environment = {**os.environ, **live_database.environment}
    for package in ("json", "tomllib"):
        source = Path(sysconfig.get_path("stdlib")) / package
        subprocess.run([PGDUET, "ingest", str(source), "--repo", package], check=True, env=environment)
    subprocess.run([PGDUET, "worker", "--once", "--no-index"], check=True, env=environment)
    with live_database.connect() as session:
        assert session.execute("SELECT sum(pending) FROM pgduet.coverage").fetchone() == (0,)
        for statement in (INDEX, HISTORY, LACKING, FAILED):
            session.execute(statement.encode())
        refresh(session)
    return live_database


@pytest.fixture
def served(library: Database, tmp_path: Path) -> Iterator[tuple[str, str, Running]]:
    """Serve Superset on a free port; give its address, the admin's password and the process."""
    command = [str(SUPERSET / "run.sh"), "--home", str(tmp_path / "home"), "--port", "0"]
    with running(command, tmp_path / "superset.log", library.environment) as server:
        wait_until(lambda: "Listening at" in server.log_text() or ended(server), 1500, "Superset did not start")
        found = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", server.log_text())
        assert found is not None, server.log_text()
        yield found.group(1), (tmp_path / "home" / "admin.password").read_text().strip(), server
    removed = subprocess.run([*command, "--remove"], env={**os.environ, **library.environment}, check=False)
    assert removed.returncode == 0
    assert not (tmp_path / "home").exists()
    with library.connect() as session:
        assert session.execute("SELECT FROM pg_roles WHERE rolname = 'pgduet_superset'").fetchall() == []


def ended(server: Running) -> bool:
    return server.process.poll() is not None


def test_the_dashboard_in_superset(served: tuple[str, str, Running], browser: Browser, tmp_path: Path) -> None:
    address, password, server = served
    with httpx2.Client(base_url=address, timeout=120) as client:
        log_in(client, password)
        imports_the_bundle(client, tmp_path / "pgduet.zip")
        charts = client.get("/api/v1/dashboard/pgduet/charts").raise_for_status().json()["result"]
        assert len(charts) == 13
        for chart in charts:
            shows_rows_of_known_types(client, chart["id"])
        every_column_has_a_type(client)
        what_is_asked_is_quoted(client, next(one["id"] for one in charts if one["slice_name"] == "Similar code"))
    PICTURES.mkdir(exist_ok=True)
    looks_good(browser, address, password, [chart["slice_name"] for chart in charts])
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    # When it reads columns anew, Superset 6.1 takes the schema for the database while it looks for formats of times.
    errors = [line for line in server.log_text().splitlines() if ":ERROR:" in line]
    assert [line for line in errors if "datetime_format_detector" not in line] == []


def log_in(client: httpx2.Client, password: str) -> None:
    body = {"username": "admin", "password": password, "provider": "db", "refresh": True}
    token = client.post("/api/v1/security/login", json=body).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    client.headers["X-CSRFToken"] = client.get("/api/v1/security/csrf_token/").raise_for_status().json()["result"]
    client.headers["Referer"] = str(client.base_url)


def imports_the_bundle(client: httpx2.Client, pack: Path) -> None:
    """Import the zip as one does into a Superset of one's own, over what the script imported."""
    subprocess.run([str(SUPERSET / "bundle.py"), str(pack)], check=True)
    done = client.post(
        "/api/v1/dashboard/import/",
        files={"formData": (pack.name, pack.read_bytes(), "application/zip")},
        data={"overwrite": "true", "passwords": json.dumps({"databases/pgduet.yaml": "unused"})},
    )
    assert done.json() == {"message": "OK"}, done.text


def ask(client: httpx2.Client, chart_id: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    """Run a chart's query through the API, as its parameters say."""
    chart = client.get(f"/api/v1/chart/{chart_id}").raise_for_status().json()["result"]
    params = json.loads(chart["params"])
    dataset, kind = params["datasource"].split("__")
    metrics = params.get("metrics") or ([params["metric"]] if "metric" in params else [])
    dimensions = [params["x_axis"], *params["groupby"]] if "x_axis" in params else params.get("groupby", [])
    query = {
        "columns": params.get("all_columns", dimensions),
        "metrics": metrics or None,
        "filters": filters,
        "orderby": [json.loads(order) for order in params.get("order_by_cols", [])],
        "row_limit": params.get("row_limit", 100),
    }
    body = {
        "datasource": {"id": int(dataset), "type": kind},
        "queries": [query],
        "form_data": params,
        "force": True,
        "result_format": "json",
        "result_type": "full",
    }
    answer = client.post("/api/v1/chart/data", json=body)
    assert answer.status_code == 200, f"{chart['slice_name']}: {answer.text}"
    result: dict[str, Any] = answer.json()["result"][0]
    return result


def shows_rows_of_known_types(client: httpx2.Client, chart_id: int) -> None:
    result = ask(client, chart_id, [])
    assert result["error"] is None
    assert result["rowcount"] > 0, result["query"]
    assert len(result["coltypes"]) == len(result["colnames"])
    for name, kind in zip(result["colnames"], result["coltypes"], strict=True):
        values = [row[name] for row in result["data"] if row[name] is not None]
        # Superset's 0 is a number, 1 text, 2 a time, 3 a truth value.
        numbers = all(isinstance(value, int | float) for value in values)
        assert values or name in {"next_attempt_at", "last_failed_at"}, f"{name} is NULL everywhere"
        assert kind in ({0, 2} if numbers else {1, 2}), f"{name} is of kind {kind}: {values[:3]}"


def every_column_has_a_type(client: httpx2.Client) -> None:
    """Let Superset read the columns anew from the database."""
    for dataset in client.get("/api/v1/dataset/?q=(page_size:100)").raise_for_status().json()["result"]:
        client.put(f"/api/v1/dataset/{dataset['id']}/refresh").raise_for_status()
        found = client.get(f"/api/v1/dataset/{dataset['id']}").raise_for_status().json()["result"]
        kinds = {column["column_name"]: column["type"] for column in found["columns"]}
        assert kinds
        assert not {None, "", "UNKNOWN", "NULL"} & set(kinds.values()), f"{dataset['table_name']}: {kinds}"


def what_is_asked_is_quoted(client: httpx2.Client, chart_id: int) -> None:
    texts = ["serialise to json", HOSTILE]
    result = ask(client, chart_id, [{"col": "query", "op": "IN", "val": texts}])
    # Superset doubles percent signs and backslashes; that searches for the same.
    searched = {row["query"].replace("%%", "%").replace("\\\\", "\\") for row in result["data"]}
    assert searched == set(texts)
    assert all(0 < row["similarity"] <= 1 for row in result["data"])


def looks_good(browser: Browser, address: str, password: str, names: list[str]) -> None:
    browser.resize(1600, 2060)
    browser.open(f"{address}/login/")
    for field, text in (("username", "admin"), ("password", password)):
        browser.wait_for(f"document.getElementById('{field}')")
        browser.value(f"document.getElementById('{field}').focus()")
        browser.type(text)
    browser.press("Enter")
    browser.wait_for("!location.pathname.startsWith('/login')", 60)
    browser.addresses.clear()
    browser.open(address + BOARD)
    for name in names:
        browser.wait_for(f"document.body.innerText.includes({json.dumps(name)})", 60)
    busy = "document.querySelectorAll('.loading, [data-test=\"loading-indicator\"]').length"
    browser.wait_for(f"{busy} === 0 && document.querySelectorAll('canvas').length >= 3", 120)
    browser.picture(PICTURES / "superset.png")
    told = browser.value("document.body.innerText")
    assert "Unexpected error" not in told
    assert "No results were returned" not in told
    assert {url for url in browser.addresses if not url.startswith((address, "data:", "blob:", "about:"))} == set()


def test_a_login_that_may_do_more_than_read_is_refused(database: Database, tmp_path: Path) -> None:
    command = [str(SUPERSET / "run.sh"), "--home", str(tmp_path / "home"), "--dsn", database.conninfo]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "superset: hint: give it the role pgduet_reader and no other" in done.stderr
    assert not (tmp_path / "home" / "superset.db").exists()
