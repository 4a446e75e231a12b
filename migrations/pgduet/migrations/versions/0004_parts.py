"""Room for embed() with a part: the functions without one go."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Drop the functions that come back with one parameter more."""
    run_sql_file(__file__)
