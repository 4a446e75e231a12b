"""The `pgduet` command: every module of this room that has a `register` adds its commands."""

import importlib
import pkgutil
import sys

import typer

import pgduet.cli
from pgduet.errors import PgduetError

app = typer.Typer(
    name="pgduet",
    help="Code search by meaning inside PostgreSQL.",
    epilog="Exit codes: 0 done; 1 something that a person can mend, told as error and hint; 2 wrong usage; "
    "130 interrupted. Completion of the shell: `pgduet --install-completion`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _register_all() -> None:
    for module in sorted(m.name for m in pkgutil.iter_modules(pgduet.cli.__path__)):
        register = getattr(importlib.import_module(f"pgduet.cli.{module}"), "register", None)
        if register:
            register(app)


def run() -> None:
    """Run the command line; print what a person can mend as one error and a hint, and exit with 1."""
    _register_all()
    try:
        app()
    except PgduetError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
