"""A library of 13,000 chunks with vectors like real ones, loaded once a run, and exact answers to compare with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pytest

from fix_database import Connection, Database, new_database
from fix_vectors import bits, halfvec, load_vectors, structured
from pgduet.local.cluster import Cluster

# More than the 10,000 below which a search never takes the index.
ROWS = 13_000
QUERIES = 16
# What is as near as the k-th nearest is as good: half precision moves a distance by less than this.
TIE = 1e-5
# Access method, column, operator class and options of each kind. Fewer lists than the keeper takes: it is the quicker.
KINDS = {
    "sketch": ("sketch_ivfflat", "ivfflat (sketch bit_hamming_ops) WITH (lists = 100)"),
    "halfvec": ("embedding_ivfflat", "ivfflat (embedding halfvec_cosine_ops) WITH (lists = 40)"),
    "hnsw": ("sketch_hnsw", "hnsw (sketch bit_hamming_ops)"),
}
RANKED = (
    "SELECT coalesce(ids, '{}'), coalesce(distances, '{}')"
    " FROM pgduet._ranked(%s::halfvec, %s::bit(2560), %s, %s, %s, %s, %s, NULL, NULL)"
)

Filter = tuple[str | None, str | None, str | None]
NO_FILTER: Filter = (None, None, None)


@dataclass(frozen=True)
class Library:
    """The database, queries that are not in it, and every query's distance to every chunk (ids count from 1)."""

    database: Database
    queries: npt.NDArray[np.float32]
    distances: npt.NDArray[np.float32]
    languages: npt.NDArray[np.str_]
    repos: npt.NDArray[np.str_]
    paths: npt.NDArray[np.str_]

    def recall(self, query: int, ids: Sequence[int], matching: npt.NDArray[np.bool_]) -> float:
        """Give the share of these ids that are among the nearest matching ones; ties count."""
        near = np.where(matching, self.distances[query], np.inf)
        limit = np.partition(near, len(ids) - 1)[len(ids) - 1]
        return float((near[np.array(ids) - 1] <= limit + TIE).mean())


def ranked(
    session: Connection, query: npt.NDArray[np.float32], k: int, by: Filter = NO_FILTER, distinct: bool = True
) -> tuple[list[int], list[float]]:
    """Search by a vector; give ids and distances."""
    row = session.execute(RANKED, (halfvec(query), bits(query), k, *by, distinct)).fetchone()
    assert row is not None
    return row[0], row[1]


@contextmanager
def built_index(session: Connection, kind: str, **found: int) -> Iterator[str]:
    """Build an index of a kind as the keeper does and drop it at the end; `found` is what a calibration found."""
    suffix, definition = KINDS[kind]
    name = f"code_embeddings_g1_{suffix}_1"
    session.execute("SET maintenance_work_mem = '256MB'")
    session.execute(f"CREATE INDEX {name} ON pgduet.code_embeddings_g1 USING {definition}")
    session.execute(
        "INSERT INTO pgduet._index_build"
        " (generation_id, index_name, kind, lists, rows_at_build, probes, ef_search, depth)"
        " SELECT 1, %s, %s, substring(%s from 'lists = ([0-9]+)')::integer, count(*), %s, %s, %s"
        " FROM pgduet.code_embeddings",
        (name, kind, definition, found.get("probes"), found.get("ef_search"), found.get("depth")),
    )
    session.execute("ANALYZE pgduet.code_embeddings_g1")
    try:
        yield name
    finally:
        session.execute(f"DROP INDEX IF EXISTS pgduet.{name}")
        session.execute("DELETE FROM pgduet._index_build WHERE index_name = %s", (name,))


@contextmanager
def plans(session: Connection) -> Iterator[list[str]]:
    """Collect the plans of all statements that run inside, those of functions too."""
    collected: list[str] = []

    def collect(diagnostic: psycopg.errors.Diagnostic) -> None:
        collected.append(diagnostic.message_primary or "")

    session.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
    session.execute("SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
    session.add_notice_handler(collect)
    try:
        yield collected
    finally:
        session.remove_notice_handler(collect)
        session.execute("RESET client_min_messages; SET auto_explain.log_min_duration = -1")


def search_plan(collected: Sequence[str]) -> str:
    """Give the plan of the statement that looks for candidates."""
    (plan,) = [text for text in collected if "array_agg(s.chunk_id)" in text]
    return plan


@pytest.fixture(scope="session")
def library(cluster: Cluster, template: str) -> Iterator[Library]:
    """Give the library; who changes it puts it back as it was."""
    with new_database(cluster, template) as database, database.connect() as session:
        vectors = structured(ROWS, seed=1)
        columns = _columns()
        languages, repos, paths = (column.tolist() for column in columns)
        load_vectors(session, vectors, languages=languages, repos=repos, paths=paths)
        session.execute("ANALYZE pgduet.code_embeddings_g1; ANALYZE pgduet.code_chunks")
        # One query in each of the topics 0, 2, 5, 7 ...: rare languages are asked for too.
        queries = structured(40 * 5, seed=2)[2::5][np.linspace(0, 39, QUERIES).astype(int)]
        yield Library(database, queries, _distances(queries, vectors), *columns)


def _columns() -> Any:
    """Give languages, repos and paths: a rare language has a topic of its own, repos and paths lie everywhere.

    Of the rows 0.5 % are zig, 10 % c, 87 % python; 1 % are of each repo but for `mine` with 208; half lie in lib/.
    """
    number = np.arange(ROWS)
    languages = np.where(number < ROWS // 200, "zig", np.where(number < ROWS // 40, "rust", "python"))
    languages[ROWS // 40 : ROWS // 8] = "c"
    repos = np.char.add("repo", (number * 7919 % 100).astype(str))
    repos[number * 7919 % ROWS < 208] = "mine"
    folders = np.where(number % 2 == 0, "lib/", "tests/")
    middle = np.char.add("pkg_", (number * 31 % 200).astype(str))
    paths = np.char.add(np.char.add(folders, middle), np.char.add(np.char.add("/file", number.astype(str)), ".py"))
    return languages, repos, paths


def _distances(queries: npt.NDArray[np.float32], vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give the cosine distances as pgvector has them: of vectors in half precision."""
    halves = [rows.astype(np.float16).astype(np.float32) for rows in (queries, vectors)]
    left, right = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in halves)
    return np.asarray(1 - left @ right.T, dtype=np.float32)
