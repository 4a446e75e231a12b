"""`pgduet generation` from end to end, and what it says where something is wrong."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fix_database import Connection, Database
from fix_generations import add_chunks, evaluated, scalar, work
from pgduet.cli.generations import register
from pgduet.database.generations import Generation, wait_until_ready
from pgduet.errors import PgduetError

COMMANDS = ("list", "add", "status", "wait", "promote", "rollback", "retire", "drop")


@pytest.fixture
def session(two_database: Database) -> Iterator[Connection]:
    with two_database.connect() as connection:
        add_chunks(connection, 40)
        work(two_database)
        yield connection


def call(database: Database, *words: str, answer: str | None = None) -> Result:
    app = typer.Typer()
    register(app)
    app.command()(call)
    return CliRunner().invoke(app, ["generation", *words, "--dsn", database.conninfo], input=answer)


def said(database: Database, *words: str, answer: str | None = None) -> str:
    result = call(database, *words, answer=answer)
    assert result.exit_code == 0, result.output
    return result.output


def test_from_the_terminal_from_begin_to_end(session: Connection, two_database: Database) -> None:
    assert "generation next is being filled with vectors of other" in said(
        two_database, "add", "other", "--name", "next"
    )
    lines = [line for line in said(two_database, "list").splitlines() if "|" in line]
    assert [line.split("|")[1:4] for line in lines[-2:]] == [
        [" small      ", " small ", "   active "],
        [" next       ", " other ", " building "],
    ]
    result = call(two_database, "wait", "next", "--timeout", "0")
    assert isinstance(result.exception, PgduetError)
    assert str(result.exception) == "generation next is not ready after 0 s: 40 chunks lack a vector"
    assert "no worker is running: start `pgduet worker`" in result.exception.hint
    work(two_database)
    assert "generation next is ready: 40 vectors, 0 chunks given up" in said(two_database, "wait", "next")
    result = call(two_database, "promote", "next")
    assert isinstance(result.exception, PgduetError)
    assert "nobody has compared it with the active one" in str(result.exception)
    assert "overrule this with force and a reason" in result.exception.hint
    assert isinstance(call(two_database, "promote", "next", "--force").exception, PgduetError)
    evaluated(session, "next", passed=False)
    assert "ndcg@10 0.660 (before 0.610), not better" in said(two_database, "list")
    assert "generation next is active" in said(two_database, "promote", "next", "--force", "--reason", "a trial")
    assert "generation small is active again" in said(two_database, "rollback")
    text = said(two_database, "status", "next", "--watch")
    assert "state          ready" in text
    assert "promote small -> next by postgres against objections: a trial" in text
    assert "rollback next -> small by postgres\n" in text
    found = json.loads(said(two_database, "status", "next", "--json"))
    assert (found["lacking"], found["gate_passed"], found["switches"][1]["forced"]) == (0, False, True)
    assert isinstance(call(two_database, "drop", "next", "--yes").exception, PgduetError)
    assert "generation next is retired" in said(two_database, "retire", "next")
    assert isinstance(call(two_database, "wait", "next").exception, PgduetError)
    assert call(two_database, "drop", "next", answer="n\n").exit_code == 1
    assert "generation next is dropped; 0." in said(two_database, "drop", "next", answer="y\n")
    assert "generation next is gone" in said(two_database, "drop", "next", "--yes")
    listed = json.loads(said(two_database, "list", "--json"))
    assert [(one["name"], one["state"], one["vectors"]) for one in listed] == [("small", "active", 40)]
    assert [one["state"] for one in json.loads(said(two_database, "list", "--json", "--all"))] == ["active", "dropped"]


def test_an_unknown_name_is_told_with_those_there_are(database: Database) -> None:
    for command in ("status", "wait", "promote", "retire", "drop"):
        more = ["--yes"] if command == "drop" else []
        result = call(database, command, "nobody", *more)
        assert isinstance(result.exception, PgduetError), command
        assert "there is no generation 'nobody'" in str(result.exception)
        assert "small" in result.exception.hint


def test_help_shows_examples() -> None:
    app = typer.Typer()
    register(app)
    app.command()(call)
    for command in COMMANDS:
        result = CliRunner().invoke(app, ["generation", command, "--help"])
        assert result.exit_code == 0
        assert f"pgduet generation {command}" in " ".join(result.output.split()), command


def test_waiting_tells_how_far_it_is(session: Connection, two_database: Database) -> None:
    session.execute("SELECT pgduet.add_generation('other')")
    seen: list[Generation] = []

    def report(one: Generation) -> None:
        seen.append(one)
        if len(seen) == 1:
            work(two_database)

    assert wait_until_ready(session, "other", report, pause=0.1).state == "ready"
    assert [(one.state, one.lacking, one.vectors) for one in seen] == [("building", 40, 0), ("ready", 0, 40)]
    session.execute("UPDATE pgduet.generations SET state = 'building' WHERE name = 'other'")
    # Without a worker that would say so.
    assert wait_until_ready(session, "other", report, pause=0.1).state == "ready"


def test_the_command_prints_an_error_a_hint_and_warnings(session: Connection, two_database: Database) -> None:
    two_database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
    pgduet = str(Path(sys.executable).with_name("pgduet"))
    session.execute("SELECT pgduet.add_generation('other')")

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [pgduet, "generation", *words]
        return subprocess.run(command, env=two_database.environment, capture_output=True, text=True)

    refused = run("promote", "other")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: generation 'other' is not promoted: 40 chunk(s) have no vector of it yet;")
    assert "hint: A worker makes them where the sidecar serves other" in refused.stderr
    forced = run("promote", "other", "--force", "--reason", "to see what it says")
    assert forced.returncode == 0
    assert "warning: the sidecar cannot be asked whether it serves the model" in forced.stderr
    assert "40 chunk(s) are found again once they are embedded" in forced.stdout
    assert scalar(session, "SELECT name FROM pgduet.generations WHERE state = 'active'") == "other"
