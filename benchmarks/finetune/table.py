"""The table that is learned from: functions of installed packages, embedded and mined by the product's own commands."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pgduet.chunking import chunk_code
from pgduet.client import EmbeddingClient
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate
from pgduet.training.mining.documented import documented

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PGDUET = str(Path(sys.executable).with_name("pgduet"))
# All under a permissive licence. Which side each is on follows from its name alone (training/mining/sides.py).
PACKAGES = {
    "train": ("networkx", "jinja2", "joblib", "packaging", "sortedcontainers", "fsspec"),
    "dev": ("click", "fire"),
    "test": ("structlog", "prometheus_client", "tomlkit", "importlinter"),
}
# So many documented functions of each side, whose vectors two cores make in minutes.
MOST = {"train": 1300, "dev": 200, "test": 400}
_KINDS = frozenset(("function", "method"))
_LONGEST = 1_000
_COPY = "COPY pgduet.code_chunks (repo, path, symbol, kind, language, content) FROM STDIN"

Seconds = dict[str, float]


@contextmanager
def mined_table() -> Iterator[tuple[str, Seconds]]:
    """Run a private server whose table holds the packages' chunks, vectors and triplets; yield how to connect."""
    ensure_server_python(REPOSITORY)
    seconds: Seconds = {}
    with tempfile.TemporaryDirectory(prefix="pgduet-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = [server_python_path(state_folder(REPOSITORY))]
        with Cluster(folder / "cluster", path, settings={"fsync": "off"}) as cluster:
            with timed(seconds, "embed"), sidecar(folder) as address:
                _fill(cluster, address)
            conninfo = cluster.conninfo("postgres")
            with timed(seconds, "mine"):
                run("mine", "--dsn", conninfo)
            yield conninfo, seconds


@contextmanager
def timed(seconds: Seconds, what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - started
    print(f"{what}: {seconds[what]:.0f} s", flush=True)


@contextmanager
def sidecar(folder: Path) -> Iterator[str]:
    address = f"unix:{folder}/sidecar.sock"
    settings = {"PGDUET_LISTEN": address, "PGDUET_SOCKET_MODE": "0666", "PGDUET_LOG_LEVEL": "warning"}
    process = subprocess.Popen([PGDUET, "serve"], env={**os.environ, **settings})
    try:
        with EmbeddingClient(address) as client:
            client.wait_ready(300)
        yield address
    finally:
        process.terminate()
        process.wait()


def run(*arguments: str) -> None:
    subprocess.run([PGDUET, *arguments], check=True)


def _fill(cluster: Cluster, address: str) -> None:
    conninfo = cluster.conninfo("postgres")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        migrate(connection)
        write_setting(connection, "sidecar_address", address)
        write_setting(connection, "trigger_mode", "queue")
        chunks = [chunk for side, packages in PACKAGES.items() for chunk in _chunks(packages, MOST[side])]
        with connection.cursor().copy(_COPY) as copy:
            for chunk in chunks:
                copy.write_row(chunk)
    print(f"embedding {len(chunks):,} chunks", flush=True)
    run("worker", "--once", "--no-index", "--batch", "32", "--dsn", conninfo)


def _chunks(packages: Iterable[str], most: int) -> list[tuple[str, ...]]:
    """Cut packages into documented functions; take `most` of them, by the hash of their text."""
    found = {}
    root = Path(sysconfig.get_path("purelib"))
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            path = str(file.relative_to(root))
            if "test" in path:
                continue
            for chunk in chunk_code(file.read_text(encoding="utf-8"), "python", path):
                text = chunk.content
                if chunk.kind in _KINDS and len(text) <= _LONGEST and documented(text, "python"):
                    found[text] = (package, path, chunk.symbol or "", chunk.kind, "python", text)
    return [found[text] for text in sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())[:most]]
