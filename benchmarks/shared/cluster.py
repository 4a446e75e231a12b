"""A private cluster with pgduet in one database, for benchmarks of the server alone, and where figures are kept."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate

REPOSITORY = Path(__file__).resolve().parents[2]
# Nothing is to survive, and no checkpoint comes in between.
_SETTINGS = {"max_wal_size": "8GB", "fsync": "off", "shared_buffers": "1GB"}

Connection = psycopg.Connection[Any]


@contextmanager
def private_database() -> Iterator[Connection]:
    """Give a session in a new database with pgduet; the cluster and its folder go at the end."""
    ensure_server_python(REPOSITORY)
    with tempfile.TemporaryDirectory(prefix="pgduet-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = [server_python_path(state_folder(REPOSITORY))]
        with Cluster(folder, python_path=path, settings=_SETTINGS) as cluster:
            with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as session:
                session.execute("CREATE DATABASE bench")
            with psycopg.connect(cluster.conninfo("bench"), autocommit=True) as session:
                migrate(session)
                yield session


def keep(name: str, figures: dict[str, Any]) -> None:
    """Print figures, and write them into benchmarks/results."""
    text = json.dumps(figures, indent=2)
    print(text)
    (REPOSITORY / "benchmarks" / "results" / f"{name}.json").write_text(text + "\n")
