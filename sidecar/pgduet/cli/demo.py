"""`pgduet demo`: everything at work in a private cluster under `.pgduet/`."""

import sysconfig
import time
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pgduet.local.stack import Stack

# What is read: enough to find things in, little enough that two cores embed it in minutes.
_ROOMS = ("plpython", "sidecar", "migrations", "sql")
_PACKAGES = ("json", "http", "asyncio")
_SEARCHES = (
    "parse the cookies of a header",
    "decode json from a string",
    "cancel a task when a timeout passes",
)
_SIDECAR_SECONDS = 300
# Two slow processor cores embed the demo's few thousand chunks in minutes.
_EMBED_SECONDS = 3600
_EXAMPLE = "SELECT path, symbol, similarity FROM pgduet.similar_code('retry an http call', k => 5);"
_PENDING = "SELECT coalesce(sum(pending), 0)::bigint FROM pgduet.coverage"

demo = typer.Typer(help="Run PostgreSQL, sidecar and worker privately under .pgduet/.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add `pgduet demo`."""
    app.add_typer(demo, name="demo")


@demo.command(epilog="Example:  pgduet demo up && source .pgduet/env && psql")
def up() -> None:
    """Start everything, fill it with this repository and a part of Python's library, and search.

    What runs goes on running afterwards. Run again it starts only what is missing and embeds only what changed.
    """
    from pgduet.local.stack import Stack, checkout

    stack = Stack(checkout())
    try:
        _start(stack)
        _fill(stack)
        _search(stack)
    except KeyboardInterrupt:
        typer.echo(
            f"\ninterrupted; what was started is listed in {stack.folder}/*.pid and ended by: make stop", err=True
        )
        raise
    _explain(stack)


@demo.command(epilog="Example:  pgduet demo down")
def down() -> None:
    """Stop worker, sidecar and PostgreSQL; the data stays."""
    from pgduet.local.stack import Stack, checkout

    stopped = Stack(checkout()).down()
    typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@demo.command(epilog="Example:  pgduet demo status")
def status() -> None:
    """Say what runs; exit with 1 when a part does not."""
    from pgduet.local.stack import Stack, checkout

    stack = Stack(checkout())
    parts = {"postgres": stack.cluster.pid, "sidecar": stack.sidecar.pid, "worker": stack.worker.pid}
    for name, pid in parts.items():
        typer.echo(f"{name:<9} {'stopped' if pid is None else f'running, process {pid}'}")
    if None in parts.values():
        raise typer.Exit(1)


def _say(step: str) -> None:
    typer.echo(f"demo: {step}")


def _start(stack: "Stack") -> None:
    from pgduet.client import EmbeddingClient
    from pgduet.local.server_python import ensure_server_python
    from pgduet.local.stack import MODEL

    ensure_server_python(stack.repository)
    stack.run("models", "pull", MODEL)
    stack.cluster.create()
    stack.cluster.start()
    stack.write_env()
    _create_database(stack)
    _say(f"PostgreSQL runs (process {stack.cluster.pid}, port {stack.cluster.port})")
    stack.prepare_sockets()
    stack.sidecar.start()
    with EmbeddingClient(stack.address) as client:
        stack.sidecar.wait(client.healthy, _SIDECAR_SECONDS)
    _say(f"the sidecar serves the model {MODEL} (process {stack.sidecar.pid})")
    stack.run("db", "migrate", "--model", MODEL)
    stack.run("db", "set", "sidecar_address", stack.address)
    stack.worker.start()
    _say(f"the schema is installed, the worker runs (process {stack.worker.pid})")


def _create_database(stack: "Stack") -> None:
    from pgduet.database.connection import connect
    from pgduet.local.stack import DATABASE

    with connect(stack.cluster.conninfo(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            connection.execute("CREATE DATABASE pgduet")


def _fill(stack: "Stack") -> None:
    _say("reading this repository without its tests")
    stack.run("ingest", *_ROOMS, "--repo", "pgduet", quiet=False)
    _say(f"reading {', '.join(_PACKAGES)} of Python's standard library")
    with TemporaryDirectory() as folder:
        # Side by side and alone, so that their paths are those in Python's own repository below Lib/.
        for package in _PACKAGES:
            source = Path(sysconfig.get_path("stdlib")) / package
            copytree(source, Path(folder) / package, ignore=ignore_patterns("__pycache__"))
        stack.run("ingest", folder, "--repo", "cpython", quiet=False)
    _wait_for_vectors(stack)
    _say(stack.run("db", "index").strip())


def _wait_for_vectors(stack: "Stack") -> None:
    """Wait until the worker left no chunk pending; raises PgduetError with its log when it ends or takes too long."""
    from pgduet.database.connection import connect
    from pgduet.local.stack import DATABASE

    with connect(stack.cluster.conninfo(DATABASE), autocommit=True) as connection:
        told = time.monotonic()

        def nothing_pending() -> bool:
            nonlocal told
            row = connection.execute(_PENDING).fetchone()
            pending = int(row[0]) if row else 0
            if pending and time.monotonic() - told > 5:
                told = time.monotonic()
                _say(f"{pending} chunks wait for their vectors")
            return pending == 0

        stack.worker.wait(nothing_pending, _EMBED_SECONDS)
    _say("every chunk has its vector")


def _search(stack: "Stack") -> None:
    for words in _SEARCHES:
        typer.echo(f'\n$ pgduet search "{words}" -k 5')
        stack.run("search", words, "-k", "5", quiet=False)


def _explain(stack: "Stack") -> None:
    from pgduet.local.state import NAME

    password = stack.cluster.password_file
    typer.echo(
        f"\nEverything goes on running.\n"
        f"  psql:       source {NAME}/env && psql\n"
        f"  then:       {_EXAMPLE}\n"
        f"  BI tools:   127.0.0.1:{stack.cluster.port}, database pgduet, user postgres, password in {password}\n"
        f"  logs:       {stack.folder}/{{postgres,sidecar,worker}}.log\n"
        f"  stop:       make stop"
    )
