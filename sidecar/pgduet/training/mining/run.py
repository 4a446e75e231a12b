"""One run of mining, from chunks to triplets."""

import time
from collections.abc import Sequence

import numpy as np

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.training.errors import DataError
from pgduet.training.mining import nearest, sides, thresholds
from pgduet.training.mining.copies import clusters
from pgduet.training.mining.nearest import Near
from pgduet.training.mining.negatives import Negatives
from pgduet.training.mining.options import SIDES, Options, Progress, silent
from pgduet.training.mining.positives import Pair, Positives, distinct
from pgduet.training.mining.report import Report
from pgduet.training.mining.storing import Mined, write
from pgduet.training.mining.table import Chunk, Floats, Table, queries

# A name that more chunks have (main, setup, __init__) says nothing of what they do.
_COMMON_SYMBOL = 20
_RANDOM_PAIRS = 3_000


def mine(connection: Connection, options: Options | None = None, report: Progress = silent) -> Report:
    """Mine triplets from the chunks of the table and their stored vectors, and put them in the place of the last ones.

    All is one transaction on one snapshot: an interrupted run leaves nothing, and chunks may change meanwhile. No model
    is called. Memory: 1 kB for each chunk looked at, in small tables 15 kB. Raises TooFewError where the table does not
    give enough, DataError where another run is at it, DatabaseError with the server's message and hint. The connection
    has no transaction open.
    """
    options = options or Options()
    start = time.monotonic()
    with readable_errors(), connection.transaction():
        connection.execute(queries()["snapshot"])
        table = _table(connection)
        wanted = thresholds.Wanted(*_settings(connection))
        found, mined, chunks = _find(table, options, wanted, report)
        found.seconds = round(time.monotonic() - start, 1)
        found.require(options.least)
        if not options.dry_run:
            found.mining_id = write(table, mined, chunks, wanted, options, found, report)
    return found


def _table(connection: Connection) -> Table:
    ((free,),) = connection.execute(queries()["lock"]).fetchall()
    if not free:
        raise DataError("another run is mining in this database", hint="wait until it is done")
    row = connection.execute(queries()["generation"]).fetchone()
    if row is None:
        raise DataError("no generation is active", hint="promote one: SELECT pgduet.promote(...)")
    return Table(connection, row[0])


def _settings(connection: Connection) -> tuple[float, float]:
    settings: dict[str, float] = dict(connection.execute(queries()["settings"]).fetchall())
    return settings["mining_positive"], settings["mining_negative"]


def _find(
    table: Table, options: Options, wanted: thresholds.Wanted, report: Progress
) -> tuple[Report, list[Mined], list[Chunk]]:
    found = Report(table.generation_id, *table.counts())
    sample = table.sample(options.most, options.seed)
    chunks = list(table.chunks(sample, "reading chunks", report))
    found.looked_at = count = len(chunks)
    namesakes = table.namesakes([chunk.chunk_id for chunk in chunks], _COMMON_SYMBOL)
    if found.embedded <= min(nearest.SMALL, options.most):
        near = nearest.measured(table, chunks, report)
        named = _near(table, chunks, namesakes, report)
    else:
        pairs = nearest.searched(table, [chunk.chunk_id for chunk in chunks], report)
        near = _near(table, chunks, pairs, report)
        named = _near(table, chunks, namesakes, report)
    chosen = thresholds.choose(wanted, _random_cosines(table, chunks[:count], options), _first(near).cosines.halves)
    cluster = clusters(chunks)
    split = sides.split(chunks, cluster)
    positives = Positives(chunks, split.sides, chosen, found.rejected)
    anchors = positives.anchors(count)
    pairs_found: list[Pair] = [
        *positives.of_docstrings(anchors),
        *positives.of_pairs("symbol", anchors, named),
        *positives.of_pairs("cosine", anchors, near),
    ]
    pairs_found = list(distinct(iter(pairs_found)))
    negatives = Negatives(chunks, cluster, split.sides, chosen, found.rejected)
    hard = negatives.hard(pairs_found, near, options.hard)
    drawn = negatives.drawn(pairs_found, hard, table, options)
    mined = []
    for pair, some, others in zip(pairs_found, hard, drawn, strict=True):
        side = split.sides[pair.anchor]
        assert side is not None
        if some or others:
            mined.append(Mined(pair, some + others, side))
        else:
            found.rejected["pair without a negative"] += 1
    found.thresholds = tuple(chosen)
    found.split_by, found.groups, found.joined, found.left_out = split.by, split.groups, split.joined, split.left_out
    _count(found, mined)
    return found, mined, chunks


def _near(table: Table, chunks: list[Chunk], pairs: Sequence[tuple[int, int]], report: Progress) -> Near:
    """Turn pairs of ids into pairs of rows with their cosines; chunks not yet looked at are read and added."""
    rows = {chunk.chunk_id: row for row, chunk in enumerate(chunks)}
    new = sorted({other for _, other in pairs} - rows.keys())
    for chunk in table.chunks(new, "reading neighbours", report):
        rows[chunk.chunk_id] = len(chunks)
        chunks.append(chunk)
    kept = [(one, other) for one, other in pairs if one in rows and other in rows]
    return Near(
        np.array([rows[one] for one, _ in kept], np.int64),
        np.array([rows[other] for _, other in kept], np.int64),
        table.cosines(kept),
    )


def _first(near: Near) -> Near:
    """Keep each chunk's nearest."""
    first = np.flatnonzero(np.diff(near.chunk, prepend=-1))
    cosines = type(near.cosines)(near.cosines.whole[first], near.cosines.halves[first])
    return Near(near.chunk[first], near.neighbour[first], cosines)


def _random_cosines(table: Table, chunks: Sequence[Chunk], options: Options) -> Floats:
    """Measure random pairs of chunks with different code, [n, 2]."""
    if not chunks:
        return np.empty((0, 2))
    drawn = np.random.default_rng([options.seed, 0]).integers(0, len(chunks), (_RANDOM_PAIRS, 2))
    pairs = [(chunks[one], chunks[other]) for one, other in drawn.tolist()]
    different = [(a.chunk_id, b.chunk_id) for a, b in pairs if a.likeness.plain != b.likeness.plain]
    return table.cosines(different).halves


def _count(found: Report, mined: Sequence[Mined]) -> None:
    for kind in ("docstring", "symbol", "cosine"):
        found.triplets[kind] = dict.fromkeys(SIDES, 0)
    for one in mined:
        found.triplets[one.pair.kind][one.side] += 1
        found.negatives.update(negative.kind for negative in one.negatives)
