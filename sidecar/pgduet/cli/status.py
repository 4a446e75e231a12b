"""`pgduet status`: queue, health, workers, index and generations on the terminal."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pgduet.web import wording

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pgduet.database.connection import Connection
    from pgduet.database.generations import Generation
    from pgduet.database.overview import Health, IndexState, QueueState, WorkerState

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_SILENT = 60
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")


class _Status(NamedTuple):
    queue: "list[QueueState]"
    health: "list[Health]"
    workers: "list[WorkerState]"
    indexes: "list[IndexState]"
    generations: "list[Generation]"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and show it anew until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how queue, parts, workers, indexes and generations stand; exit with 1 where a part of health() fails.

    Needs no more than pgduet_reader. Examples:

        pgduet status

        pgduet status --watch --every 5

        pgduet status --json | jq '.queue[] | {state, chunks}'
    """
    from pgduet.database.connection import connect
    from pgduet.errors import PgduetError

    if watch and as_json:
        raise PgduetError("--watch shows a screen and --json prints an object", hint="take one of them")
    with connect(dsn, autocommit=True, application_name="pgduet status") as connection:
        if watch:
            with suppress(KeyboardInterrupt):
                _watch(lambda: _read(connection), every)
            return
        found = _read(connection)
    if as_json:
        _print_json(found)
    else:
        from rich.console import Console

        Console(highlight=False, markup=False).print(_screen(found))
    if any(one.status == "fail" for one in found.health):
        raise typer.Exit(1)


def _read(connection: "Connection") -> _Status:
    from pgduet.database import overview
    from pgduet.database.generations import list_generations

    return _Status(
        overview.read_queue(connection),
        overview.read_health(connection),
        overview.read_workers(connection),
        overview.read_indexes(connection),
        list_generations(connection),
    )


def _watch(read: Callable[[], _Status], every: float) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        while True:
            console.print(_screen(read()))
            sleep(every)
    live = Live(_screen(read()), console=console, screen=True, auto_refresh=False, vertical_overflow="crop")
    # Not `with`: a Ctrl-C on the way in would leave the terminal without its cursor.
    try:
        live.start(refresh=True)
        while True:
            sleep(every)
            live.update(_screen(read()), refresh=True)
    finally:
        live.stop()


def _print_json(found: _Status) -> None:
    from json import dumps

    parts = {name: [one._asdict() for one in rows] for name, rows in found._asdict().items()}
    typer.echo(dumps(parts, ensure_ascii=False, indent=2, default=str))


def _screen(found: _Status) -> "RenderableType":
    from datetime import datetime

    from rich.console import Group

    return Group(
        f"{datetime.now():%H:%M:%S}",
        _table("queue", ("chunks", "oldest", "last error"), map(_queue_row, found.queue)),
        _table("workers", ("state", "embedded", "failed", "heard of", "detail"), map(_worker_row, found.workers)),
        _table("indexes", ("kind", "vectors", "size", "recall", "search", "build"), map(_index_row, found.indexes)),
        _table(
            "generations", ("duet", "state", "vectors", "lacking", "score"), map(_generation_row, found.generations)
        ),
        _table("health", ("state", "detail"), map(_health_row, found.health)),
    )


def _table(title: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title, *columns, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        # A text of somebody else's may hold escapes of the terminal.
        cells = (str(cell).translate(_CONTROLS) for cell in row)
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    if not table.row_count:
        table.add_row(Text("none", style="dim"))
    return Group(table, "")


def _queue_row(one: "QueueState") -> tuple[Any, ...]:
    return (
        one.state.replace("_", " "),
        wording.count(one.chunks),
        wording.duration(one.oldest_seconds),
        one.last_error or "",
    )


def _health_row(one: "Health") -> tuple[Any, ...]:
    return one.part, one.status, one.detail or ""


def _worker_row(one: "WorkerState") -> tuple[Any, ...]:
    state = "silent" if one.silent_seconds > _SILENT else one.state
    heard = f"{wording.duration(one.silent_seconds)} ago"
    return (
        f"{one.host}:{one.pid}",
        state,
        wording.count(one.embedded),
        wording.count(one.failed),
        heard,
        one.detail or "",
    )


def _index_row(one: "IndexState") -> tuple[Any, ...]:
    search = "" if one.search_ms is None else f"{one.search_ms:.1f} ms"
    build = "" if one.phase is None else f"{one.phase} {one.progress or 0:.0f} %"
    vectors, size = wording.count(one.rows_now), wording.size(one.bytes)
    return one.index_name, one.kind, vectors, size, wording.decimal(one.recall), search, build


def _generation_row(one: "Generation") -> tuple[Any, ...]:
    score = "" if one.score is None else f"{one.metric or 'score'} {one.score:.3f}"
    return one.name, one.model, one.state, wording.count(one.vectors), wording.count(one.lacking), score
