"""`pgduet ui`: the search page."""

from contextlib import closing
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ui)


def ui(
    dsn: Annotated[str, typer.Option(help="libpq connection string; the PG* environment by default.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; by default only this machine reaches it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8517,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    role: Annotated[
        str, typer.Option(help="Role that reads, as SET ROLE takes it; 'none' keeps the rights of the login.")
    ] = "pgduet_reader",
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Longest time of a statement, in seconds.")] = 10,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Most connections to the database.")] = 4,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Answer to this host name too, such as that of a proxy; may be repeated."),
    ] = None,
) -> None:
    """Show search, code map, queue, index and models as a web page, until Ctrl-C.

    It reads, and writes nothing: every request is a read-only transaction in the role pgduet_reader. Nothing is
    loaded from elsewhere, no cookie is set. It asks nobody for a password: on an address that others reach, put a
    proxy that does before it. Examples:

        pgduet ui --open

        pgduet ui --dsn 'host=db dbname=app user=reader' --port 9000

        pgduet ui --host 0.0.0.0 --allow-host code.example.com
    """
    try:
        from pgduet.web.server import address_of, is_loopback, open_socket, serve
    except ModuleNotFoundError as error:
        from pgduet.errors import PgduetError

        raise PgduetError(f"the page needs {error.name}", hint="pip install 'pgduet[ui]'") from error
    from pgduet.database.reading import Readers
    from pgduet.migrations.schema import require_known

    def ready() -> None:
        typer.echo(f"pgduet ui: {address} (end with Ctrl-C)")
        if open_browser:
            typer.launch(address)

    with closing(Readers(dsn, role=role, seconds=timeout, size=connections)) as readers:
        # What cannot work is said before anybody opens the page.
        with readers.transaction() as connection:
            require_known(connection)
        listening = open_socket(host, port)
        address = address_of(listening)
        if not is_loopback(host):
            typer.echo("note: whoever reaches this address can read the code; nobody is asked for a password", err=True)
        serve(readers, listening, [host, *(allow_host or [])], ready)
