"""Triplets mined in the table, the runs that mined them, and their thresholds."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables of mined triplets; add the settings of mining."""
    run_sql_file(__file__)
