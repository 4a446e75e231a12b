"""How much of everything chunks take: disk, and time and memory of the index's build; the table in docs/operations.md.

Chunks of 1 kB with synthetic unit vectors are copied in without triggers, and the index is built as the keeper does it.
Larger tables follow from that: space by what a row more took between the two largest sizes, memory by the keeper's own
rule, which ends at index_memory_mb, time by the distances that a build measures. Time is that of the processor, the
machine may be shared.

    .venv/bin/python benchmarks/capacity.py [--rows 10000 50000]
"""

import argparse
import hashlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from shared.cluster import REPOSITORY, Connection, keep, private_database

from pgduet.database.errors import DatabaseError
from pgduet.database.vectors import Bits, Halfs, register_vectors
from pgduet.encoding.sketch import Sketcher
from pgduet.migrations.keeper.build import build_index, drop_index
from pgduet.migrations.keeper.policy import Plan, State, plan_build
from pgduet.migrations.keeper.state import read_policy, read_states

PAGE = REPOSITORY / "docs" / "operations.md"
MARK = "<!-- capacity.json: written by benchmarks/capacity.py -->"
AHEAD = (1_000_000, 10_000_000)
WIDTH, SKETCH_BYTES, CONTENT = 2560, 320, 1000
# As in real vectors few dimensions count, and topics are clusters.
LATENT, TOPICS = 128, 40
BLOCK = 1000
# How often k-means goes about over its samples: benchmarks/search/extrapolation.py.
PASSES, SAMPLES = 13, 50
HEAD = (
    "| chunks | | chunks, 1 kB each | vectors | managed index | other indexes | database | best kept in memory"
    " | build: memory | build: time |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
SIZES = {
    "chunk_bytes": "SELECT pg_table_size('pgduet.code_chunks')",
    "vector_bytes": "SELECT pg_table_size('pgduet.code_embeddings_g1')",
    "index_bytes": "SELECT pg_relation_size('pgduet.{index}')",
    "other_index_bytes": "SELECT pg_indexes_size('pgduet.code_chunks') + pg_indexes_size('pgduet.code_embeddings_g1')"
    " - pg_relation_size('pgduet.{index}')",
    "database_bytes": "SELECT pg_database_size(current_database())",
}
CHUNKS = "COPY pgduet.code_chunks (chunk_id, repo, path, symbol, language, content) FROM STDIN (FORMAT binary)"
VECTORS = (
    "COPY pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo, path, language)"
    " FROM STDIN (FORMAT binary)"
)


class Source:
    """Draws chunks and their vectors, the same ones in every run."""

    def __init__(self) -> None:
        self._draw = np.random.default_rng(7)
        axes = np.linalg.qr(self._draw.standard_normal((WIDTH, LATENT)))[0].T.astype(np.float32)
        # Rotating is linear: the few axes are rotated once, which is faster than every vector.
        self._axes, self._rotated = axes, Sketcher(WIDTH, WIDTH).rotate(axes)
        self._topics = self._draw.standard_normal((TOPICS, LATENT))

    def block(self, count: int) -> list[tuple[str, Halfs, Bits]]:
        """Return content, vector and sketch of so many chunks."""
        latent = self._topics[self._draw.integers(0, TOPICS, count)] + self._draw.standard_normal((count, LATENT))
        latent = (latent / np.linalg.norm(latent, axis=1, keepdims=True)).astype(np.float32)
        halfs, bits = (latent @ self._axes).astype(">f2"), np.packbits(latent @ self._rotated > 0, axis=1)
        contents = (self._draw.bytes(CONTENT // 2).hex() for _ in range(count))
        rows = zip(contents, halfs, bits, strict=True)
        return [(content, Halfs(half.tobytes()), Bits(bit.tobytes())) for content, half, bit in rows]


def fill(session: Connection, source: Source, rows: range) -> None:
    """Add chunks with these ids, as if a worker had embedded them."""
    session.execute("SET session_replication_role = replica")
    for start in range(rows.start, rows.stop, BLOCK):
        ids = range(start, min(start + BLOCK, rows.stop))
        block = source.block(len(ids))
        with session.cursor().copy(CHUNKS) as copy:
            copy.set_types(["int8", "text", "text", "text", "text", "text"])
            for number, (content, _, _) in zip(ids, block, strict=True):
                copy.write_row((number, *_place(number), content))
        with session.cursor().copy(VECTORS) as copy:
            copy.set_types(["int8", "int4", "bytea", "halfvec", "bit", "text", "text", "text"])
            for number, (content, halfs, bits) in zip(ids, block, strict=True):
                repo, path, _, language = _place(number)
                digest = hashlib.sha256(content.encode()).digest()
                copy.write_row((number, 1, digest, halfs, bits, repo, path, language))
    session.execute("RESET session_replication_role")
    session.execute("VACUUM (ANALYZE) pgduet.code_chunks, pgduet.code_embeddings")


def measure(session: Connection, rows: int) -> dict[str, Any]:
    """Build the index over what is there, tell what all of it takes, and drop the index again."""
    (state,) = read_states(session)
    plan = plan_build(rows, read_policy(session))
    index, told, seconds = build(session, state, plan)
    found = {name: int(_one(session, query.format(index=index))) for name, query in SIZES.items()}
    drop_index(session, index)
    found["hot_bytes"] = rows * SKETCH_BYTES + found["index_bytes"]
    memory = {"memory_mb": plan.memory_mb, "memory_told_mb": told}
    return {"rows": rows, "measured": True, **found, "lists": plan.lists, **memory, "seconds": round(seconds, 1)}


def build(session: Connection, state: State, plan: Plan) -> tuple[str, int, float]:
    """Build the index with no more memory than PostgreSQL asks for; return its name, those MB and the seconds.

    A build that lacks memory ends at once and is told how much it needs, for its next step.
    """
    megabytes = 1
    while True:
        before = _processor_seconds(session)
        try:
            index = build_index(
                session, state, plan._replace(memory_mb=megabytes), most_mb=megabytes, reason="the benchmark"
            )
        except DatabaseError as error:
            told = re.search(r"memory required is (\d+) MB", str(error))
            if told is None or not megabytes < int(told[1]) <= plan.memory_mb:
                raise
            megabytes = int(told[1])
        else:
            return index, megabytes, _processor_seconds(session) - before


def extrapolate(session: Connection, smaller: dict[str, Any], larger: dict[str, Any], rows: int) -> dict[str, Any]:
    """Tell what so many rows would take."""
    plan = plan_build(rows, read_policy(session))
    more = (rows - larger["rows"]) / (larger["rows"] - smaller["rows"])
    sizes = {name: round(larger[name] + more * (larger[name] - smaller[name])) for name in (*SIZES, "hot_bytes")}
    seconds = larger["seconds"] * steps(rows, plan.lists or 1) / steps(larger["rows"], larger["lists"])
    memory = {"memory_mb": plan.memory_mb, "memory_told_mb": None}
    return {"rows": rows, "measured": False, **sizes, "lists": plan.lists, **memory, "seconds": round(seconds)}


def steps(rows: int, lists: int) -> int:
    """Count the distances that a build measures: passes over the samples, then every row once, to every list."""
    return (PASSES * min(rows, SAMPLES * lists) + rows) * lists


def table(lines: list[dict[str, Any]]) -> list[str]:
    """Write the table of the page."""
    return [*HEAD, *(f"| {' | '.join(_cells(line))} |" for line in lines)]


def write_page(lines: list[str]) -> None:
    """Replace what stands between the marks."""
    text = PAGE.read_text(encoding="utf-8")
    body = "\n".join([MARK, "", *lines, "", "<!-- end -->"])
    PAGE.write_text(re.sub(re.escape(MARK) + r"\n.*?<!-- end -->", lambda _: body, text, flags=re.DOTALL), "utf-8")


def _cells(line: dict[str, Any]) -> list[str]:
    sizes = [_size(line[name]) for name in (*SIZES, "hot_bytes")]
    build = [_size(line["memory_mb"] * 1e6), _time(line["seconds"])]
    return [f"{line['rows']:,}", "measured" if line["measured"] else "derived", *sizes, *build]


def _size(count: float) -> str:
    if count < 1e9:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.1f} GB" if count < 1e10 else f"{count / 1e9:.0f} GB"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _place(number: int) -> tuple[str, str, str, str]:
    return f"repo{number % 50}", f"src/part{number // 20}.py", f"function_{number}", "python"


def _one(session: Connection, query: str) -> Any:
    row = session.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _processor_seconds(session: Connection) -> float:
    """Return the processor time that the server's process of this session has taken (source: proc(5), stat)."""
    fields = Path(f"/proc/{session.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs=2, default=[10_000, 50_000], metavar=("SMALLER", "LARGER"))
    sizes = sorted(parser.parse_args().rows)
    if sizes[0] < BLOCK or sizes[0] == sizes[1]:
        parser.error(f"--rows takes two different numbers from {BLOCK:,} on: larger tables are derived from both")
    with private_database() as session:
        register_vectors(session)
        # All of a build is then in one process, whose time is known.
        session.execute("SET max_parallel_maintenance_workers = 0")
        source, there, lines = Source(), 0, []
        for rows in sizes:
            fill(session, source, range(there + 1, rows + 1))
            there = rows
            lines.append(measure(session, rows))
        lines += [extrapolate(session, lines[0], lines[1], rows) for rows in AHEAD]
        version = _one(session, "SELECT current_setting('server_version')").split()[0]
    keep("capacity", {"server": f"PostgreSQL {version}", "lines": lines})
    print("\n".join(table(lines)))
    write_page(table(lines))


if __name__ == "__main__":
    main()
