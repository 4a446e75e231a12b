"""`pgduet status`, and what `pgduet search` shows of many hits, as a terminal gets them."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fix_database import Database
from fix_web import FAILED, fill
from pgduet.cli.search import register as register_search
from pgduet.cli.status import register as register_status
from pgduet.errors import PgduetError
from stub_sidecar import StubSidecar

PGDUET = str(Path(sys.executable).with_name("pgduet"))


def run(database: Database, *arguments: str) -> Result:
    """Run a command in this process, where starting it takes no time."""
    app = typer.Typer()
    register_search(app)
    register_status(app)
    return CliRunner().invoke(app, list(arguments), env={**database.environment, "COLUMNS": "140"})


def on_terminal(database: Database, *arguments: str, seconds: float = 60, until: bytes = b"", **more: str) -> bytes:
    """Run a command on a terminal of 24 lines; end it by Ctrl-C once it has written `until`, else wait for its end."""
    main, other = pty.openpty()
    environment = {**os.environ, **database.environment, "TERM": "xterm", "LINES": "24", "COLUMNS": "100", **more}
    process = subprocess.Popen([PGDUET, *arguments], env=environment, stdin=other, stdout=other, stderr=other)
    os.close(other)
    written, deadline = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            try:
                piece = os.read(main, 65536)
            except OSError:  # Linux's word for a terminal that nobody writes to any more
                break
            written += piece
            if not piece:
                break
            if until and until in written:
                process.send_signal(signal.SIGINT)
                until = b""
        assert process.wait(20) == 0, written
    finally:
        process.kill()
        process.wait()
        os.close(main)
    return written


@pytest.fixture
def shop(stub_database: Database) -> Database:
    with stub_database.connect() as session:
        fill(session)
    return stub_database


def test_status_tells_how_everything_stands(shop: Database, stub: StubSidecar) -> None:
    with shop.connect() as session:
        session.execute(FAILED)
        session.execute(
            "INSERT INTO pgduet._worker (worker, host, pid, version, state, detail)"
            " VALUES ('w', 'far', 7, '0', 'idle', E'bad \\x1b[31m detail')"
        )
    told = run(shop, "status")
    assert told.exit_code == 0, told.output
    for words in ("waiting", "in work", "sidecar", "far:7", "small", "the model failed on <this> text"):
        assert words in told.stdout
    assert "\x1b" not in told.stdout
    found = json.loads(run(shop, "status", "--json").stdout)
    assert [one["chunks"] for one in found["queue"]] == [0, 0, 0, 1]
    assert found["generations"][0]["vectors"] == 5
    stub.stop()
    away = run(shop, "status")
    assert (away.exit_code, "fail" in away.stdout) == (1, True)
    both = run(shop, "status", "--watch", "--json").exception
    assert isinstance(both, PgduetError)
    assert both.hint == "take one of them"


def test_status_is_watched_until_somebody_has_seen_enough(shop: Database) -> None:
    shown = on_terminal(shop, "status", "--watch", "--every", "0.2", until=b"generation")
    assert b"waiting" in shown
    assert b"Traceback" not in shown
    # The screen is given back, and the cursor with it.
    assert b"\x1b[?1049l" in shown
    assert b"\x1b[?25h" in shown


def test_many_hits_go_through_the_pager_page_by_page(shop: Database) -> None:
    paged = on_terminal(shop, "search", "x", PAGER="sed s/^/paged:/")
    assert b"paged:" in paged
    assert b"\x1b[" in paged
    assert b"paged:" not in on_terminal(shop, "search", "x", "--no-pager", PAGER="sed s/^/paged:/")
    last = run(shop, "search", "x", "-k", "3", "--page", "2")
    assert [line[:2] for line in last.stdout.splitlines() if line[:1].isdigit()] == ["4.", "5."]
    assert "no more hits: there are 5" in run(shop, "search", "x", "-k", "3", "--page", "3").stderr


def test_help_names_exit_codes_and_completion() -> None:
    told = subprocess.run([PGDUET, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "--install-completion" in told
    for words in ("130", "interrupted"):
        assert words in told
