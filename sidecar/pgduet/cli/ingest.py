"""`pgduet ingest`: files and trees into the database, again and again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pgduet.ingest import Report

_WORKERS = "SELECT count(*) FROM pgduet.worker_status WHERE silent_seconds < 60"
_NO_WORKER = "no worker runs: start `pgduet worker`, which makes the vectors; SELECT * FROM pgduet.queue_status tells"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.")],
    repo: Annotated[
        str | None, typer.Option(help="Name of the repository; by default that of the git checkout or folder.")
    ] = None,
    max_bytes: Annotated[int, typer.Option(min=1, help="Skip larger files.")] = 1_000_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name each file that is skipped, and why.")] = False,
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
) -> None:
    """Load source files chunk by chunk; run it again to load what changed since.

    Only new and changed chunks are embedded, by the worker; those of deleted files go. What .gitignore files exclude,
    dependencies, generated and binary files are skipped. An interrupted run goes on where it stopped.

    Examples:

        pgduet ingest .

        pgduet ingest ~/src/flask/src --repo flask

        pgduet ingest --dry-run --verbose .
    """
    from pgduet.cli.connecting import connect_known
    from pgduet.database.asking import ask
    from pgduet.ingest import ingest

    with connect_known(dsn) as connection, _Lines(quiet, verbose) as progress:
        report = ingest(
            paths, connection=connection, repo=repo, max_bytes=max_bytes, dry_run=dry_run, progress=progress
        )
        workers = ask(connection, _WORKERS)[0][0]
    if quiet:
        return
    typer.echo(summary(report, dry_run=dry_run))
    if (report.new or report.changed) and not dry_run:
        typer.echo("the worker makes the vectors now" if workers else _NO_WORKER)


def summary(report: "Report", *, dry_run: bool = False) -> str:
    """Say in a few lines what an ingest did, or would do."""
    would = "would be: " if dry_run else ""
    counts = f"{report.new} new, {report.changed} changed, {report.moved} moved, {report.unchanged} unchanged"
    lines = [f"{would}{report.files} files, chunks: {counts}, {report.deleted} deleted; {report.seconds:.1f} s"]
    if report.skipped:
        lines += [f"skipped: {', '.join(f'{count} {reason}' for reason, count in report.skipped.most_common())}"]
    return "\n".join(lines)


class _Lines:
    """Show a bar on a terminal, and skipped files where asked; else nothing."""

    def __init__(self, quiet: bool, verbose: bool) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._chunks = 0
        self._bar: Bar | None = None

    def __enter__(self) -> "_Lines":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("files  {task.fields[rate]}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=self._quiet or not console.is_terminal)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, files: int) -> None:
        """Start the bar at so many files."""
        if self._bar:
            self._task = self._bar.add_task("", total=files, rate="")

    def file(self, path: str) -> None:
        """Move the bar on by one file."""
        if self._bar:
            self._bar.advance(self._task)

    def loaded(self, chunks: int) -> None:
        """Show the speed so far."""
        self._chunks += chunks
        if self._bar:
            elapsed = self._bar.tasks[0].elapsed or 0
            self._bar.update(self._task, rate=f"{self._chunks / elapsed:.0f} chunks/s" if elapsed else "")

    def skip(self, path: str, reason: str) -> None:
        """Name a skipped file where asked."""
        if self._verbose and self._bar:
            self._bar.console.print(f"skipped {path}: {reason}", markup=False, highlight=False, soft_wrap=True)
