"""`pgduet watch`, `pgduet unwatch`, `pgduet watches`: search the rows of any table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.database.connection import Connection

Dsn = Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")]
Table = Annotated[str, typer.Argument(help='Table as SQL writes it, such as docs.page or \'"Team A"."Order"\'.')]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (watch, unwatch, watches):
        app.command()(command)


def watch(
    table: Table,
    content: Annotated[str, typer.Option(help="Column that holds the code.")],
    path: Annotated[str | None, typer.Option(help="Column that holds the file's path; it tells the language.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of all rows.")] = None,
    language_column: Annotated[str | None, typer.Option(help="Column that holds a row's language.")] = None,
    repo: Annotated[str | None, typer.Option(help="Value of code_chunks.repo for these rows.")] = None,
    copy_protected: Annotated[bool, typer.Option("--copy-protected", help="Copy a table with row security.")] = False,
    dsn: Dsn = "",
) -> None:
    """Keep the rows of a table searchable from now on; a worker cuts and embeds them.

    Needs a primary key and the table's owner, who is a member of pgduet_admin. Safe to run again: it takes the new
    columns and cuts all rows anew. Examples:

        pgduet watch snippets --content body

        pgduet watch shop.script --content source --path file_name --repo shop
    """
    from pgduet.database import sources

    with _connect(dsn) as connection:
        source = sources.watch(
            connection,
            table,
            content=content,
            path=path,
            language=language,
            language_column=language_column,
            repo=repo,
            copy_protected=copy_protected,
        )
    typer.echo(f"watching; code_chunks.source is {source}; its rows are queued: see `pgduet watches`")


def unwatch(table: Table, dsn: Dsn = "") -> None:
    """Stop watching a table and delete its chunks; the table is left as it is. Example: pgduet unwatch snippets."""
    from pgduet.database import sources

    with _connect(dsn) as connection:
        chunks = sources.unwatch(connection, table)
    typer.echo(f"not watched any more; {chunks} chunks deleted")


def watches(dsn: Dsn = "") -> None:
    """List watched tables: rows known, waiting, blank and failed, chunks, and what needs your attention.

    Example: pgduet watches.
    """
    from rich.console import Console
    from rich.table import Table as Grid

    from pgduet.database import sources

    with _connect(dsn) as connection:
        found = sources.watch_status(connection)
    if not found:
        typer.echo("no table is watched; watch one with: pgduet watch TABLE --content COLUMN")
        return
    grid = Grid(*("table", "rows", "waiting", "blank", "failed", "chunks", "note"), box=None)
    for one in found:
        counts = (one.rows_known, one.rows_waiting, one.rows_blank, one.rows_failed, one.chunks)
        grid.add_row(one.table_name, *map(str, counts), one.note)
    Console(markup=False).print(grid)


@contextmanager
def _connect(dsn: str) -> "Iterator[Connection]":
    from pgduet.cli.connecting import connect_known
    from pgduet.database.errors import readable_errors

    with readable_errors(), connect_known(dsn, application_name="pgduet watch") as connection:
        yield connection
