"""What SQL adds to a model call: a warm `SELECT pgduet.embed('x')` against the bare gRPC call and a bare `SELECT 1`.

The sidecar answers from its cache, so that what is left is PL/Python, protobuf, gRPC and the text form of the vector.
The three are measured in turn in one run; ratios and medians count, the machine may be shared.

    .venv/bin/python benchmarks/sql_overhead.py [--calls 500] [--sessions 20]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pgduet.client import EmbeddingClient
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate

REPOSITORY = Path(__file__).resolve().parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "sql_overhead.json"
GOAL_MS = 3.0


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the real sidecar with `small` on a socket that the server's user may use."""
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


def milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def measure(conninfo: str, address: str, calls: int, sessions: int) -> dict[str, float]:
    """Return medians in milliseconds."""
    fresh = []
    for _ in range(sessions):
        with psycopg.connect(conninfo, autocommit=True) as session:
            session.execute("SELECT 1")
            fresh.append(milliseconds(lambda: session.execute("SELECT pgduet.embed('x')")))
    sql: list[float] = []
    grpc: list[float] = []
    bare: list[float] = []
    with psycopg.connect(conninfo, autocommit=True) as session, EmbeddingClient(address) as client:
        for number in range(calls + 20):
            one = milliseconds(lambda: session.execute("SELECT pgduet.embed('x')"))
            two = milliseconds(lambda: client.embed("small", ["x"]))
            three = milliseconds(lambda: session.execute("SELECT 1"))
            if number >= 20:
                sql.append(one)
                grpc.append(two)
                bare.append(three)
    return {
        "sql_embed_warm_ms": statistics.median(sql),
        "sql_embed_warm_p95_ms": statistics.quantiles(sql, n=20)[18],
        "grpc_embed_ms": statistics.median(grpc),
        "select_1_ms": statistics.median(bare),
        "sql_embed_first_in_session_ms": statistics.median(fresh),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=20)
    asked = parser.parse_args()
    ensure_server_python(REPOSITORY)
    with tempfile.TemporaryDirectory(prefix="pgduet-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = [server_python_path(state_folder(REPOSITORY))]
        with serving(folder) as address, Cluster(folder / "cluster", path) as cluster:
            with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
                migrate(connection)
                write_setting(connection, "sidecar_address", address)
            result = measure(cluster.conninfo(), address, asked.calls, asked.sessions)
    result["ratio_sql_to_grpc"] = result["sql_embed_warm_ms"] / result["grpc_embed_ms"]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({key: round(value, 3) for key, value in result.items()}, indent=2) + "\n")
    for key, value in result.items():
        print(f"{key:32} {value:9.3f}")
    print(f"goal: warm median at most {GOAL_MS} ms: {'met' if result['sql_embed_warm_ms'] <= GOAL_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
