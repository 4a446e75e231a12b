"""Snapshots of what takes long to count, the map of chunks, and the settings of both."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables that a worker fills for people and BI tools."""
    run_sql_file(__file__)
