"""What `pgduet ingest` and `pgduet search` say."""

import json
from collections import Counter

import pytest
import typer
from typer.testing import CliRunner

from pgduet.cli.ingest import register as register_ingest
from pgduet.cli.ingest import summary
from pgduet.cli.search import _print_hits, _print_json
from pgduet.cli.search import register as register_search
from pgduet.database.search import Hit
from pgduet.errors import PgduetError
from pgduet.ingest import Report

HIT = Hit(
    7, "web", "src/a.py", "Client.get", "method", "python", 3, 14, "\n".join(f"line {i}" for i in range(12)), 0.831
)
BARE = Hit(8, None, None, None, None, None, None, None, "select 1", 0.5)


def app() -> typer.Typer:
    made = typer.Typer()
    register_ingest(made)
    register_search(made)
    return made


def test_the_summary_counts_chunks_and_skipped_files_by_reason() -> None:
    report = Report(3, 5, 1, 2, 7, 4, Counter({"binary": 1, "generated": 6}), 1.25)
    assert summary(report).splitlines() == [
        "3 files, chunks: 5 new, 1 changed, 2 moved, 7 unchanged, 4 deleted; 1.2 s",
        "skipped: 6 generated, 1 binary",
    ]
    assert summary(Report(), dry_run=True).startswith("would be: 0 files")
    assert report.chunks == 15


def test_hits_are_plain_text_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _print_hits([HIT, BARE], 8)
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "1. 0.83  web/src/a.py:3-14  Client.get (method)"
    assert lines[1:9] == [f"    line {i}" for i in range(8)]
    assert lines[9] == "    ... 4 more lines"
    assert lines[11:13] == ["2. 0.50  chunk 8  (chunk)", "    select 1"]


def test_json_is_one_array_with_the_whole_content(capsys: pytest.CaptureFixture[str]) -> None:
    _print_json([HIT, BARE])
    first, second = json.loads(capsys.readouterr().out)
    assert first == HIT._asdict()
    assert second["path"] is None


@pytest.mark.parametrize("command", ["ingest", "search"])
def test_help_shows_examples(command: str) -> None:
    result = CliRunner().invoke(app(), [command, "--help"])
    assert result.exit_code == 0
    assert f"pgduet {command}" in result.output


def test_a_blank_query_is_refused_before_the_database_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "/nonexistent")
    result = CliRunner().invoke(app(), ["search", "  "])
    assert isinstance(result.exception, PgduetError)
    assert "blank" in str(result.exception)
