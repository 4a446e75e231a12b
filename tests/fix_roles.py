"""Sessions of people who have one role of pgduet's and nothing else."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from fix_database import Connection, Database

_numbers = itertools.count(1)


@contextmanager
def login(database: Database, role: str | None, **options: Any) -> Iterator[Connection]:
    """Log in as somebody new, a member of one role or of none; they and all that is theirs are gone afterwards."""
    name = f"somebody_{next(_numbers)}"
    with database.connect() as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN" + (f" IN ROLE {role}" if role else ""))
        try:
            with psycopg.connect(database.conninfo, user=name, autocommit=True, **options) as session:
                yield session
        finally:
            admin.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
