"""Builds the peers: each in a table of its own, on which the planner can take but one index."""

import math
import time
from collections.abc import Iterator

from costs import MemoryWatch
from data import Documents
from keeping import keep
from peers import NO_BUILD, Build, FaissPeer, NumpyPeer, Peer, PgduetPeer, SqlPeer, ladder
from psycopg import sql
from server import Connection, connect, generation

# Enough for all; what a build really took is measured.
_MAINTENANCE = "3GB"
_HALFVEC = "SELECT id FROM {table} ORDER BY embedding <=> %(vector)s LIMIT 10"
_BITS = (
    "SELECT id FROM (SELECT id, embedding FROM {table} ORDER BY binary_quantize(embedding)::bit(2560)"
    " <~> binary_quantize(%(vector)s)::bit(2560) LIMIT %(depth)s) c ORDER BY embedding <=> %(vector)s LIMIT 10"
)
_OURS = (
    "SELECT ids FROM pgduet._scan({generation}, 'index', 'sketch', %(effort)s::integer, NULL, %(depth)s::bigint,"
    " %(vector)s, %(sketch)s, 10, NULL, NULL, NULL, true, NULL, NULL)"
)
_CALIBRATED = "SELECT ids FROM pgduet._ranked(%(vector)s, %(sketch)s, 10, NULL, NULL, NULL, true, NULL, NULL)"
DOCUMENTED = "halfvec IVFFLAT, as documented"
OURS = "pgduet, sketch IVFFLAT"
CALIBRATED = "pgduet, as calibrated"
EXACT = "halfvec exact, pgvector"
NUMPY = NumpyPeer.name
FAISS = FaissPeer.name
HNSW = ("halfvec HNSW", "bits HNSW + re-rank")


def documented_lists(rows: int) -> int:
    """Return the lists that pgvector's documentation advises: rows / 1000 up to a million rows."""
    return max(1, round(rows / 1000))


def contenders(conninfo: str, documents: Documents) -> Iterator[Peer]:
    """Build one peer after the other; ours comes first."""
    rows = len(documents.rows)
    best = round(2 * math.sqrt(rows))
    session = connect(conninfo)
    yield from ours(conninfo, session)
    yield plain_ivfflat(conninfo, "ivf_documented", DOCUMENTED, documented_lists(rows))
    yield plain_ivfflat(conninfo, "ivf_best", "halfvec IVFFLAT, 2 sqrt(rows) lists", best, low=1)
    yield _hnsw(conninfo, "hnsw_halfvec", HNSW[0], "embedding halfvec_cosine_ops", _HALFVEC, (0,))
    bits = "(binary_quantize(embedding)::bit(2560)) bit_hamming_ops"
    yield _hnsw(conninfo, "hnsw_bits", HNSW[1], bits, _BITS, (20, 50, 100, 200, 400))
    yield exact(conninfo)
    yield NumpyPeer(documents)
    yield FaissPeer(documents)
    session.close()


def ours(conninfo: str, session: Connection) -> Iterator[Peer]:
    """Let the keeper build its index; yield our search at settings of our choice, and as the keeper calibrated it."""
    with MemoryWatch(session.info.backend_pid) as memory:
        started = time.perf_counter()
        keep(session)
        seconds = time.perf_counter() - started
    number = generation(session)
    found = session.execute("SELECT index_name, lists FROM pgduet._search_index(%s)", (number,)).fetchone()
    assert found is not None
    size = _size(session, f"pgduet.{found[0]}")
    # The keeper calibrates as well; building alone is what the server's log of the build says.
    row = session.execute(
        "SELECT extract(epoch FROM finished_at - started_at)::float8 FROM pgduet._index_build WHERE index_name = %s",
        (found[0],),
    ).fetchone()
    build = Build(row[0] if row and row[0] else seconds, size, memory.megabytes, found[1])
    free = PgduetPeer(OURS, connect(conninfo), _OURS.format(generation=number), build=build)
    free.ladder, free.depths = ladder(4, found[1]), (50, 100, 200, 400)
    yield free
    yield calibrated(conninfo, build)


def calibrated(conninfo: str, build: Build = NO_BUILD) -> Peer:
    """Return our search as people get it, in the way and at the settings that it chooses."""
    return PgduetPeer(CALIBRATED, connect(conninfo), _CALIBRATED, build=build)


def exact(conninfo: str) -> Peer:
    """Return pgvector's scan of every vector."""
    session = connect(conninfo)
    _copy(session, "exact_halfvec")
    peer = SqlPeer(EXACT, session, _HALFVEC.format(table="exact_halfvec"))
    peer.every = 5
    return peer


def plain_ivfflat(conninfo: str, table: str, name: str, lists: int, low: int = 0) -> Peer:
    """Return a plain halfvec IVFFLAT, its probes raised from `low`, or from the documented sqrt(lists) on."""
    session = connect(conninfo)
    _copy(session, table)
    build = _index(session, table, sql.SQL("ivfflat (embedding halfvec_cosine_ops) WITH (lists = {})").format(lists))
    peer = SqlPeer(name, session, _HALFVEC.format(table=table), "ivfflat.probes", build)
    peer.build = Build(build.seconds, build.bytes, build.memory_mb, lists)
    peer.every = 2
    peer.ladder = ladder(low or min(lists, math.ceil(math.sqrt(lists))), lists)
    return peer


def _hnsw(conninfo: str, table: str, name: str, target: str, statement: str, depths: tuple[int, ...]) -> Peer:
    session = connect(conninfo)
    _copy(session, table)
    build = _index(session, table, sql.SQL(f"hnsw ({target}) WITH (m = 16, ef_construction = 64)"))
    peer = SqlPeer(name, session, statement.format(table=table), "hnsw.ef_search", build)
    peer.ladder, peer.depths = ladder(10, 1000), depths
    return peer


def _copy(session: Connection, table: str) -> None:
    name = sql.Identifier(table)
    session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
    select = "CREATE TABLE {} AS SELECT chunk_id AS id, embedding FROM pgduet.code_embeddings ORDER BY chunk_id"
    session.execute(sql.SQL(select).format(name))
    session.execute(sql.SQL("VACUUM (ANALYZE) {}").format(name))


def _index(session: Connection, table: str, method: sql.Composable) -> Build:
    session.execute(f"SET maintenance_work_mem = '{_MAINTENANCE}'")
    with MemoryWatch(session.info.backend_pid) as memory:
        started = time.perf_counter()
        session.execute(
            sql.SQL("CREATE INDEX {} ON {} USING ").format(sql.Identifier(f"{table}_index"), sql.Identifier(table))
            + method
        )
        seconds = time.perf_counter() - started
    return Build(seconds, _size(session, f"{table}_index"), memory.megabytes)


def _size(session: Connection, index: str) -> int:
    row = session.execute("SELECT pg_relation_size(%s::regclass)", (index,)).fetchone()
    assert row is not None
    return int(row[0])
