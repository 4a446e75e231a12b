"""`pgduet worker`: makes the vectors that rows wait for, and keeps the index."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    sidecar: Annotated[
        str | None,
        typer.Option(help="Address of the sidecar; by default PGDUET_SIDECAR, else the setting sidecar_address."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Work until nothing is due, then end.")] = False,
    poll: Annotated[float, typer.Option(min=0.1, help="Longest time between two looks at the queue, in seconds.")] = 5,
    lease: Annotated[float, typer.Option(min=1, help="Seconds until a dead worker's chunks are taken again.")] = 150,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Most chunks in one request.")] = 256,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests at the same time.")] = 2,
    reconcile: Annotated[float, typer.Option(min=1, help="Seconds between two looks at all chunks.")] = 300,
    max_attempts: Annotated[int, typer.Option(min=1, help="Attempts until a chunk is given up.")] = 8,
    index: Annotated[bool, typer.Option(help="Keep the index: on a direct connection, as owner or superuser.")] = True,
    metrics: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Answer Prometheus there.")] = None,
) -> None:
    """Embed what waits in the queue, find what no trigger saw, and keep the index, until SIGTERM.

    Any number may run, on any hosts; a pooler in transaction mode may stand between. On SIGTERM or Ctrl-C, calls in
    flight get ten seconds, and what is not done is given back; a second signal cuts them off. PGDUET_SIDECAR_CA_FILE,
    PGDUET_SIDECAR_TOKEN_FILE and others name what sidecars on other machines ask for: docs/security.md. Examples:

        pgduet worker

        pgduet worker --once

        pgduet worker --no-index --dsn 'host=pooler dbname=app' --metrics 127.0.0.1:9187
    """
    from pgduet.database.connection import connect
    from pgduet.worker.loop import Worker, stopping_on_signals
    from pgduet.worker.options import Options

    options = Options(sidecar, poll, lease, batch, concurrency, reconcile, max_attempts, index, metrics)
    with _bar() as progress:
        job = Worker(lambda: connect(dsn, autocommit=True, application_name="pgduet worker"), options, progress)
        with stopping_on_signals(job):
            job.run(once=once)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("chunks"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda embedded, waiting: bar.update(task, completed=embedded, total=embedded + waiting)
