"""The private server of the benchmark, and filling it by binary COPY."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from data import Documents

from pgduet.client import EmbeddingClient
from pgduet.database.settings import write_setting
from pgduet.database.vectors import Bits, Halfs, register_vectors
from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate

Connection = psycopg.Connection[Any]
REPOSITORY = Path(__file__).resolve().parent.parent.parent
_TEMPLATE = "installed"
# One core a search, nothing that vacuums or compiles in between, and no disk: what is measured is the search.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "work_mem": "16MB",
}


@contextmanager
def server(shared_buffers: str) -> Iterator[tuple[Cluster, Path]]:
    """Run a cluster in a folder that goes at the end."""
    ensure_server_python(REPOSITORY)
    with tempfile.TemporaryDirectory(prefix="pgduet-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = [server_python_path(state_folder(REPOSITORY))]
        settings = _SETTINGS | {"shared_buffers": shared_buffers}
        with Cluster(folder / "cluster", path, settings=settings) as cluster:
            yield cluster, folder


@contextmanager
def sidecar(folder: Path) -> Iterator[str]:
    """Run `small` for the keeper, which asks it for vectors of names; return its address."""
    address = f"unix:{folder}/sidecar.sock"
    settings = {"PGDUET_LISTEN": address, "PGDUET_SOCKET_MODE": "0666", "PGDUET_LOG_LEVEL": "warning"}
    command = [str(Path(sys.executable).with_name("pgduet")), "serve"]
    process = subprocess.Popen(command, env={**os.environ, **settings})
    try:
        with EmbeddingClient(address) as client:
            client.wait_ready(300)
        yield address
    finally:
        process.terminate()
        process.wait()


def install(cluster: Cluster, address: str) -> None:
    """Install pgduet once; every database of the benchmark is a copy."""
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    with psycopg.connect(cluster.conninfo(_TEMPLATE), autocommit=True) as connection:
        migrate(connection)
        write_setting(connection, "sidecar_address", address)


def new_database(cluster: Cluster, name: str) -> str:
    """Make a database with pgduet in it; return how to connect."""
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    return cluster.conninfo(name)


def connect(conninfo: str) -> Connection:
    """Open a session that sends vectors and sketches in binary."""
    connection = psycopg.connect(conninfo, autocommit=True)
    register_vectors(connection)
    return connection


def generation(connection: Connection) -> int:
    """Return the number of the active generation."""
    row = connection.execute("SELECT generation_id FROM pgduet.generations WHERE state = 'active'").fetchone()
    assert row is not None
    return int(row[0])


def fill(connection: Connection, documents: Documents, places: range | None = None, shift: int = 0) -> None:
    """Copy the documents at `places` (all by default) into chunks and embeddings, as if the worker had embedded them.

    Their ids are their places plus one plus `shift`. Triggers stay out of it: nothing is queued.
    """
    places = range(len(documents.rows)) if places is None else places
    number = generation(connection)
    connection.execute("SET session_replication_role = replica")
    columns = "(chunk_id, repo, path, symbol, language, content, start_line, end_line)"
    with connection.cursor().copy(f"COPY pgduet.code_chunks {columns} FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "text", "text", "text", "text", "text", "int4", "int4"])
        for at in places:
            row = documents.rows[at]
            copy.write_row((at + 1 + shift, row.repo, row.path, row.symbol, row.language or None, row.content, 1, 1))
    columns = "(chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language)"
    with connection.cursor().copy(f"COPY pgduet.code_embeddings {columns} FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "int4", "bytea", "halfvec", "bit", "text", "text", "text"])
        for at in places:
            row = documents.rows[at]
            key = hashlib.sha256(row.content.encode()).digest()
            halfs, bits = halfs_of(documents.vectors[at]), Bits(documents.sketches[at].tobytes())
            copy.write_row((at + 1 + shift, number, key, halfs, bits, row.repo, row.path, row.language or None))
    connection.execute("RESET session_replication_role")


def analyse(connection: Connection) -> None:
    """Do what autovacuum would have done by now; it is off, so that it disturbs no measurement."""
    for table in ("code_chunks", "code_embeddings"):
        connection.execute(f"VACUUM (ANALYZE) pgduet.{table}")


def table_bytes(connection: Connection) -> int:
    """Return what the vectors' table takes with what is out of line and its ordinary indexes."""
    name = f"pgduet.code_embeddings_g{generation(connection)}"
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (name,)).fetchone()
    assert row is not None
    return int(row[0])


def halfs_of(vector: Any) -> Halfs:
    """Return a vector in pgvector's wire order."""
    return Halfs(vector.astype(">f2").tobytes())


def machine(connection: Connection, shared_buffers: str) -> str:
    """Say in words what was measured on."""
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    row = connection.execute(
        "SELECT current_setting('server_version'), extversion FROM pg_extension WHERE extname = 'vector'"
    ).fetchone()
    assert row is not None
    version = row[0].split()[0]
    cores = f"{names[0]}, {len(os.sched_getaffinity(0))} cores"
    return f"{cores}; PostgreSQL {version}, pgvector {row[1]}, shared_buffers {shared_buffers}; numpy {np.__version__}"
