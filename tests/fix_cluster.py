"""Fixtures with private PostgreSQL clusters: real servers in temporary folders, stopped by pid at the end."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder

REPOSITORY = Path(__file__).resolve().parent.parent
# What a test loses with these in a power cut is nothing; a commit then costs no disk flush.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "max_prepared_transactions": "5",
    # What a subscriber needs; a standby is content with less.
    "wal_level": "logical",
}

ClusterFactory = Callable[[Sequence[Path]], Cluster]


@contextmanager
def temporary_cluster(python_path: Sequence[Path]) -> Iterator[Cluster]:
    """Run a cluster in a temporary folder that the server's user can reach, then remove it."""
    folder = Path(tempfile.mkdtemp(prefix="pgduet-test-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with Cluster(folder, python_path=python_path, settings=FAST) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server_path() -> list[Path]:
    """Give the PYTHONPATH that lets PL/Python import pgduet, renewed when proto/ or plpython/ changed."""
    ensure_server_python(REPOSITORY)
    return [server_python_path(state_folder(REPOSITORY))]


@pytest.fixture(scope="session")
def cluster(server_path: list[Path]) -> Iterator[Cluster]:
    """Run the cluster that all tests of a run share; give each test its own database in it."""
    with temporary_cluster(server_path) as running:
        yield running


@pytest.fixture(scope="session")
def cluster_factory() -> Iterator[ClusterFactory]:
    """Give a function that starts one more cluster with the PYTHONPATH named; all are stopped at the end."""
    with ExitStack() as stack:
        yield lambda python_path: stack.enter_context(temporary_cluster(python_path))
