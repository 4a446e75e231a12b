"""Search on real code chunks: pgduet beside pgvector's own indexes, numpy and FAISS, on the same vectors and questions.

Everything runs in a private PostgreSQL that is gone at the end. Vectors are computed once, by `small`, and kept in
~/.cache/pgduet (hours for the first run). Peers are asked in turn and one at a time: on a shared machine trust ratios
and processor time more than milliseconds.

    .venv/bin/python benchmarks/search [--large] [--rows 50000] [--only race filters growth ...]
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from clients import measure_clients
from corpus import cache_folder
from curve import measure_curve, point
from data import Documents, Questions, load
from extrapolation import extrapolate
from filters import measure_filters
from growth import measure_growth
from keeping import keep
from overhead import measure_overhead
from page import parts, write_page
from picture import draw_curve
from race import race
from ratios import ratios
from report import rounded, write
from server import REPOSITORY, analyse, connect, fill, install, machine, new_database, server, sidecar, table_bytes
from sketch_quality import measure_sketches
from threadpoolctl import threadpool_limits

from pgduet.local.cluster import Cluster

# What each part leaves in the result.
PARTS = {
    "race": "peers",
    "filters": "filters",
    "clients": "clients",
    "growth": "growth",
    "curve": "smaller",
    "overhead": "overhead",
    "sketches": "sketches",
}
_ROWS, _LARGE = 50_000, 200_000
# Everything that is read stays in memory: 8.2 kB a row in each of three halfvec indexes, and the vectors twice.
_BUFFERS, _LARGE_BUFFERS = "5GB", "12GB"


class Bench:
    """What the parts share, and what they have found."""

    def __init__(self, cluster: Cluster, buffers: str, documents: Documents, questions: dict[str, Questions]):
        self.cluster, self.documents, self.questions = cluster, documents, questions
        self.conninfo = new_database(cluster, "bench")
        self.session = connect(self.conninfo)
        self.result: dict[str, Any] = {"rows": len(documents.rows), "machine": machine(self.session, buffers)}
        fill(self.session, documents)
        analyse(self.session)
        self.result["table_bytes_per_row"] = table_bytes(self.session) / len(documents.rows)

    def race(self) -> None:
        """Compare all peers."""
        self.result["peers"], tuned = race(self.cluster, self.conninfo, self.documents, self.questions)
        self.result |= ratios(self.result["peers"]["nl"])
        self.result["whole"] = point(len(self.documents.rows), tuned)
        for peer in {each.peer for each in tuned}:
            peer.close()

    def filters(self) -> None:
        """Search with filters."""
        keep(self.session)
        self.result["filters"] = measure_filters(self.session, self.documents, self.questions["nl"])

    def clients(self) -> None:
        """Search with many clients during a rebuild; the tables hold copies afterwards."""
        keep(self.session)
        self.result["clients"] = measure_clients(self.conninfo, self.documents, self.questions["nl"])

    def growth(self) -> None:
        """Outgrow an index."""
        found = measure_growth(self.cluster, self.documents, self.questions["nl"])
        self.result |= {"growth": found, "recall_after_growth": found["after"]}

    def curve(self) -> None:
        """Measure smaller sizes."""
        self.result["smaller"] = measure_curve(self.cluster, self.documents, self.questions["nl"])

    def overhead(self) -> None:
        """Measure what our functions add."""
        self.result["overhead"] = measure_overhead(self.cluster, self.documents, self.questions["nl"])

    def sketches(self) -> None:
        """Count what the sketches miss."""
        self.result["sketches"] = measure_sketches(len(self.documents.rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help=f"{_LARGE:,} rows, into a file of its own")
    parser.add_argument("--rows", type=int, help="another number; the result goes beside the cached vectors")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some parts; the rest is kept from the last run")
    asked = parser.parse_args()
    # Ended from outside it clears up as well as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    rows = asked.rows or (_LARGE if asked.large else _ROWS)
    name = "search-large" if asked.large else "search"
    file = REPOSITORY / "benchmarks" / "results" / f"{name}.json"
    if asked.rows:
        file = cache_folder() / f"search-{rows}.json"
    result = run(rows, asked.only or list(PARTS), file)
    if "peers" not in result:
        print(f"no report yet: the race never ran with {rows:,} chunks")
        return
    report(result, file)
    print("\n\n".join(parts(name, result)))
    if lacking := [part for part, key in PARTS.items() if key not in result]:
        print(f"\nnever ran with {rows:,} chunks: {', '.join(lacking)}")
    if not asked.rows:
        publish(result, name)


def run(rows: int, wanted: list[str], file: Path) -> dict[str, Any]:
    """Run some parts; return their results with what the file has of others, and write them after each."""
    buffers = _LARGE_BUFFERS if rows > _ROWS else _BUFFERS
    known = json.loads(file.read_text()) if file.exists() else {}
    result = known if known.get("rows") == rows else {}
    began = time.monotonic()
    documents, questions = load(rows)
    with server(buffers) as (cluster, folder), sidecar(folder) as address, threadpool_limits(1):  # type: ignore[no-untyped-call]
        install(cluster, address)
        bench = Bench(cluster, buffers, documents, questions)
        for part in wanted:
            started = time.monotonic()
            print(f"{part} ...", flush=True)
            getattr(bench, part)()
            print(f"{part}: {time.monotonic() - started:.0f} s", flush=True)
            minutes = (time.monotonic() - began) / 60
            load_average = f"load average {os.getloadavg()[1]:.1f}"
            result |= rounded(bench.result) | {
                "run": f"{', '.join(wanted)} in {minutes:.0f} min, {load_average} at the end"
            }
            write(result, file)
    return result


def report(result: dict[str, Any], file: Path) -> None:
    """Work out what follows from the parts."""
    smaller = result.get("smaller") or json.loads(file.with_name("search.json").read_text())["curve"]
    result["curve"] = [*(each for each in smaller if each["rows"] < result["rows"]), result["whole"]]
    result["extrapolation"] = rounded(extrapolate(result))
    write(result, file)


def publish(result: dict[str, Any], name: str) -> None:
    """Write the page's tables and the picture."""
    docs = REPOSITORY / "docs"
    write_page(docs / "performance.md", name, result)
    draw_curve(result["curve"], docs / "pictures" / f"{name}-growth.png")


if __name__ == "__main__":
    main()
