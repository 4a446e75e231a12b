"""`pgduet generation`: a new duet beside the one that is searched, from its first vector to the switch and the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pgduet.database.connection import Connection
    from pgduet.database.generations import Generation, Report

Dsn = Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")]
Name = Annotated[str, typer.Argument(help="Generation, as `pgduet generation list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(
        help="Change the duet without downtime: fill a generation beside the active one, switch, go back.",
        no_args_is_help=True,
    )
    for command in (add, status, wait, promote, rollback, retire, drop):
        group.command()(command)
    group.command("list")(list_all)
    app.add_typer(group, name="generation")


def list_all(
    as_json: AsJson = False,
    dropped: Annotated[bool, typer.Option("--all", help="Also those that were dropped.")] = False,
    dsn: Dsn = "",
) -> None:
    """List generations: state, vectors, what they lack, score. Example: pgduet generation list --json."""
    from pgduet.database.generations import list_generations

    with _connect(dsn) as connection:
        found = list_generations(connection, dropped=dropped)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=2, default=str))
        return
    from rich.console import Console

    from pgduet.cli.scoring import new_table

    table = new_table("generation", "duet", "state", "vectors", "lacking", "given up", "index", "recall", "score")
    for one in found:
        table.add_row(
            one.name,
            one.model,
            one.state,
            str(one.vectors),
            _text(one.lacking),
            _text(one.failed),
            "yes" if one.has_index else "no",
            _text(one.recall),
            _score(one),
        )
    Console(highlight=False, markup=False, width=200).print(table)


def add(
    model: Annotated[str, typer.Argument(help="Name of the duet, as `pgduet models list` shows it.")],
    name: Annotated[str | None, typer.Option(help="Name of the generation; that of the duet by default.")] = None,
    dsn: Dsn = "",
) -> None:
    """Begin a generation: a worker fills it with the duet's vectors while searches go on in the active one.

    The sidecar has to serve the duet. Needs a member of pgduet_admin. Examples:

        pgduet generation add small-ft

        pgduet generation add small --name small-again && pgduet generation wait small-again
    """
    from pgduet.database.generations import add_generation

    with _connect(dsn) as connection:
        typer.echo(add_generation(connection, model, name))


def status(
    name: Name,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay and show how far it is, as `wait` does.")] = False,
    dsn: Dsn = "",
) -> None:
    """Say all about one generation. Example: pgduet generation status small-ft."""
    from pgduet.database.generations import read_generation

    with _connect(dsn) as connection:
        if watch:
            _wait(connection, name, None)
        found, history = read_generation(connection, name), _history(connection, name)
    if as_json:
        typer.echo(json.dumps(found._asdict() | {"switches": history}, indent=2, default=str))
        return
    for key, value in found._asdict().items():
        typer.echo(f"{key:<14} {_text(value)}")
    for one in history:
        overruled = " against objections" if one["forced"] else ""
        reason = f": {one['reason']}" if one["reason"] else ""
        typer.echo(
            f"{one['at']:%Y-%m-%d %H:%M}  {one['kind']} {one['before']} -> {one['after']} by {one['by']}"
            f"{overruled}{reason}"
        )


def wait(
    name: Name,
    timeout: Annotated[float | None, typer.Option(min=0, help="Give up after so many seconds, with status 1.")] = None,
    dsn: Dsn = "",
) -> None:
    """Wait until a generation is complete and its index is built. Example: pgduet generation wait small-ft."""
    with _connect(dsn) as connection:
        found = _wait(connection, name, timeout)
    typer.echo(f"generation {found.name} is {found.state}: {found.vectors} vectors, {found.failed} chunks given up")


def promote(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Overrule what stands against it; needs --reason.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; kept in the history.")] = None,
    dsn: Dsn = "",
) -> None:
    """Search in this generation from now on; the one before is kept current, for a rollback at once.

    Refused while chunks or the index are lacking, where no evaluation found it better, or where the sidecar does not
    serve its duet. Needs a member of pgduet_admin. Examples:

        pgduet generation promote small-ft

        pgduet generation promote qodo-jina --force --reason "the duet we bought the GPU for"
    """
    from pgduet.database import generations

    with _connect(dsn) as connection:
        typer.echo(generations.promote(connection, name, force=force, reason=reason))


def rollback(dsn: Dsn = "") -> None:
    """Search again in the generation that the last promotion replaced. Example: pgduet generation rollback."""
    from pgduet.database import generations

    with _connect(dsn) as connection:
        typer.echo(generations.rollback(connection))


def retire(name: Name, dsn: Dsn = "") -> None:
    """Give a generation up: it gets no more vectors, and no rollback. Example: pgduet generation retire small-ft."""
    from pgduet.database import generations

    with _connect(dsn) as connection:
        typer.echo(generations.retire(connection, name))


def drop(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for transactions that use it.")] = 300.0,
    dsn: Dsn = "",
) -> None:
    """Delete the vectors of a retired generation while searches and writes go on.

    Safe to run again after an interruption. Needs a direct connection (no pooler) of the owner of the tables or a
    superuser. Examples:

        pgduet generation drop small

        pgduet generation drop small --yes --patience 30
    """
    from pgduet.database.dropping import drop_generation

    with _connect(dsn) as connection:
        if not yes:
            typer.confirm(f"Delete all vectors of generation {name}?", abort=True)
        with _progress() as say:
            freed = drop_generation(connection, name, patience=patience, report=say)
    typer.echo(f"generation {name} is dropped; {freed / 2**20:.1f} MB freed" if freed else f"generation {name} is gone")


def _wait(connection: "Connection", name: str, timeout: float | None) -> "Generation":
    from pgduet.database.generations import has_worker, read_generation, wait_until_ready

    if read_generation(connection, name).state == "building" and not has_worker(connection):
        typer.echo("no worker is running: start one with `pgduet worker`", err=True)
    with _bar() as report:
        return wait_until_ready(connection, name, report, timeout=timeout)


def _history(connection: "Connection", name: str) -> list[dict[str, Any]]:
    from pgduet.database.errors import DatabaseError
    from pgduet.database.generations import read_history

    try:
        return [one._asdict() for one in read_history(connection, name)]
    except DatabaseError as error:
        # Readers see how generations stand, admins who switched them.
        if error.sqlstate != "42501":
            raise
        return []


def _score(one: "Generation") -> str:
    if one.score is None:
        return "-"
    before = "" if one.score_before is None else f" (before {one.score_before:.3f})"
    return f"{one.metric or 'score'} {one.score:.3f}{before}{'' if one.gate_passed else ', not better'}"


def _text(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def _bar() -> "Iterator[Report]":
    """Show a bar with the rate on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _one: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("looking at the table", total=None)

        def report(one: "Generation") -> None:
            lacking, failed = one.lacking or 0, one.failed or 0
            words = "embedding" if lacking else "waiting for the index"
            words += f", {failed} given up" if failed else ""
            bar.update(task, description=words, completed=one.vectors, total=one.vectors + lacking)

        yield report


@contextmanager
def _progress() -> "Iterator[Any]":
    """Show in one line what is being done, on a terminal; nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status("looking at the generation", spinner="line") as line:
        yield line.update


@contextmanager
def _connect(dsn: str) -> "Iterator[Connection]":
    from pgduet.cli.connecting import connect_known
    from pgduet.database.errors import readable_errors

    with readable_errors(), connect_known(dsn, application_name="pgduet generation") as connection:
        connection.add_notice_handler(
            lambda notice: typer.echo(f"{(notice.severity or 'note').lower()}: {notice.message_primary}", err=True)
        )
        yield connection
