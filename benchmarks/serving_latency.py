"""How long one query waits through SQL while bulk saturates the sidecar, and what single texts from many clients cost.

The real sidecar with `small`, its cache off; a query is a warm `SELECT pgduet.embed(...)` of a text that is new.
A slice is what one full batch takes: the longest that a query may have to wait for by design. Single texts from 64
clients and whole batches from one take turns in the same run.

    .venv/bin/python benchmarks/serving_latency.py [--queries 100] [--texts 320]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import environ
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from pgduet.client import EmbeddingClient, SidecarBusyError
from pgduet.database.settings import write_setting
from pgduet.encoding import Role
from pgduet.local.cluster import Cluster
from pgduet.local.server_python import ensure_server_python, server_python_path
from pgduet.local.state import state_folder
from pgduet.migrations.install import migrate

REPOSITORY = Path(__file__).resolve().parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "serving_latency.json"
_CLIENTS = 64
_BULK_CLIENTS, _BULK_TEXTS = 4, 64
_WORDS = ["def", "value", "return", "self", "retry", "socket", "(", ")", "for", "in", "queue", "None", "while"]


def texts(count: int, words: int, seed: int) -> list[str]:
    """Return texts that occur once in a run."""
    chosen = Random(seed)
    return [" ".join([f"t{seed}_{number}", *chosen.choices(_WORDS, k=words)]) for number in range(count)]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the sidecar without its cache."""
    address = f"unix:{folder}/sidecar.sock"
    settings = {
        "PGDUET_LISTEN": address,
        "PGDUET_SOCKET_MODE": "0666",
        "PGDUET_LOG_LEVEL": "warning",
        "PGDUET_CACHE_BYTES": "0",
    }
    process = subprocess.Popen([str(Path(sys.executable).with_name("pgduet")), "serve"], env={**environ, **settings})
    try:
        with EmbeddingClient(address) as client:
            client.wait_ready(600)
        yield address
    finally:
        process.terminate()
        process.wait()


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@contextmanager
def saturated(address: str) -> Iterator[None]:
    """Keep the documents' lane full while the block runs."""
    stop = threading.Event()

    def send(number: int) -> None:
        with EmbeddingClient(address, timeout=600) as client:
            batch = 0
            while not stop.is_set():
                batch += 1
                try:
                    client.embed("small", texts(_BULK_TEXTS, 70, 1_000_000 * (number + 1) + batch), Role.DOCUMENT)
                except SidecarBusyError:
                    stop.wait(0.2)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(_BULK_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def queries(session: "psycopg.Connection[Any]", count: int, seed: int) -> list[float]:
    """Return the seconds of queries through SQL, one after the other."""
    ask = "SELECT pgduet.embed(%s, 'query')"
    return [seconds(lambda text=text: session.execute(ask, (text,))) for text in texts(count, 8, seed)]  # type: ignore[misc]


def singles(address: str, some: Sequence[str]) -> float:
    """Return the seconds that 64 clients take for these texts, one at a time each."""
    with EmbeddingClient(address, timeout=600) as client, ThreadPoolExecutor(_CLIENTS) as pool:
        return seconds(lambda: list(pool.map(lambda text: client.embed("small", [text], Role.DOCUMENT), some)))


def batches(address: str, some: Sequence[str]) -> float:
    """Return the seconds that one client takes for the same in batches of 64."""
    with EmbeddingClient(address, timeout=600) as client:
        return seconds(
            lambda: [
                client.embed("small", some[start : start + _CLIENTS], Role.DOCUMENT)
                for start in range(0, len(some), _CLIENTS)
            ]
        )


def measure(conninfo: str, address: str, count: int, single_texts: int) -> dict[str, float]:
    """Return milliseconds and ratios."""
    with psycopg.connect(conninfo, autocommit=True) as session, EmbeddingClient(address, timeout=600) as client:
        queries(session, 10, 1)
        # About a thousand tokens for both encoders together, as PGDUET_BATCH_TOKENS says.
        slices = [seconds(lambda n=n: client.embed("small", texts(6, 70, 100 + n), Role.DOCUMENT)) for n in range(15)]  # type: ignore[misc]
        alone = queries(session, count, 2)
        with saturated(address):
            loaded = queries(session, count, 3)
    ratios, single, batch = [], [], []
    for turn in range(3):
        single.append(singles(address, texts(single_texts, 70, 10 + turn)))
        batch.append(batches(address, texts(single_texts, 70, 20 + turn)))
        ratios.append(batch[-1] / single[-1])
    p50, slice_ms = 1000 * statistics.median(alone), 1000 * statistics.median(slices)
    p99 = 1000 * statistics.quantiles(loaded, n=100)[98]
    return {
        "query_alone_p50_ms": p50,
        "slice_ms": slice_ms,
        "query_loaded_p50_ms": 1000 * statistics.median(loaded),
        "query_loaded_p99_ms": p99,
        "loaded_p99_to_goal": p99 / (3 * p50 + slice_ms),
        "singles_texts_per_second": single_texts / statistics.median(single),
        "batches_texts_per_second": single_texts / statistics.median(batch),
        "ratio_singles_to_batches": statistics.median(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--texts", type=int, default=320)
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
            result = measure(cluster.conninfo(), address, asked.queries, asked.texts)
    RESULT.write_text(json.dumps({key: round(value, 3) for key, value in result.items()}, indent=2) + "\n")
    for key, value in result.items():
        print(f"{key:28} {value:9.3f}")
    for what, met in (
        ("p99 under load at most 3 x p50 alone + a slice", result["loaded_p99_to_goal"] <= 1),
        ("64 clients at least 80 % of batches", result["ratio_singles_to_batches"] >= 0.8),
    ):
        print(f"goal: {what}: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
