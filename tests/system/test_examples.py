"""Everything in examples/ does what it says, on a real database; where vectors matter, with the real `small`."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_cluster import REPOSITORY
from fix_database import Connection, Database
from fix_vectors import load_vectors, structured
from fix_worker import running_worker
from pgduet.local.binaries import find_binaries
from stub_sidecar import StubSidecar

EXAMPLES = REPOSITORY / "examples"
NIGHTLY = EXAMPLES / "nightly"
# Roles of pgduet that the head of nightly.sh names.
NIGHT_ROLES = "pgduet_admin, pgduet_writer, pgduet_worker"
# Which snippets are at or above the bound for each other, but for the two that are alike.
NEAREST = (
    "SELECT h.source_key = s.id::text, h.similarity >= 0.8 FROM example.snippets s,"
    " LATERAL pgduet.similar_code(s.body, k => 5, repo => 'snippets') h"
    " WHERE s.title <> 'retry' AND h.path NOT IN ('retry', 'call again')"
)
FILES = {
    "cart.py": "def total(cart):\n    return sum(line.price for line in cart)\n",
    "mail.py": "def greet(name):\n    return f'Dear {name}'\n",
}
BAD = "def greet(name):\n    return f'Dear {name}, bad'"


def run(database: Database, command: list[str], **more: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}:{find_binaries().folder}:{os.environ['PATH']}"
    environment = {**os.environ, **database.environment, "PATH": path, **more}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def psql(database: Database, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    done = run(database, ["psql", "--no-psqlrc", "--quiet", *options, "--file", str(file)])
    assert done.returncode == 0, done.stderr
    return done


def rows(session: Connection, query: str) -> list[tuple[object, ...]]:
    return session.execute(query.encode()).fetchall()


def test_the_readme_names_every_example() -> None:
    text = (EXAMPLES / "README.md").read_text()
    files = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.is_file()} - {"README.md"}
    folders = ("nightly/", "dbt/")
    assert [name for name in files if f"`{name}`" not in text and not name.startswith(folders)] == []
    assert all(f"`{name}`" in text for name in folders)
    assert [name for name in re.findall(r"examples/([\w./-]+\w)", text) if not (EXAMPLES / name).exists()] == []


def test_snippets_are_found_near_duplicates_noticed_and_all_of_it_goes(live_database: Database, folder: Path) -> None:
    with running_worker(live_database, folder), live_database.connect() as session:
        first = psql(live_database, EXAMPLES / "snippets.sql", "--no-align", "--tuples-only")
        assert 'there is a snippet like "retry" already: "call again"' in first.stderr
        assert first.stderr.count("there is a snippet like") == 1
        watched, found, *_ = first.stdout.split("\n")
        assert watched == "example.snippets"
        assert found.startswith("call again|python|0.")
        again = psql(live_database, EXAMPLES / "snippets.sql", "--no-align", "--tuples-only")
        assert "there is a snippet" not in again.stderr
        query = "SELECT n.title, o.title, d.similarity BETWEEN 0.85 AND 0.95 FROM example.near_duplicates d"
        query += " JOIN example.snippets n ON n.id = d.snippet_id JOIN example.snippets o ON o.id = d.similar_id"
        assert rows(session, query) == [("retry", "call again", True)]
        # The bound lies between the two kinds: what is not the same code stays below it.
        told = rows(session, NEAREST)
        assert len(told) >= 9
        assert all(above == same for same, above in told)
        live_database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
        heard: list[str] = []
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
        session.execute("INSERT INTO example.snippets (title, body) VALUES ('kept', 'SELECT 1')")
        assert any('nobody looked for snippets like "kept": ' in words for words in heard)
        assert rows(session, "SELECT count(*) FROM example.snippets WHERE title = 'kept'") == [(1,)]
        live_database.set("trigger_mode", "queue")
        psql(live_database, EXAMPLES / "snippets_drop.sql")
        psql(live_database, EXAMPLES / "snippets_drop.sql")
        assert rows(session, "SELECT to_regnamespace('example')") == [(None,)]
        assert rows(session, "SELECT source FROM pgduet.watch_status") == []
        assert rows(session, "SELECT count(*) FROM pgduet.code_chunks") == [(0,)]


@pytest.fixture
def night(stub_database: Database, folder: Path) -> Iterator[tuple[Database, Path]]:
    """Give a database, a repository, and a user with the roles that a night's work needs and no others."""
    tree = folder / "shop"
    tree.mkdir()
    for name, text in FILES.items():
        (tree / name).write_text(text)
    with stub_database.connect() as session:
        session.execute(f"CREATE ROLE night LOGIN IN ROLE {NIGHT_ROLES}".encode())
        yield stub_database, tree
        session.execute("DROP OWNED BY night; DROP ROLE night")


def nightly(database: Database, *arguments: str, **bounds: str) -> "subprocess.CompletedProcess[str]":
    return run(database, [str(NIGHTLY / "nightly.sh"), *arguments], PGUSER="night", **bounds)


def test_a_night_reads_embeds_looks_for_examples_counts_and_reports(night: tuple[Database, Path]) -> None:
    database, tree = night
    done = nightly(database, str(tree), "shop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "nightly: all is well"
    assert "there is too little to learn from yet: no run was asked for" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(" shop")]
    assert [cell.strip() for cell in line.split("|")][:5] == ["shop", "2", "0", "0", "0"]
    with database.connect() as session:
        assert rows(session, "SELECT repo, embedded FROM pgduet.coverage_snapshot") == [("shop", 2)]
        assert rows(session, "SELECT count(*) FROM pgduet.finetune_history") == [(0,)]


def test_what_is_below_its_bound_is_named_and_ends_with_3(night: tuple[Database, Path], stub: StubSidecar) -> None:
    database, tree = night
    stub.blank_for_stub = BAD
    (tree / "mail.py").write_text(f"{BAD}\n")
    with database.connect() as session:
        # Sketches that say the contrary: searches look at the wrong candidates.
        load_vectors(session, structured(700))
        session.execute(
            "UPDATE pgduet.code_embeddings SET sketch = ~sketch WHERE chunk_id % 2 = 0; ANALYZE pgduet.code_embeddings"
        )
    done = nightly(database, str(tree), "shop", STEPS="0")
    assert done.returncode == 3, done.stdout + done.stderr
    broken = [line for line in done.stderr.splitlines() if line.startswith("nightly: error: ")]
    assert broken[0] == "nightly: error: coverage of shop is 0.5000, below 0.99: see pgduet.failures"
    assert re.fullmatch(r"nightly: error: recall is 0\.\d+, below 0\.9: see pgduet\.index_health\(\)", broken[1])
    assert "row_permanent" in done.stdout
    assert "looking for examples" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "bounds", "words"),
    [
        (["/tmp"], {}, "wanted are FOLDER and REPO"),
        (["/nonexistent", "shop"], {}, "/nonexistent is no folder"),
        (["/tmp", "shop"], {"LEAST_RECALL": "90 %"}, "are from 0 to 1"),
        (["/tmp", "shop"], {"STEPS": "many"}, "are whole numbers"),
    ],
)
def test_a_night_that_is_asked_for_wrongly_does_nothing(
    database: Database, arguments: list[str], bounds: dict[str, str], words: str
) -> None:
    done = nightly(database, *arguments, **bounds)
    assert (done.returncode, words in done.stderr, done.stdout) == (2, True, "")


def test_one_run_of_fine_tuning_is_asked_for_at_a_time(database: Database) -> None:
    options = ("--no-align", "--tuples-only", "--set=steps=7")
    asked = [psql(database, NIGHTLY / "finetune.sql", *options).stdout for _ in range(2)]
    assert asked == ["asked for run 1\n", ""]
    with database.connect() as session:
        assert rows(session, "SELECT other_options, mine FROM pgduet.finetune_history") == [("steps 7", False)]


def test_the_units_and_the_crontab_start_what_is_there() -> None:
    for name in ("crontab", "pgduet-nightly.service"):
        (started,) = re.findall(r"/opt/pgduet/(examples/\S+\.sh) (?=/srv)", (NIGHTLY / name).read_text())
        assert os.access(REPOSITORY / started, os.X_OK)


def test_an_error_of_a_step_ends_the_night_with_1(night: tuple[Database, Path]) -> None:
    database, tree = night
    database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
    done = nightly(database, str(tree), "shop")
    assert done.returncode == 1
    assert "hint: start it with `pgduet serve`" in done.stderr
