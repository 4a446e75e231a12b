"""Tells how far a build is, while the connection that builds is busy."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from pgduet.database.queries import load_queries

Connection = psycopg.Connection[Any]

# The phase in words, how much of it is done, and how much there is; both 0 where nobody knows.
Progress = Callable[[str, int, int], None]

_LOOK_SECONDS = 0.5


@contextmanager
def watching(connection: Connection, progress: Progress | None) -> Iterator[None]:
    """Report from a second connection like this one what the first is building, until the block ends."""
    if progress is None:
        yield
        return
    ended = threading.Event()
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}
    thread = threading.Thread(target=_watch, args=(parameters, connection.info.backend_pid, progress, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(parameters: dict[str, Any], pid: int, progress: Progress, ended: threading.Event) -> None:
    query = load_queries("watching", "pgduet.migrations.keeper")["progress"]
    # Where a second connection is refused, the build goes on unseen.
    with suppress(psycopg.Error), psycopg.connect(**parameters, autocommit=True) as connection:
        while not ended.wait(_LOOK_SECONDS):
            for phase, done, total in connection.execute(query, {"pid": pid}).fetchall():
                progress(phase, done, total)
