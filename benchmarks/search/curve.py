"""The growth curve: one database that grows, its index kept by the keeper, beside exact and plain IVFFLAT search."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from contenders import CALIBRATED, DOCUMENTED, EXACT, calibrated, documented_lists, exact, plain_ivfflat
from data import Documents, Questions, Truth
from keeping import keep
from peers import Peer
from server import analyse, connect, fill, new_database
from tuning import Tuned, Tuner, settle

from pgduet.local.cluster import Cluster

SIZES = (1_000, 10_000, 50_000, 200_000)
TARGET = 0.95
_ROUNDS = 100


def measure_curve(cluster: Cluster, documents: Documents, questions: Questions) -> list[dict[str, Any]]:
    """Return a line for each size below the whole: what `point` says of it."""
    conninfo = new_database(cluster, "curve")
    lines: list[dict[str, Any]] = []
    filled = 0
    with connect(conninfo) as session:
        for size in (each for each in SIZES if each < len(documents.rows)):
            part = documents.first(size)
            fill(session, part, range(filled, size))
            filled = size
            analyse(session)
            keep(session)
            truth = Truth(questions, part)
            tuned = [Tuner(peer, truth).smallest(TARGET) for peer in _peers(conninfo, size)]
            settle(tuned, truth, _ROUNDS)
            for each in tuned:
                each.peer.close()
            lines.append(point(size, tuned))
    return lines


def _peers(conninfo: str, rows: int) -> Iterator[Peer]:
    yield calibrated(conninfo)
    yield plain_ivfflat(conninfo, "ivf_documented", DOCUMENTED, documented_lists(rows))
    yield exact(conninfo)


def point(rows: int, tuned: list[Tuned]) -> dict[str, Any]:
    """Return the curve's numbers of one size: median and p95 in milliseconds, processor time, recall of each peer."""
    names = {CALIBRATED: "pgduet", DOCUMENTED: "halfvec_ivfflat", EXACT: "halfvec_exact"}
    line: dict[str, Any] = {"rows": rows}
    for each in tuned:
        if each.peer.name in names and each.target == TARGET:
            line[names[each.peer.name]] = {
                "median_ms": float(np.median(each.walls)),
                "p95_ms": float(np.quantile(each.walls, 0.95)),
                "cpu_ms": float(np.median(each.cpus)),
                "recall": each.recall,
            }
    return line
