"""Where queries, codes and duets of `pgduet evaluate` come from."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgduet.training.data import Benchmark

ACTIVE = "active"
_WAYS = "--queries FILE with --codes FILE, --table, or --humaneval"


def read_benchmark(queries: Path | None, codes: Path | None, table: bool, humaneval: bool, dsn: str) -> "Benchmark":
    """Read queries and codes from the one place that was named.

    Raises DataError where none or several were, and what reading that place raises.
    """
    from pgduet.training import data
    from pgduet.training.errors import DataError

    files = queries is not None or codes is not None
    if files + table + humaneval != 1:
        named = "several places" if files + table + humaneval else "no place"
        raise DataError(f"{named} to take queries and codes from", hint=f"name one of: {_WAYS}")
    if humaneval:
        from pgduet.training.humaneval import read_humaneval

        return read_humaneval()
    if table:
        from pgduet.cli.connecting import connect_known
        from pgduet.training.held_out import read_held_out

        with connect_known(dsn) as connection:
            return read_held_out(connection)
    if queries is None or codes is None:
        lacking = "--codes" if codes is None else "--queries"
        raise DataError(f"{lacking} is lacking: queries and codes come from two files", hint=f"name one of: {_WAYS}")
    return data.Benchmark("files", data.read_queries(queries), data.read_codes(codes))


def duet_named(name: str, dsn: str) -> str:
    """Return the name of a duet; `active` means that of the active generation. Raises PgduetError and DatabaseError."""
    if name != ACTIVE:
        return name
    from pgduet.cli.connecting import connect_known
    from pgduet.database.generations import list_generations

    with connect_known(dsn) as connection:
        return next(one.model for one in list_generations(connection) if one.state == ACTIVE)
