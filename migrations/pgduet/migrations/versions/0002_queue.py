"""The queue of pending chunks, dead letters and the workers' heartbeats."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the queue; forget the functions that it replaces."""
    run_sql_file(__file__)
