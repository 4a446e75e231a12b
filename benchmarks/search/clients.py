"""Twenty clients search while rows are inserted, the index is built anew and the new one takes the old one's place."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from data import Documents, K, Questions
from keeping import keep
from server import connect, fill
from talking import ranked

CLIENTS = 20
_WARM_SECONDS = 3.0
_BATCH, _PAUSE = 20, 0.05


@dataclass
class _Seen:
    walls: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    short: int = 0
    inserted: int = 0


def measure_clients(conninfo: str, documents: Documents, questions: Questions) -> dict[str, Any]:
    """Return errors, short answers and times; `documents` grow by copies under new ids."""
    done, seen = threading.Event(), _Seen()
    threads = [threading.Thread(target=_search, args=(conninfo, questions, at, done, seen)) for at in range(CLIENTS)]
    threads.append(threading.Thread(target=_insert, args=(conninfo, documents, done, seen)))
    try:
        for thread in threads:
            thread.start()
        time.sleep(_WARM_SECONDS)
        started = time.perf_counter()
        with connect(conninfo) as session:
            said = keep(session, rebuild=True)
        seconds = time.perf_counter() - started
        time.sleep(_WARM_SECONDS)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    quantiles = {f"p{share}_ms": float(np.quantile(seen.walls, share / 100)) for share in (50, 95, 99)}
    return quantiles | {
        "clients": CLIENTS,
        "searches": len(seen.walls),
        "errors": len(seen.errors),
        "error": seen.errors[0] if seen.errors else None,
        "short_answers": seen.short,
        "rows_inserted": seen.inserted,
        "keeper_seconds": seconds,
        "keeper": said,
    }


def _search(conninfo: str, questions: Questions, first: int, done: threading.Event, seen: _Seen) -> None:
    number = first
    with connect(conninfo) as session:
        while not done.is_set():
            started = time.perf_counter()
            try:
                found = ranked(session, questions, number % len(questions))
            except psycopg.Error as error:
                seen.errors.append(str(error))
                continue
            seen.walls.append((time.perf_counter() - started) * 1000)
            seen.short += len(found) < K
            number += CLIENTS


def _insert(conninfo: str, documents: Documents, done: threading.Event, seen: _Seen) -> None:
    count = len(documents.rows)
    with connect(conninfo) as session:
        while not done.wait(_PAUSE):
            at = seen.inserted % (count - _BATCH)
            # The copies' ids follow the last one.
            fill(session, documents, range(at, at + _BATCH), shift=count + seen.inserted - at)
            seen.inserted += _BATCH
