"""What a dashboard waits for on a large table: the snapshots of views for BI tools, against counting on the spot.

The table is filled without triggers and with one and the same vector, kept short by compression: none of these views
reads a vector. One row in ten has a copy in another repository, one in twenty waits, one in a thousand is given up.
Ratios and medians count, the machine may be shared.

    .venv/bin/python benchmarks/snapshots.py [--rows 1000000] [--repeats 5]
"""

import argparse
import statistics
import time
from typing import Any

from shared.cluster import Connection, keep, private_database

from pgduet.database.snapshots import COUNTED, Snapshots

FILL = (
    "SET session_replication_role = replica",
    "ALTER TABLE pgduet.code_embeddings_g1 ALTER COLUMN embedding SET STORAGE MAIN",
    "INSERT INTO pgduet.code_chunks (repo, path, language, content) SELECT 'repo' || g % 50, 'src/' || g,"
    " (ARRAY['c', 'go', 'python', 'rust', 'sql'])[1 + g % 5], 'def f' || g % ({rows} * 9 / 10 + 7) || repeat('x', 300)"
    " FROM generate_series(1, {rows}) g",
    "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path,"
    " language)"
    " SELECT c.chunk_id, 1, c.content_hash, v.e, v.s, c.repo, c.path, c.language FROM pgduet.code_chunks c,"
    " (SELECT array_fill(0.02, ARRAY[2560])::halfvec(2560) AS e, repeat('1', 2560)::bit(2560) AS s OFFSET 0) v"
    " WHERE c.chunk_id % 20 > 0 AND c.chunk_id % 1000 <> 1",
    "INSERT INTO pgduet._pending (chunk_id) SELECT 20 * g FROM generate_series(1, {rows} / 20) g",
    "INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)"
    " SELECT chunk_id, 1, content_hash, 'row_permanent', 'too long', 8 FROM pgduet.code_chunks"
    " WHERE chunk_id % 1000 = 1",
    "VACUUM ANALYZE pgduet.code_chunks, pgduet.code_embeddings, pgduet._pending, pgduet._dead_letter",
    "RESET session_replication_role",
)
# What a dashboard asks of a view, and the function that counts the same on the spot.
PAIRS = {
    "coverage_snapshot": ("SELECT repo, language, chunks, embedded, pending FROM {}", "_coverage_now()"),
    "freshness": ("SELECT repo, chunks, pending, failed, oldest_pending_at FROM {}", "_freshness_now()"),
    "generation_scores": ("SELECT vectors, chunks, lacking, failed FROM {}", "_generation_counts(1, true)"),
    "duplicates": ("SELECT repo_names, path, copies FROM {} ORDER BY copies DESC LIMIT 20", "_duplicates_now()"),
}


def milliseconds(session: Connection, query: str, repeats: int) -> tuple[float, int]:
    """Give the median time of a query with all its rows, after one that warms up, and the number of rows."""
    times, rows = [], 0
    for _ in range(repeats + 1):
        started = time.perf_counter()
        rows = len(session.execute(query.encode()).fetchall())
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:]), rows


def measure(session: Connection, repeats: int) -> dict[str, Any]:
    snapshots = Snapshots(session)
    refreshes = {}
    for name in COUNTED:
        started = time.perf_counter()
        if not snapshots.count(name):
            raise SystemExit(f"{name} was not due")
        refreshes[name] = round(time.perf_counter() - started, 2)
    views = {}
    for view, (query, live) in PAIRS.items():
        counted, rows = milliseconds(session, query.format(f"pgduet.{live}"), repeats)
        read, shown = milliseconds(session, query.format(f"pgduet.{view}"), repeats)
        if rows != shown:
            raise SystemExit(f"{view} shows {shown} rows, counting gives {rows}")
        ratio = round(counted / read)
        views[view] = {"rows": rows, "live_ms": round(counted, 1), "snapshot_ms": round(read, 2), "ratio": ratio}
    return {"refresh_seconds": refreshes, "views": views}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with private_database() as session:
        for statement in FILL:
            session.execute(statement.format(rows=asked.rows).encode())
        keep("snapshots", {"rows": asked.rows, "repeats": asked.repeats} | measure(session, asked.repeats))


if __name__ == "__main__":
    main()
