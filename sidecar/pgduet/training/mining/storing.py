"""Triplets into the table and out of it."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, NamedTuple

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.training.mining.negatives import Negative
from pgduet.training.mining.options import Kind, Options, Progress, Side
from pgduet.training.mining.positives import Pair
from pgduet.training.mining.report import Report
from pgduet.training.mining.table import Chunk, Table, Text, queries
from pgduet.training.mining.thresholds import Wanted

_SLICE = 500
_FETCHED = 500


class Mined(NamedTuple):
    """Hold a pair with its negatives and its side, as rows of the chunks that were looked at."""

    pair: Pair
    negatives: list[Negative]
    side: Side


class Triplet(NamedTuple):
    """Hold the texts of one example: the anchor is nearer to the positive than to each of the negatives."""

    anchor: str
    positive: str
    negatives: tuple[str, ...]
    kind: Kind


def write(
    table: Table,
    mined: Sequence[Mined],
    chunks: Sequence[Chunk],
    wanted: Wanted,
    options: Options,
    found: Report,
    report: Progress,
) -> int:
    """Put triplets in the place of the last run's, and the run into the history; return its number.

    One slice of texts at a time is in memory. The caller's transaction makes it all or nothing.
    """
    connection = table.connection
    settings = asdict(options) | {"positive": wanted.positive, "negative": wanted.negative}
    values = {
        "generation_id": table.generation_id,
        "settings": json.dumps(settings),
        "report": json.dumps(found.as_json()),
    }
    ((mining_id,),) = connection.execute(queries()["run"], values).fetchall()
    connection.execute(queries()["new_rows"])
    for start in range(0, len(mined), _SLICE):
        report("writing", start, len(mined))
        part = mined[start : start + _SLICE]
        used = {row for one in part for row in (one.pair.anchor, one.pair.positive, *(n.row for n in one.negatives))}
        texts = table.texts(sorted(chunks[row].chunk_id for row in used))
        with connection.cursor() as cursor, cursor.copy(queries()["copy"]) as copy:
            for number, one in enumerate(part, start + 1):
                for row in _rows(one, chunks, texts):
                    copy.write_row((mining_id, number, *row))
    connection.execute(queries()["forget"])
    connection.execute(queries()["replace"])
    report("writing", len(mined), len(mined))
    return int(mining_id)


def read_triplets(connection: Connection, split: Side) -> Iterator[Triplet]:
    """Read the triplets of a side as the last run mined them, in order, through a cursor on the server.

    Chunks that were deleted since, or that the reader may not see, take their triplets along. Raises DatabaseError.
    """
    with readable_errors(), connection.transaction(), connection.cursor("pgduet_triplets") as cursor:
        cursor.itersize = _FETCHED
        cursor.execute(queries()["triplets"], {"split": split})
        for _, rows in groupby(cursor, key=lambda row: row[0]):
            same = list(rows)
            _, kind, anchor, positive, _ = same[0]
            yield Triplet(anchor, positive, tuple(row[4] for row in same), kind)


def _rows(one: Mined, chunks: Sequence[Chunk], texts: dict[int, Text]) -> Iterator[tuple[Any, ...]]:
    pair = one.pair
    anchor_id, positive_id = chunks[pair.anchor].chunk_id, chunks[pair.positive].chunk_id
    by_docstring = pair.kind == "docstring"
    anchor, positive = texts[anchor_id], texts[positive_id]
    if by_docstring:
        assert anchor.documented is not None
        first, second = anchor.documented
    else:
        first, second = anchor.content, positive.content
    for number, negative in enumerate(one.negatives, 1):
        negative_id = chunks[negative.row].chunk_id
        other = texts[negative_id]
        yield (
            number,
            one.side,
            pair.kind,
            first,
            second,
            other.code if by_docstring else other.content,
            negative.kind,
            anchor_id,
            positive_id,
            negative_id,
            *map(_number, pair.cosines),
            *map(_number, negative.cosines),
        )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
