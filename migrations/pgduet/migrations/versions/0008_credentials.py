"""The files by which the server and its sidecars know each other."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the settings that name them."""
    run_sql_file(__file__)
