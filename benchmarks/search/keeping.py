"""Lets the keeper do its round, and says what it did."""

from server import Connection

from pgduet.migrations.keeper import keep_index


def keep(session: Connection, *, rebuild: bool = False) -> str:
    """Run the keeper once, as the worker does; print and return its sentence."""
    said = keep_index(session, rebuild=rebuild)
    print("  the keeper:", said, flush=True)
    return said
