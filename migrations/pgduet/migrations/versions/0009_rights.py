"""Row security around chunks: vectors, queue, failures and watched rows follow the policies of code_chunks."""

from pgduet.migrations.sql_file import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Give the tables around code_chunks policies of their own."""
    run_sql_file(__file__)
