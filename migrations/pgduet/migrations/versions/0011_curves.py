"""The curve of each fine-tuning run."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table that a trainer keeps the steps of its runs in."""
    run_sql_file(__file__)
