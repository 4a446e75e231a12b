"""What a whole reconcile of a large table costs where nothing is missing, against one count of the same rows.

The table is filled without triggers and with one and the same vector, kept short by compression: a reconcile reads
ids, hashes and filter columns, never vectors. Ratios and medians count, the machine may be shared.

    .venv/bin/python benchmarks/reconcile.py [--rows 1000000] [--repeats 3]
"""

import argparse
import statistics
import time

from shared.cluster import Connection, keep, private_database

SLICE = 20_000
START = -(2**63)

FILL = (
    "SET session_replication_role = replica",
    "ALTER TABLE pgduet.code_embeddings_g1 ALTER COLUMN embedding SET STORAGE MAIN",
    "INSERT INTO pgduet.code_chunks (repo, path, language, content) SELECT 'repo' || g % 100, 'src/' || g || '.py',"
    " 'python', 'def f' || g || '(): return ' || repeat('x', 300) FROM generate_series(1, {rows}) g",
    "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path,"
    " language)"
    " SELECT c.chunk_id, 1, c.content_hash, v.e, v.s, c.repo, c.path, c.language FROM pgduet.code_chunks c,"
    " (SELECT array_fill(0.02, ARRAY[2560])::halfvec(2560) AS e, repeat('1', 2560)::bit(2560) AS s OFFSET 0) v",
    "VACUUM ANALYZE pgduet.code_chunks, pgduet.code_embeddings",
)
COUNT = "SELECT count(content_hash) FROM pgduet.code_chunks"


def seconds(session: Connection, query: str) -> float:
    started = time.perf_counter()
    session.execute(query)
    return time.perf_counter() - started


def slices(session: Connection) -> list[float]:
    """Walk the whole table; return the seconds of each slice."""
    after: int | None = START
    times = []
    while after is not None:
        started = time.perf_counter()
        row = session.execute("SELECT * FROM pgduet._reconcile_slice(%s, %s)", (after, SLICE)).fetchone()
        times.append(time.perf_counter() - started)
        assert row is not None
        if row[1:] != (0, 0):
            raise SystemExit(f"nothing was missing, yet the slice after {after} found {row}")
        after = row[0]
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    whole, counts, parts = [], [], []
    with private_database() as session:
        for statement in FILL:
            session.execute(statement.format(rows=asked.rows).encode())
        for _ in range(asked.repeats):
            counts.append(seconds(session, COUNT))
            times = slices(session)
            whole.append(sum(times))
            parts += times
    figures = {
        "rows": asked.rows,
        "reconcile_seconds": round(statistics.median(whole), 3),
        "count_seconds": round(statistics.median(counts), 3),
        "times_count": round(statistics.median(whole) / statistics.median(counts), 2),
        "slice_rows": SLICE,
        "slice_ms_median": round(statistics.median(parts) * 1000, 1),
        "slice_ms_longest": round(max(parts) * 1000, 1),
    }
    keep("reconcile", figures)


if __name__ == "__main__":
    main()
