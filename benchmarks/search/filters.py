"""Filtered search: real languages, repos and paths whose share of the rows is nearest to what is asked for."""

import math
import re
from collections import Counter
from typing import Any

import numpy as np
from data import Documents, Questions, Truth
from server import Connection
from talking import Filter, ranked, recall_of, set_mode

SHARES = (0.005, 0.01, 0.1, 0.5)
_QUESTIONS = 100
# So many rows of so many questions: deeper than one answer, and more than the rarest filters match.
_DEEP, _DEEP_QUESTIONS = 1000, 10


def measure_filters(session: Connection, documents: Documents, questions: Questions) -> list[dict[str, Any]]:
    """Return a line for each kind of filter and share: rows returned, recall and times."""
    set_mode(session, "auto")
    lines = []
    for kind in ("language", "repo", "path_like"):
        shares = _shares(documents, kind)
        for wanted in SHARES:
            value = min(shares, key=lambda each: abs(math.log(shares[each] / wanted)))
            lines.append(_measure(session, documents, questions, kind, value) | {"wanted_share": wanted})
    return lines


def _measure(session: Connection, documents: Documents, questions: Questions, kind: str, value: str) -> dict[str, Any]:
    truth = Truth(questions, documents, np.array([_matches(row, kind, value) for row in documents.rows]))
    by = Filter(**{kind: value})
    heard = recall_of(session, truth, _QUESTIONS, by)
    full = all(count == truth.wanted for count in heard.counts) and all(
        len(ranked(session, questions, number, _DEEP, by)) == min(_DEEP, truth.matching)
        for number in range(_DEEP_QUESTIONS)
    )
    return {
        "filter": kind,
        "value": value,
        "share": truth.matching / len(documents.rows),
        "matching": truth.matching,
        "full": full,
        "recall": heard.recall,
        "median_ms": heard.wall(0.5),
        "p95_ms": heard.wall(0.95),
        "cpu_ms": heard.cpu(),
    }


def _shares(documents: Documents, kind: str) -> dict[str, float]:
    """Return the candidates for a kind of filter with their share of the rows."""
    counts: Counter[str] = Counter()
    for row in documents.rows:
        if kind == "path_like":
            folders = row.path.split("/")[:-1]
            # Folders, and for the large shares all packages with one initial.
            counts.update("/".join(folders[: depth + 1]) + "/%" for depth in range(len(folders)))
            counts[row.path[0] + "%"] += 1
        else:
            counts[row.language if kind == "language" else row.repo] += 1
    return {
        value: count / len(documents.rows) for value, count in counts.items() if not re.fullmatch(r"|.*[\\_].*", value)
    }


def _matches(row: Any, kind: str, value: str) -> bool:
    if kind == "path_like":
        return bool(row.path.startswith(value[:-1]))
    return bool(getattr(row, kind) == value)
