"""Keeps the full-text index that similar_code(lexical => true) uses, where the setting lexical_index asks for it."""

from contextlib import suppress
from typing import Any, LiteralString

import psycopg

from pgduet.database.queries import load_queries
from pgduet.migrations.keeper.build import drop_index, setting
from pgduet.migrations.keeper.policy import Policy
from pgduet.migrations.keeper.watching import Progress, watching

Connection = psycopg.Connection[Any]

_NAME = "code_chunks_lexical"


def keep_lexical(connection: Connection, policy: Policy, progress: Progress | None = None) -> str | None:
    """Build or drop the full-text index as the policy says; say what was done, None where there was nothing to do."""
    row = connection.execute(_queries()["valid"], {"name": f"pgduet.{_NAME}"}).fetchone()
    valid = row[0] if row else None
    if valid is policy.lexical or (valid is None and not policy.lexical):
        return None
    if valid is not None:
        # Also one that is half-built: its build ended early.
        drop_index(connection, _NAME)
    if not policy.lexical:
        return "dropped the full-text index"
    try:
        with setting(connection, maintenance_work_mem=f"{policy.memory_mb}MB"), watching(connection, progress):
            connection.execute(_queries()["create"])
    except psycopg.Error:
        # Half-built it would cost every write and serve nobody.
        with suppress(psycopg.Error), setting(connection, lock_timeout="2s"):
            drop_index(connection, _NAME)
        raise
    return "built the full-text index"


def _queries() -> dict[str, LiteralString]:
    return load_queries("lexical", "pgduet.migrations.keeper")
