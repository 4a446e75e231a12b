"""What `pgduet db index` shows: how far a build is, and what recall searches have."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgduet.database.connection import Connection

_RECALL = (
    "SELECT query_kind, queries, recall, recall_low, recall_high, search_ms, exact_ms, way, probes, ef_search, depth"
    " FROM pgduet.index_recall()"
)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show a bar for the phase that the build is in, on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("looking at the table", total=None)
        yield lambda phase, done, total: bar.update(task, description=phase, completed=done, total=total or None)


def print_recall(connection: "Connection") -> None:
    """Print a table with one row for each kind of query that recall was measured with."""
    from rich.console import Console

    from pgduet.cli.scoring import new_table
    from pgduet.database.asking import ask

    table = new_table("queries", "number", "recall@10", "95 % between", "search", "exact", "way", "looks at")
    for kind, queries, recall, low, high, search_ms, exact_ms, way, probes, ef_search, depth in ask(
        connection, _RECALL
    ):
        looks = f"{probes} lists, " if probes else f"ef_search {ef_search}, " if ef_search else ""
        table.add_row(
            kind,
            str(queries),
            f"{recall:.3f}",
            f"{low:.3f} and {high:.3f}",
            f"{search_ms:.1f} ms",
            f"{exact_ms:.1f} ms",
            way,
            f"{looks}{depth} candidates",
        )
    # Only as wide as the table needs; a cell that is cut would hide a number.
    Console(highlight=False, width=200).print(table)
