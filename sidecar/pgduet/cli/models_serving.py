"""`pgduet models load`: what a running sidecar serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pgduet.cli.models import models


@models.command(
    epilog="Examples:  pgduet models load small-ft  |  pgduet models load small-ft --unload  |  "
    "pgduet models load small-ft --sidecar unix:/run/pgduet/sidecar.sock"
)
def load(
    name: Annotated[str, typer.Argument(help="Name of a duet in the sidecar's model store.")],
    unload: Annotated[bool, typer.Option("--unload", help="Stop serving it instead.")] = False,
    sidecar: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="unix:/path or host:port, or several separated by commas; by default PGDUET_SIDECAR.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for it.")] = 600,
) -> None:
    """Have the running sidecars serve one more duet, beside those that they serve, or stop serving one.

    The duet is tested against its reference vectors first, and the others answer meanwhile. Served already, nothing is
    done. A load goes on where this command is interrupted: run it again to see how it ended. Nothing is remembered: a
    sidecar that starts again serves what `pgduet serve` was told to. With --unload, calls in flight are finished first.
    """
    from pgduet.client import sidecar_addresses
    from pgduet.errors import PgduetError

    errors = []
    for address in sidecar_addresses(sidecar):
        try:
            (_unload if unload else _load)(name, address, timeout)
        except PgduetError as error:
            # What one cannot do, the others still can.
            errors.append(error)
    for earlier in errors[:-1]:
        typer.echo(f"error: {earlier}", err=True)
    if errors:
        raise errors[-1]


def _load(name: str, address: str, timeout: float) -> None:
    from pgduet.client import EmbeddingClient

    with EmbeddingClient(address, timeout=timeout, direct=True) as client, _waiting(f"loading {name} at {address}"):
        reply = client.load_model(name)
    state = "is loaded" if reply.loaded else "was loaded already"
    typer.echo(f"{name} {state}, fingerprint {reply.model.fingerprint}, served at {address}")


def _unload(name: str, address: str, timeout: float) -> None:
    from pgduet.client import EmbeddingClient

    with EmbeddingClient(address, timeout=timeout, direct=True) as client, _waiting(f"unloading {name} at {address}"):
        served = client.unload_model(name).served
    typer.echo(f"{name} is unloaded; {address} serves {', '.join(served)}")


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something goes on, and for how long already."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        progress.add_task(what, total=None)
        yield
