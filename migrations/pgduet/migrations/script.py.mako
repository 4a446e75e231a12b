"""${message}."""

from pgduet.migrations.sql_file import run_sql_file

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Run the .sql file of the same name."""
    run_sql_file(__file__)
