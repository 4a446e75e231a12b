"""`pgduet db`: install, upgrade, describe, set up and remove the schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pgduet.database.connection import Connection

Dsn = Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Install, upgrade, describe and remove the database schema.", no_args_is_help=True)
    for command in (migrate, status, roles, index, uninstall):
        group.command()(command)
    group.command("set")(set_setting)
    app.add_typer(group, name="db")


def migrate(
    dsn: Dsn = "",
    model: Annotated[str, typer.Option(help="Duet of the first generation; ignored once there is one.")] = "small",
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL for review instead of running it.")] = False,
) -> None:
    """Bring the schema to this package's version. Safe to run again at any time.

    Needs a superuser and a direct connection (no pooler). Examples:

        pgduet db migrate

        pgduet db migrate --sql > review.sql
    """
    from pgduet.migrations.install import migrate, migration_script

    if sql:
        typer.echo(migration_script(model), nl=False)
        return
    with _connect(dsn) as connection:
        found = migrate(connection, model)
    typer.echo(f"schema pgduet is at revision {found.revision}, functions of version {found.version}")


def status(dsn: Dsn = "") -> None:
    """Say what is installed and whether it is current; exit with 1 where it is not. Example: pgduet db status."""
    from pgduet.migrations.schema import status

    with _connect(dsn) as connection:
        found = status(connection)
    if found.revision is None:
        typer.echo("pgduet is not installed in this database; install it with: pgduet db migrate")
        raise typer.Exit(1)
    typer.echo(f"revision {found.revision} of {found.head}, functions of version {found.version or 'none'}")
    if not found.current:
        typer.echo(f"not current: {found.remedy}")
        raise typer.Exit(1)
    typer.echo("current")


def index(
    dsn: Dsn = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build anew even where the index is still good.")] = False,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="sketch|halfvec|hnsw",
            help="Set index_kind first: IVFFLAT on the sketches (the default), IVFFLAT on the vectors, "
            "or HNSW on the sketches. An index of another kind is replaced while searches go on.",
        ),
    ] = None,
    recall: Annotated[
        bool, typer.Option("--recall", help="Then measure how much of the nearest searches find, and how fast.")
    ] = False,
) -> None:
    """Build the search index where that is due, rebuild it where rows outgrew it, and see to its recall.

    A running worker does this by itself every half minute. Neither readers nor writers wait for it. Needs a direct
    connection (no pooler) of the owner of the tables or a superuser. Settings, changed by `pgduet db set`:
    index_kind, index_min_rows, index_growth, index_memory_mb, recall_target, lexical_index. Examples:

        pgduet db index

        pgduet db index --rebuild --recall

        pgduet db index --kind hnsw
    """
    from pgduet.cli.indexing import print_recall, progress
    from pgduet.database.connection import is_pooled
    from pgduet.errors import PgduetError
    from pgduet.migrations.keeper import keep_index

    with _connect(dsn, known=True) as connection:
        if is_pooled(connection):
            raise PgduetError(
                "an index cannot be kept through a pooler: each statement may reach another session",
                hint="name the server itself: --dsn 'host=... port=5432'",
            )
        with progress() as report:
            outcome = keep_index(connection, rebuild=rebuild, kind=kind, progress=report)
        typer.echo(outcome)
        if recall:
            print_recall(connection)


def set_setting(
    key: Annotated[str, typer.Argument(help="Name of the setting, as docs/reference/settings.md lists them.")],
    value: Annotated[str, typer.Argument(help="What it shall be from now on.")],
    dsn: Dsn = "",
) -> None:
    """Change an admin setting. Example: pgduet db set sidecar_address unix:/run/pgduet/sidecar.sock."""
    from pgduet.database.settings import write_setting

    if key == "sidecar_address":
        from pgduet.client import sidecar_addresses

        sidecar_addresses(value)
    with _connect(dsn, known=True) as connection:
        write_setting(connection, key, value)
    typer.echo(f"{key} = {value}")


def roles(dsn: Dsn = "") -> None:
    """Make the roles that are missing in this cluster: before a dump is restored there, for example.

    A dump holds no roles. `pgduet db migrate` does this too. Needs a superuser. Example:

        pgduet db roles --dsn 'host=new dbname=postgres'
    """
    from pgduet.migrations.roles import ROLES, create_roles

    with _connect(dsn) as connection:
        new = create_roles(connection)
    typer.echo(f"made: {', '.join(new)}" if new else f"all there: {', '.join(ROLES)}")


def uninstall(
    dsn: Dsn = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Leave chunks, vectors, indexes, settings and roles.")
    ] = False,
) -> None:
    """Drop the schema with all chunks and vectors, and the roles; the extensions stay.

    With --keep-data only functions, views and triggers go, and `pgduet db migrate` brings them back. Until then rows
    can be written but not searched; a worker finds later what was written. Examples:

        pgduet db uninstall --keep-data

        pgduet db uninstall --yes
    """
    from pgduet.migrations.removal import remove_code, uninstall

    with _connect(dsn) as connection:
        if keep_data:
            remove_code(connection)
            typer.echo("functions, views and triggers are gone, the data stays; back they come with: pgduet db migrate")
            return
        if not yes:
            typer.confirm(f"Drop schema pgduet and all its data from database {connection.info.dbname}?", abort=True)
        kept = uninstall(connection)
    typer.echo("schema pgduet is gone; the extensions vector and plpython3u were left")
    if kept:
        typer.echo(f"roles that another database still needs were left: {', '.join(kept)}")


@contextmanager
def _connect(dsn: str, *, known: bool = False) -> "Iterator[Connection]":
    """Connect, where `known` to a schema of this release alone; the others mend, report on or remove any."""
    from pgduet.cli.connecting import connect_known
    from pgduet.database.connection import connect
    from pgduet.database.errors import readable_errors

    with readable_errors(), connect_known(dsn) if known else connect(dsn, autocommit=True) as connection:
        yield connection
