"""`pgduet worker`: embeds what lacks a vector and keeps the index."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two rounds.")] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Do one round and end.")] = False,
) -> None:
    """Embed chunks that lack a vector and keep the index, until SIGTERM.

    Needs a direct connection as pgduet_owner or a superuser: only they can build an index. Examples:

        pgduet worker

        pgduet worker --once
    """
    from pgduet.database.connection import connect
    from pgduet.worker.loop import Worker, stopping_on_signals

    job = Worker(lambda: connect(dsn, autocommit=True, application_name="pgduet worker"), interval)
    with stopping_on_signals(job):
        job.run(once=once)
