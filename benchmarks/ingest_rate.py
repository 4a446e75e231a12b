"""What the triggers cost a bulk load, and how fast a worker drains the queue.

Loads the same rows by one COPY without any trigger and in the modes queue, auto and sync, in turn, on fresh tables;
then lets one `pgduet worker` drain a queue and compares it with copying the same vectors inside PostgreSQL. The
sidecar is the tests' stub at zero delay, so that no model is measured. Ratios and medians count, the machine may be
shared.

    .venv/bin/python benchmarks/ingest_rate.py [--rows 1000,10000,100000] [--repeats 3] [--drain 30000]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgduet.client import EmbeddingClient
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate

REPOSITORY = Path(__file__).resolve().parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "ingest_rate.json"
MODES = ("bare", "queue", "auto", "sync")
BODY = "".join(f"    total += weights[{number}] * values[{number}]  # step {number}\n" for number in range(10))
GOALS = {"queue_over_bare": 2.0, "backend_mb": 500, "drain_vectors_per_second": 3000}

Connection = psycopg.Connection[Any]


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def load(session: Connection, rows: int, mode: str, salt: str) -> float:
    """COPY so many rows in one statement; return its seconds."""
    session.execute(f"SET pgduet.trigger_mode = '{'queue' if mode == 'bare' else mode}'")
    session.execute(f"SET session_replication_role = '{'replica' if mode == 'bare' else 'origin'}'")
    lines = [f"repo\tsrc/{salt}/{n}.py\tpython\tdef f_{salt}_{n}(weights, values):\n{BODY}" for n in range(rows)]
    data = "".join(line.replace("\n", "\\n") + "\n" for line in lines).encode()
    started = time.perf_counter()
    with session.cursor().copy("COPY pgduet.code_chunks (repo, path, language, content) FROM STDIN") as copy:
        copy.write(data)
    return time.perf_counter() - started


def empty(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        session.execute("TRUNCATE pgduet.code_chunks, pgduet.code_embeddings, pgduet._pending RESTART IDENTITY")
        session.execute("CHECKPOINT")


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had, the pages it shares included, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_loads(conninfo: str, sizes: list[int], repeats: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for rows in sizes:
        seconds: dict[str, list[float]] = {mode: [] for mode in MODES}
        peak: dict[str, float] = dict.fromkeys(MODES, 0.0)
        for repeat in range(repeats):
            for mode in MODES:
                if mode == "sync" and rows > 10_000:
                    # Linear by then, and minutes long: a model call in each 64 rows.
                    continue
                empty(conninfo)
                with psycopg.connect(conninfo, autocommit=True) as session:
                    seconds[mode].append(load(session, rows, mode, f"{mode}{repeat}"))
                    peak[mode] = max(peak[mode], peak_mb(session.info.backend_pid))
        median = {mode: statistics.median(times) for mode, times in seconds.items() if times}
        result[str(rows)] = {
            mode: {
                "rows_per_second": round(rows / median[mode]),
                "times_bare": round(median[mode] / median["bare"], 2),
                "backend_mb": round(peak[mode]),
            }
            for mode in median
        }
        print(f"{rows:>7,} rows in one statement")
        for mode, figures in result[str(rows)].items():
            print(f"  {mode:<6} {figures['rows_per_second']:>8,} rows/s  {figures['times_bare']:>6.2f} x bare", end="")
            print(f"  backend {figures['backend_mb']} MB")
    return result


def measure_drain(conninfo: str, environment: dict[str, str], rows: int, repeats: int) -> dict[str, Any]:
    """Return vectors per second of one worker process, and of an INSERT ... SELECT of the same vectors."""
    worker = [str(Path(sys.executable).with_name("pgduet")), "worker", "--no-index", "--reconcile", "3600"]
    drained, copied = [], []
    for repeat in range(repeats):
        empty(conninfo)
        with psycopg.connect(conninfo, autocommit=True) as session:
            load(session, rows, "queue", f"drain{repeat}")
            with running(*worker, environment=environment):
                wait(session, "SELECT EXISTS (SELECT FROM pgduet.code_embeddings)")
                started = time.perf_counter()
                before = scalar(session, "SELECT count(*) FROM pgduet.code_embeddings")
                wait(session, "SELECT NOT EXISTS (SELECT FROM pgduet._pending)")
                drained.append((rows - before) / (time.perf_counter() - started))
            session.execute("CREATE TABLE same_vectors (LIKE pgduet.code_embeddings_g1 INCLUDING ALL)")
            started = time.perf_counter()
            session.execute("INSERT INTO same_vectors SELECT * FROM pgduet.code_embeddings_g1")
            copied.append(rows / (time.perf_counter() - started))
            session.execute("DROP TABLE same_vectors")
    figures = {
        "rows": rows,
        "worker_vectors_per_second": round(statistics.median(drained)),
        "insert_select_vectors_per_second": round(statistics.median(copied)),
        "share_of_insert_select": round(statistics.median(drained) / statistics.median(copied), 2),
    }
    print(f"drain of {rows:,} rows by one worker: {figures['worker_vectors_per_second']:,} vectors/s", end="")
    print(f", {figures['share_of_insert_select']:.2f} of a bare INSERT ... SELECT")
    return figures


def scalar(session: Connection, query: str) -> Any:
    row = session.execute(query).fetchone()
    assert row is not None
    return row[0]


def wait(session: Connection, query: str) -> None:
    deadline = time.monotonic() + 600
    while not scalar(session, query):
        if time.monotonic() > deadline:
            raise SystemExit(f"still not true after 600 s: {query}")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1000,10000,100000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--drain", type=int, default=30_000)
    asked = parser.parse_args()
    ensure_server_python(REPOSITORY)
    path = [server_python_path(state_folder(REPOSITORY))]
    with tempfile.TemporaryDirectory(prefix="pgduet-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        address = f"unix:{folder}/stub.sock"
        stub = (sys.executable, str(REPOSITORY / "tests" / "stub_sidecar.py"), "--listen", address)
        with Cluster(folder, python_path=path, settings={"max_wal_size": "8GB"}) as cluster, running(*stub):
            with EmbeddingClient(address) as client:
                client.wait_ready(60)
            with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as session:
                session.execute("CREATE DATABASE bench")
            with psycopg.connect(cluster.conninfo("bench"), autocommit=True) as session:
                migrate(session)
                write_setting(session, "sidecar_address", address)
            conninfo = cluster.conninfo("bench")
            loads = measure_loads(conninfo, [int(rows) for rows in asked.rows.split(",")], asked.repeats)
            environment = {**cluster.environment, "PGDATABASE": "bench", "PGDUET_SIDECAR": address}
            drain = measure_drain(conninfo, environment, asked.drain, asked.repeats) if asked.drain else {}
    RESULT.write_text(json.dumps({"goals": GOALS, "loads": loads, "drain": drain}, indent=2) + "\n")
    print(f"written to {RESULT.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
