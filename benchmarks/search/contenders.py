"""Builds the peers: each in a table of its own, on which the planner can take but one index."""

import math
import time
from collections.abc import Iterator

from costs import MemoryWatch
from data import Documents
from keeping import keep
from peers import NO_BUILD, Build, FaissPeer, NumpyPeer, Peer, PgduetPeer, SqlPeer, ladder
from psycopg import sql
from server import Connection, analyse, connect, fill, generation, new_database

from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster

# Enough for all; what a build really took is measured.
_MAINTENANCE = "3GB"
_HALFVEC = "SELECT id FROM {table} ORDER BY embedding <=> %(vector)s LIMIT 10"
_BITS = (
    "SELECT id FROM (SELECT id, embedding FROM {table} ORDER BY binary_quantize(embedding)::bit(2560)"
    " <~> binary_quantize(%(vector)s)::bit(2560) LIMIT %(depth)s) c ORDER BY embedding <=> %(vector)s LIMIT 10"
)
_OURS = (
    "SELECT ids FROM pgduet._scan({generation}, 'index', '{kind}', %(effort)s::integer, %(effort)s::integer,"
    " %(depth)s::bigint, %(vector)s, %(sketch)s, 10, NULL, NULL, NULL, true, NULL, NULL)"
)
# The keeper calibrates as well; this is what building alone took.
_BUILT = (
    "SELECT i.index_name, coalesce(i.lists, 0), extract(epoch FROM b.finished_at - b.started_at)::float8"
    " FROM pgduet._search_index(%s) i JOIN pgduet._index_build b ON b.index_name = i.index_name"
)
_CALIBRATED = "SELECT ids FROM pgduet._ranked(%(vector)s, %(sketch)s, 10, NULL, NULL, NULL, true, NULL, NULL)"
DOCUMENTED = "halfvec IVFFLAT, as documented"
OURS = "pgduet, sketch IVFFLAT"
OURS_GRAPH = "pgduet, sketch HNSW"
CALIBRATED = "pgduet, as calibrated"
EXACT = "halfvec exact, pgvector"
NUMPY = NumpyPeer.name
FAISS = FaissPeer.name
HNSW = ("halfvec HNSW", "bits HNSW + re-rank")


def documented_lists(rows: int) -> int:
    """Return the lists that pgvector's documentation advises: rows / 1000 up to a million rows."""
    return max(1, round(rows / 1000))


def contenders(cluster: Cluster, conninfo: str, documents: Documents) -> Iterator[Peer]:
    """Build one peer after the other; ours come first."""
    rows = len(documents.rows)
    best = round(2 * math.sqrt(rows))
    yield from ours(conninfo, OURS, "sketch")
    graph = new_database(cluster, "graph")
    with connect(graph) as session:
        fill(session, documents)
        analyse(session)
        write_setting(session, "index_kind", "hnsw")
    yield next(ours(graph, OURS_GRAPH, "hnsw"))
    yield plain_ivfflat(conninfo, "ivf_documented", DOCUMENTED, documented_lists(rows))
    yield plain_ivfflat(conninfo, "ivf_best", "halfvec IVFFLAT, 2 sqrt(rows) lists", best, low=1)
    yield _hnsw(conninfo, "hnsw_halfvec", HNSW[0], "embedding halfvec_cosine_ops", _HALFVEC, (0,))
    bits = "(binary_quantize(embedding)::bit(2560)) bit_hamming_ops"
    yield _hnsw(conninfo, "hnsw_bits", HNSW[1], bits, _BITS, (20, 50, 100, 200, 400))
    yield exact(conninfo)
    yield NumpyPeer(documents)
    yield FaissPeer(documents)


def ours(conninfo: str, name: str, kind: str) -> Iterator[Peer]:
    """Let the keeper build its index; yield our search at settings of our choice, and as the keeper calibrated it."""
    with connect(conninfo) as session, MemoryWatch(session.info.backend_pid) as memory:
        keep(session)
        number = generation(session)
        row = session.execute(_BUILT, (number,)).fetchone()
        assert row is not None
        build = Build(row[2], _size(session, f"pgduet.{row[0]}"), memory.megabytes, row[1])
    peer = PgduetPeer(name, connect(conninfo), _OURS.format(generation=number, kind=kind), build=build)
    if kind == "sketch":
        peer.ladder, peer.depths = ladder(4, build.lists), (50, 100, 200, 400)
    else:
        peer.ladder, peer.depths = ladder(20, 1000), (50, 100, 200)
    yield peer
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
