"""The held-out triplets of the table as a test of search."""

from collections import defaultdict

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries
from pgduet.training.data import Benchmark, Corpus, Query
from pgduet.training.errors import DataError

_SOURCE = "held-out triplets"


def read_held_out(connection: Connection) -> Benchmark:
    """Read the test side of the last mining run: its anchors are the queries, its other texts the documents.

    An anchor that stands in several triplets is one query. A chunk may stand there twice, with its description (as what
    is like another chunk) and without (as what a description means): both answer, where the chunk is a positive. Where
    an anchor is a chunk itself, that chunk is not ranked for it. Raises DataError where nothing is held out, and
    DatabaseError.
    """
    with readable_errors():
        triplets = connection.execute(load_queries("held_out", "pgduet.training")["triplets"]).fetchall()
    if not triplets:
        raise DataError(
            "no triplet is held out for testing",
            hint="run `pgduet mine`; where its test side stays empty, ingest more repositories or files first",
        )
    rows: dict[str, int] = {}
    of_chunk: dict[int, set[int]] = defaultdict(set)
    for _, positive, negative, _, positive_chunk, negative_chunk in triplets:
        for text, chunk in ((positive, positive_chunk), (negative, negative_chunk)):
            of_chunk[chunk].add(rows.setdefault(text, len(rows)))
    answers: dict[str, set[int]] = defaultdict(set)
    own: dict[str, set[int]] = defaultdict(set)
    for anchor, _, _, anchor_chunk, positive_chunk, _ in triplets:
        answers[anchor] |= of_chunk[positive_chunk]
        # Also under the id of a copy.
        own[anchor] |= of_chunk.get(anchor_chunk, set()) | ({rows[anchor]} if anchor in rows else set())
    queries = [
        Query(anchor, tuple(sorted(found)), f"the anchor {anchor[:40]!r}", tuple(sorted(own[anchor] - found)))
        for anchor, found in answers.items()
    ]
    return Benchmark(_SOURCE, queries, Corpus(list(rows), {row: row for row in rows.values()}))
