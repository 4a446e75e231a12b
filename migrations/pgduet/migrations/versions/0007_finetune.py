"""Fine-tuning runs that were asked for in SQL or by schedule, and their history."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table of fine-tuning runs; add the settings of the schedule."""
    run_sql_file(__file__)
