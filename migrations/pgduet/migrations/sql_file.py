"""Runs .sql files through Alembic exactly as they are written."""

from pathlib import Path

from alembic import op


def run_sql_file(revision_file: str) -> None:
    """Run the .sql file of the same name as a revision, or print it in offline mode.

    It goes to the driver as one string: SQLAlchemy would take `:name` and `%` in it for parameters.
    """
    run_sql(Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8"))


def run_sql(sql: str) -> None:
    """Run a string of statements on the migration's own connection, or print it in offline mode."""
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(sql)
        return
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(sql)
