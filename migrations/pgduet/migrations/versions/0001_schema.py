"""Roles, extensions and tables."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables of the first release."""
    run_sql_file(__file__)
