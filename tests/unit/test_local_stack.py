import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgduet.errors import PgduetError
from pgduet.local.stack import Stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="pgd' ", dir="/tmp"))
    folder.chmod(0o755)
    yield Stack(folder)
    shutil.rmtree(folder)


def test_stopping_what_never_ran_is_no_error(stack: Stack) -> None:
    assert stack.down() == []
    assert stack.down() == []


def test_a_shell_that_sources_the_env_file_reaches_the_stack(stack: Stack) -> None:
    stack.write_env()
    show = f'. "{stack.env_file}" && printf "%s\\n" "$PGHOST" "$PGPORT" "$PGUSER" "$PGDATABASE" "$PGDUET_SIDECAR"'
    shown = subprocess.run(["sh", "-c", show], capture_output=True, text=True, check=True).stdout.splitlines()
    expected = [str(stack.cluster.socket_directory), str(stack.cluster.port), "postgres", "pgduet", stack.address]
    assert shown == expected


def test_the_sidecars_socket_is_closed_to_others(stack: Stack) -> None:
    stack.prepare_sockets()
    mode = (stack.folder / "run").stat().st_mode
    assert mode & 0o007 == 0
    assert int(stack.sidecar.environment["PGDUET_SOCKET_MODE"], 8) & 0o007 == 0


def test_the_longest_socket_path_fits_into_an_address(stack: Stack) -> None:
    longest = "/socket/.s.PGSQL.65535.lock"
    assert 70 + len(longest) <= 107
    assert len(os.fsencode(stack.address.removeprefix("unix:"))) <= 70 + len(longest)


def test_a_failed_step_shows_its_output_and_the_logs_that_grew(stack: Stack) -> None:
    stack.worker.log.write_text("old words\n")
    program = stack.folder / "pgduet"
    program.write_text(f'#!/bin/sh\necho "no such table"\necho "worker: disk full" >>"{stack.worker.log}"\nexit 3\n')
    program.chmod(0o755)
    stack.sidecar.log.write_text("quiet\n")
    stack.program = str(program)
    with pytest.raises(PgduetError) as caught:
        stack.run("db", "migrate")
    message = str(caught.value)
    assert "`pgduet db migrate` failed: no such table" in message
    assert "worker: disk full" in message
    assert "quiet" not in message
