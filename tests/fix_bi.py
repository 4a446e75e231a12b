"""Fixtures for whoever reads the views: a small table whose counts are known, a history around it, and a reader."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from fix_database import Connection, Database, new_database
from fix_vectors import load_vectors, structured
from pgduet.database.snapshots import COUNTED, Snapshots
from pgduet.local.cluster import Cluster
from pgduet.worker.mapping import keep_map

HISTORY = Path(__file__).with_suffix(".sql").read_text()
VIEWS = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind = 'v'"
    " AND c.relname !~ '^_' ORDER BY 1"
)
COLUMNS = (
    "SELECT c.relname, a.attname, format_type(a.atttypid, NULL), col_description(c.oid, a.attnum) FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_' ORDER BY 1, a.attnum"
)
INDEX = (
    "CREATE INDEX code_embeddings_g1_sketch_1 ON pgduet.code_embeddings_g1"
    " USING ivfflat (sketch bit_hamming_ops) WITH (lists = 1)"
)
LOGIN = "bi_tool"


def views(session: Connection) -> list[str]:
    return [name for (name,) in session.execute(VIEWS).fetchall()]


def refresh(session: Connection) -> None:
    """Refresh all that is kept in the database, however young it is."""
    session.execute("UPDATE pgduet._snapshot SET refreshed_at = '-infinity'")
    snapshots = Snapshots(session)
    for name in COUNTED:
        assert snapshots.count(name)
    session.execute("SELECT pg_stat_force_next_flush()")
    keep_map(snapshots, lambda: False)


@pytest.fixture(scope="module")
def filled(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database with two repositories: six chunks with vectors, of which two are copies, and four without."""
    with new_database(cluster, template) as database:
        database.set("sidecar_address", "unix:/nonexistent/sidecar.sock")
        with database.connect() as session:
            load_vectors(
                session,
                structured(6),
                repos=["a", "a", "a", "b", "b", "b"],
                languages=["python", "python", "go", "python", "go", "go"],
                contents=["one", "two", "three", "two", "five", "six"],
                paths=[f"file{number}" for number in range(6)],
            )
            session.execute("UPDATE pgduet.code_embeddings SET truncated = true WHERE chunk_id = 6")
            session.execute(
                "BEGIN; SET LOCAL session_replication_role = replica;"
                "INSERT INTO pgduet.code_chunks (chunk_id, repo, language, content, updated_at) VALUES"
                " (7, 'b', 'go', 'seven', now() - interval '1 hour'), (8, 'b', 'go', ' ', now()),"
                " (9, 'b', 'go', 'nine', now()), (10, NULL, NULL, 'two', now());"
                "INSERT INTO pgduet._pending (chunk_id, enqueued_at, attempts, error_class, error, next_attempt_at)"
                " VALUES (10, now() - interval '2 hours', 2, 'row_temporary', 'late', now() + interval '1 minute');"
                "INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)"
                " SELECT 9, 1, content_hash, 'row_permanent', 'too long', 3 FROM pgduet.code_chunks"
                " WHERE chunk_id = 9; COMMIT"
            )
            refresh(session)
        yield database


@dataclass(frozen=True)
class Reader:
    """A login with the role `pgduet_reader` alone, as a BI tool has it, in a database with something in every view."""

    database: Database

    @property
    def conninfo(self) -> str:
        return f"{self.database.conninfo} user={LOGIN}"

    @property
    def environment(self) -> dict[str, str]:
        return {**self.database.environment, "PGUSER": LOGIN}

    def connect(self) -> Connection:
        return psycopg.connect(self.conninfo, autocommit=True)

    def engine(self) -> sqlalchemy.Engine:
        """Give SQLAlchemy's engine; it keeps no connection, so that the database can be dropped."""
        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(self.conninfo), poolclass=sqlalchemy.NullPool
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as session:
            return session.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def reader(filled: Database) -> Iterator[Reader]:
    """Give a reader of a copy of `filled` with a history: every view has rows."""
    with new_database(filled.cluster, filled.name) as database:
        with database.connect() as session:
            session.execute(INDEX.encode())
            session.execute(HISTORY.encode())
            refresh(session)
            session.execute(f"CREATE ROLE {LOGIN} LOGIN IN ROLE pgduet_reader".encode())
        try:
            yield Reader(database)
        finally:
            with database.connect() as session:
                session.execute(f"DROP ROLE {LOGIN}".encode())
