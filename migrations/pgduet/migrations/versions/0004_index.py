"""The policy of the managed index: which kind, how good, how large; its builds, requests and measured recall."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create what the index keeper writes down and what an admin may set."""
    run_sql_file(__file__)
