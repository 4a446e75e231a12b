"""Alembic's entry point: runs revisions on a connection that the caller opened, or prints them."""

from typing import Any

from alembic import context
from sqlalchemy import Connection

OPTIONS: dict[str, Any] = {
    "version_table": "_migration",
    "version_table_schema": "pgduet",
    "transaction_per_migration": True,
}

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    context.configure(url="postgresql+psycopg://", literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.get_context().impl.static_output("CREATE SCHEMA IF NOT EXISTS pgduet;")
        context.run_migrations()
else:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
