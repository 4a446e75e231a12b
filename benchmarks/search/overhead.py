"""What a search costs beside its statement: pgduet._ranked on a hundred rows against the statement it runs."""

import re
import time
from typing import Any

import numpy as np
from data import Documents, Questions
from server import Connection, analyse, connect, fill, generation, halfs_of, new_database
from talking import ranked

from pgduet.database.vectors import Bits
from pgduet.local.cluster import Cluster

ROWS = 100
_CALLS = 500
_WARM = 20
# Of the statement's parameters, in their order.
_TYPES = ("halfvec", "bit(2560)", "text", "text", "text", "bigint", "bytea[]")


def measure_overhead(cluster: Cluster, documents: Documents, questions: Questions) -> dict[str, Any]:
    """Return medians in milliseconds of the function, of its statement alone, and of the difference."""
    conninfo = new_database(cluster, "overhead")
    with connect(conninfo) as session:
        fill(session, documents.first(ROWS))
        analyse(session)
        number = generation(session)
        plan = session.execute(
            "SELECT way, depth FROM pgduet._search_plan(%s, NULL, NULL, NULL, 10)", (number,)
        ).fetchone()
        assert plan is not None
        row = session.execute(
            "SELECT pgduet._search_statement(%s, %s, NULL, %s, false)", (number, plan[0], plan[1])
        ).fetchone()
        assert row is not None
        bare = re.sub(r"\$(\d)", lambda found: f"%(p{found[1]})s::{_TYPES[int(found[1]) - 1]}", row[0])
        pairs = [_pair(session, bare, questions, turn % len(questions)) for turn in range(_CALLS + _WARM)][_WARM:]
    whole, alone = (float(np.median(part)) for part in zip(*pairs, strict=True))
    return {"rows": ROWS, "ranked_ms": whole, "statement_ms": alone, "overhead_ms": whole - alone}


def _pair(session: Connection, bare: str, questions: Questions, number: int) -> tuple[float, float]:
    values: dict[str, object] = {f"p{place}": None for place in range(1, len(_TYPES) + 1)}
    values |= {"p1": halfs_of(questions.vectors[number]), "p2": Bits(questions.sketches[number].tobytes())}
    started = time.perf_counter()
    ranked(session, questions, number)
    middle = time.perf_counter()
    session.execute(bare, values, prepare=True, binary=True).fetchall()
    return (middle - started) * 1000, (time.perf_counter() - middle) * 1000
