"""The notebook and the dbt models of examples/: run on a real database, with the real `small` behind the notebook."""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jinja2 import Environment, StrictUndefined
from nbclient import NotebookClient

from fix_cluster import REPOSITORY
from fix_database import Connection, Database
from fix_vectors import load_vectors, structured
from pgduet.database.connection import connect
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

NOTEBOOK = REPOSITORY / "examples" / "notebook.ipynb"
DBT = REPOSITORY / "examples" / "dbt"
PGDUET = str(Path(sys.executable).with_name("pgduet"))
# Read from Python's own library, side by side so that their paths are those below its Lib/.
PACKAGES = ("json", "tomllib")
# The order in which one is made of the other.
MODELS = ("repo_health", "repo_alerts", "duet_scores")
DBT_VERSION = "1.11"
FIRST_HIT = "json/decoder.py"


def work(database: Database) -> None:
    """Embed all that waits and refresh the snapshots."""
    Worker(lambda: connect(database.conninfo, autocommit=True), Options(index=False)).run(once=True)


# --- the notebook


@pytest.fixture
def library(live_database: Database, tmp_path: Path) -> Database:
    """Give a database that holds two packages of Python's library, with vectors, snapshots and map."""
    for package in PACKAGES:
        source = Path(sysconfig.get_path("stdlib")) / package
        shutil.copytree(source, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    command = [PGDUET, "ingest", str(tmp_path), "--repo", "cpython", "--quiet", "--dsn", live_database.conninfo]
    subprocess.run(command, check=True)
    work(live_database)
    return live_database


def shown(notebook: Any, words: str) -> dict[str, Any]:
    """Give what the one cell with these words shows, by kind of data."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source]
    found: dict[str, Any] = {}
    for output in cell.outputs:
        found |= output.data
    return found


def check_outputs(notebook: Any) -> None:
    """Check what was computed, as it stands in the outputs of a notebook."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for cell in cells for output in cell.outputs if output.output_type == "error"] == []
    assert not re.search(r"\bfail\b", shown(notebook, "pgduet.health()")["text/plain"])
    assert shown(notebook, "pgduet.embed(:text)")["text/plain"] == "((2560,), 1.0)"
    hits = shown(notebook, "pgduet.similar_code(")["text/plain"].splitlines()
    assert len(hits) == 6
    assert FIRST_HIT in hits[1]
    same, other, go, file = (
        [float(number) for number in line.split()[-4:]]
        for line in shown(notebook, "pgduet.embed_batch(")["text/plain"].splitlines()[1:]
    )
    assert same[0] == other[1] == go[2] == file[3] == 1
    assert same[1] > same[2] > same[3]
    assert 1_000 < len(shown(notebook, "pgduet.code_map")["image/png"]) < 60_000
    coverage = shown(notebook, 'coverage.groupby("repo")')["text/plain"].splitlines()[-1].split()
    assert (coverage[0], coverage[1] == coverage[2]) == ("cpython", True)
    assert int(coverage[1]) > 40


@pytest.mark.slow
def test_the_notebook_runs_and_finds_what_it_should(library: Database, tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**library.environment, "IPYTHONDIR": str(tmp_path / "ipython")}.items():
            patch.setenv(name, value)
        client = NotebookClient(
            notebook, timeout=60, kernel_name="python3", record_timing=False, resources={"metadata": {"path": tmp_path}}
        )
        client.execute()
    if os.environ.get("PGDUET_UPDATE_GOLDEN"):
        notebook.metadata.language_info = {"name": "python"}
        nbformat.write(notebook, NOTEBOOK)  # type: ignore[no-untyped-call]
    check_outputs(notebook)


def test_the_notebook_stands_there_with_its_outputs_and_names_no_machine() -> None:
    assert NOTEBOOK.stat().st_size < 150_000
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    check_outputs(notebook)
    data = [output.data for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [text for shapes in data for kind, text in shapes.items() if kind != "image/png"]
    assert len(texts) > 10
    names = rf"(?<![\w.])/(tmp|home|work|root|usr|var|opt)/|\b{re.escape(socket.gethostname())}\b"
    assert [found[0] for text in [*texts, str(notebook.metadata)] if (found := re.search(names, text))] == []


# --- dbt


def rendered(name: str, schema: str) -> str:
    """Render a model as dbt does: sources are tables of theirs, other models those in a schema."""
    stand_ins = {
        "source": lambda source, table: f'"{source}"."{table}"',
        "ref": lambda model: f'"{schema}"."{model}"',
        "var": lambda _name, default: default,
    }
    model = (DBT / "models" / f"{name}.sql").read_text()
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(model).render(**stand_ins)


@pytest.fixture
def counted(database: Database) -> Database:
    """Give a database with a repository that is well and one of which half is lacking, counted."""
    with database.connect() as session:
        load_vectors(
            session,
            structured(5),
            repos=["well", "well", "well", "ill", "ill"],
            languages=["python", "python", "go", "python", "python"],
        )
        session.execute(
            "BEGIN; SET LOCAL session_replication_role = replica;"
            "INSERT INTO pgduet.code_chunks (chunk_id, repo, language, content, updated_at) VALUES"
            " (6, 'ill', 'go', 'six', now() - interval '1 hour'), (7, 'ill', 'go', 'seven', now()),"
            " (8, 'ill', 'go', ' ', now());"
            "INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)"
            " SELECT 7, 1, content_hash, 'row_permanent', 'too long', 3 FROM pgduet.code_chunks"
            " WHERE chunk_id = 7; COMMIT"
        )
        session.execute(
            "INSERT INTO pgduet.generations (name, model, state, parent, metrics) VALUES"
            " ('tuned', 'tuned', 'building', 1,"
            ' \'{"gate": {"metric": "ndcg@10", "before": 0.5, "after": 0.75, "passed": true}}\')'
        )
        for name in ("coverage", "freshness", "generations"):
            assert session.execute("SELECT pgduet._refresh_snapshot(%s)", (name,)).fetchone() == (True,)
    return database


def check_models(session: Connection, schema: str) -> None:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return session.execute(query.format(schema).encode()).fetchall()

    health = rows('SELECT repo, chunks, embedded, languages, coverage, failed FROM "{}".repo_health ORDER BY repo')
    assert health == [("ill", 5, 2, 2, 0.5, 1), ("well", 3, 3, 2, 1.0, 0)]
    alerts = rows('SELECT repo, reason, round(value::numeric, 1)::float8 FROM "{}".repo_alerts ORDER BY reason')
    assert [alert[:2] for alert in alerts] == [("ill", "coverage"), ("ill", "failures"), ("ill", "lag")]
    assert (alerts[0][2], alerts[1][2]) == (0.5, 1)
    assert 3600 <= alerts[2][2] < 3700
    scores = rows('SELECT name, parent, score_before, score, gain, gate_passed FROM "{}".duet_scores')
    assert scores == [("tuned", "small", 0.5, 0.75, 0.25, True)]


def test_the_models_say_what_the_views_hold(counted: Database) -> None:
    assert {path.stem for path in (DBT / "models").glob("*.sql")} == set(MODELS)
    with counted.connect() as session:
        session.execute("CREATE SCHEMA analytics")
        for name in MODELS:
            session.execute(f'CREATE VIEW "analytics".{name} AS {rendered(name, "analytics")}'.encode())
        check_models(session, "analytics")


@pytest.mark.slow
def test_dbt_itself_builds_and_tests_them(counted: Database, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    install = [programs / "pip", "install", "--quiet", f"dbt-core~={DBT_VERSION}.0", "dbt-postgres"]
    subprocess.run([str(word) for word in install], check=True)
    project = tmp_path / "dbt"
    shutil.copytree(DBT, project)
    environment = {**os.environ, **counted.environment, "DO_NOT_TRACK": "1"}
    for command in (["build"], ["source", "freshness"]):
        done = subprocess.run(
            [programs / "dbt", *command, "--profiles-dir", "."],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert not re.search(r"\b(WARN|ERROR)=[1-9]", done.stdout), done.stdout
    with counted.connect() as session:
        check_models(session, "analytics")
