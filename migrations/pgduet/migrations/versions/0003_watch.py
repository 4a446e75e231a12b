"""Watched user tables: which they are, which of their rows wait, and what was made of each row."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables behind pgduet.watch()."""
    run_sql_file(__file__)
