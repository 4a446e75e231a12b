"""The life of a generation: when it was retired and dropped, and which one was active from when to when."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the history of promotions; let a generation be dropped."""
    run_sql_file(__file__)
