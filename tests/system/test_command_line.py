"""The command as a user runs it: a subprocess, a real database, the real sidecar and weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fix_database import Database

PGDUET = str(Path(sys.executable).with_name("pgduet"))
FILES = {
    "web/retry.py": "import time\n\n\ndef call_again(send, times):\n    '''Send a request again when it fails.'''\n"
    "    for attempt in range(times):\n        try:\n            return send()\n"
    "        except ConnectionError:\n            time.sleep(2 ** attempt)\n",
    "web/page.js": "export function renderTable(rows) {\n"
    "  return '<table>' + rows.map(r => `<tr><td>${r}</td></tr>`).join('') + '</table>';\n}\n",
    "geo/distance.go": 'package geo\n\nimport "math"\n\n// Between measures the straight line between two points.\n'
    "func Between(ax, ay, bx, by float64) float64 {\n\treturn math.Hypot(ax-bx, ay-by)\n}\n",
    ".gitignore": "secret/\n",
    "secret/key.py": "KEY = 'never read'\n",
    "logo.png": "\x89PNG",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def run(database: Database, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **database.environment}
    command = [PGDUET, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_ingest_then_search_then_only_what_changed(live_database: Database, tree: Path) -> None:
    first = run(live_database, "ingest", tree, "--repo", "demo")
    assert first.returncode == 0, first.stderr
    assert "no worker runs: start `pgduet worker`" in first.stdout
    work = run(live_database, "worker", "--once", "--no-index")
    assert work.returncode == 0, work.stderr
    found = run(live_database, "search", "try a failed network call once more", "--json", "-k", "3")
    hits = json.loads(found.stdout)
    assert (hits[0]["path"], hits[0]["symbol"], hits[0]["kind"]) == ("web/retry.py", "call_again", "function")
    assert (hits[0]["start_line"], hits[0]["end_line"]) == (4, 10)
    shown = run(live_database, "search", "length of a line between points", "-k", "1")
    assert "demo/geo/distance.go" in shown.stdout
    assert "Between" in shown.stdout

    with live_database.connect() as session:
        before = dict(session.execute("SELECT chunk_id, embedded_at FROM pgduet.code_embeddings").fetchall())
        assert not session.execute("SELECT FROM pgduet.code_chunks WHERE path LIKE 'secret%'").fetchall()
        (tree / "web/page.js").write_text("// moved down\n\n" + FILES["web/page.js"])
        (tree / "geo/distance.go").unlink()
        second = run(live_database, "ingest", tree, "--repo", "demo")
        assert second.returncode == 0, second.stderr
        assert run(live_database, "worker", "--once", "--no-index").returncode == 0
        after = dict(session.execute("SELECT chunk_id, embedded_at FROM pgduet.code_embeddings").fetchall())
        kept = session.execute("SELECT chunk_id FROM pgduet.code_chunks WHERE symbol = 'call_again'").fetchone()
        assert kept is not None
        assert after[kept[0]] == before[kept[0]]
        assert not session.execute("SELECT FROM pgduet.code_chunks WHERE path = 'geo/distance.go'").fetchall()
        assert session.execute("SELECT sum(pending) FROM pgduet.coverage").fetchone() == (0,)


def test_an_ingest_needs_no_sidecar_and_a_worker_says_that_it_does(database: Database, tree: Path) -> None:
    assert run(database, "ingest", tree).returncode == 0
    failed = run(database, "worker", "--once")
    assert failed.returncode == 1
    assert "UNAVAILABLE" in failed.stderr
    assert "hint: start it with `pgduet serve`" in failed.stderr
    assert "Traceback" not in failed.stderr
    with database.connect() as session:
        waiting = session.execute("SELECT chunks FROM pgduet.queue_status WHERE state = 'waiting'").fetchone()
        assert waiting == session.execute("SELECT count(*) FROM pgduet.code_chunks").fetchone()


def test_the_database_commands_from_nothing_to_nothing(empty_database: Database) -> None:
    assert run(empty_database, "db", "status").returncode == 1
    assert run(empty_database, "db", "migrate").returncode == 0
    assert "current" in run(empty_database, "db", "status").stdout
    assert run(empty_database, "db", "set", "deadline_ms", "1000").returncode == 0
    wrong = run(empty_database, "db", "set", "deadline_ms", "soon")
    assert (wrong.returncode, "no value for deadline_ms" in wrong.stderr) == (1, True)
    unknown = run(empty_database, "db", "set", "address", "x")
    assert "settings are: batch_deadline_ms" in unknown.stderr
    assert "no index yet" in run(empty_database, "db", "index").stdout
    assert run(empty_database, "db", "uninstall", "--yes").returncode == 0
    assert run(empty_database, "db", "status").returncode == 1


def test_an_unreachable_server_is_one_error_with_a_hint(empty_database: Database) -> None:
    lost = run(empty_database, "db", "status", "--dsn", "host=/nonexistent")
    assert lost.returncode == 1
    assert lost.stderr.startswith("error: cannot connect to PostgreSQL")
    assert "hint: set PGHOST" in lost.stderr


@pytest.mark.parametrize(
    ("typed", "found"),
    [("pgduet gen", {"generation"}), ("pgduet models p", {"pull", "probe"}), ("pgduet ui --op", {"--open"})],
)
def test_a_shell_completes_commands_and_options(typed: str, found: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_PGDUET_COMPLETE": "complete_bash"}
    done = subprocess.run([PGDUET], env={**os.environ, **words}, capture_output=True, text=True, timeout=60)
    assert set(done.stdout.split()) == found


@pytest.mark.parametrize("command", [[], ["db"], ["db", "migrate"], ["serve"], ["ingest"], ["search"], ["worker"]])
def test_every_command_explains_itself(empty_database: Database, command: list[str]) -> None:
    told = run(empty_database, *command, "--help")
    assert told.returncode == 0
    assert "Usage: pgduet" in told.stdout
