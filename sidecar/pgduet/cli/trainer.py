"""`pgduet trainer`: does the fine-tuning that was asked for in SQL or is due by schedule."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.database.connection import Connection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trainer)


def trainer(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
    poll: Annotated[float, typer.Option(min=0.1, help="Longest time between two looks for runs, in seconds.")] = 5,
    pause: Annotated[
        float, typer.Option(min=0, help="Seconds before a run that failed is tried again; doubled with each attempt.")
    ] = 30,
    grace: Annotated[float, typer.Option(min=0, help="Seconds that a command has to end in before it is killed.")] = 10,
    patience: Annotated[
        float, typer.Option(min=0, help="Most seconds to wait until a generation is filled, before it is promoted.")
    ] = 86_400,
    sidecar: Annotated[
        str | None,
        typer.Option(help="Address of the sidecar; by default PGDUET_SIDECAR, else the setting sidecar_address."),
    ] = None,
    models_dir: Annotated[
        Path | None,
        typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
    ] = None,
) -> None:
    """Do the fine-tuning runs that `SELECT pgduet.finetune()` asked for, one at a time, until SIGTERM.

    Mining and training run in processes of their own. Any number of trainers may run: one of them works at a time, and
    when it dies another goes on from the last checkpoint. SIGTERM and Ctrl-C end the process that works; its run is
    left to the next trainer. Needs a member of pgduet_admin, a direct connection, and the active generation's duet in
    the model store. Settings, changed by `pgduet db set`: finetune_every, finetune_promote, finetune_attempts.
    Examples:

        pgduet trainer

        pgduet trainer --once

        pgduet db set finetune_every '7 days' && pgduet trainer --models-dir /srv/models
    """
    from pgduet.training.requests.options import Options
    from pgduet.training.requests.trainer import Trainer, stopping_on_signals

    options = Options(poll, pause, grace, patience, sidecar, models_dir, dsn)
    with _line() as say:
        job = Trainer(lambda: _open(dsn), options, say)
        with stopping_on_signals(job):
            job.run(once=once)


def _open(dsn: str) -> "Connection":
    import structlog

    from pgduet.cli.connecting import connect_known

    warn = structlog.get_logger("pgduet.trainer").warning
    return connect_known(dsn, application_name="pgduet trainer", warn=warn)


@contextmanager
def _line() -> Iterator[Callable[[str], None]]:
    """Show in one line what is being done, on a terminal; nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _words: None
        return
    with console.status("connecting", spinner="line") as line:
        yield line.update
