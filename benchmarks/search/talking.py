"""Our search through its whole SQL path without the model call: pgduet._ranked, as similar_code calls it."""

import time
from dataclasses import dataclass, field

import numpy as np
from costs import cpu_seconds
from data import Ids, K, Questions, Truth
from server import Connection, halfs_of

from pgduet.database.vectors import Bits

_RANKED = (
    "SELECT ids FROM pgduet._ranked(%(vector)s, %(sketch)s, %(k)s::integer, %(language)s::text, %(repo)s::text,"
    " %(path_like)s::text, true, NULL, NULL)"
)


@dataclass
class Filter:
    """What similar_code takes as filters."""

    language: str | None = None
    repo: str | None = None
    path_like: str | None = None


@dataclass
class Heard:
    """Times in milliseconds, the recall, and the rows of every answer."""

    recall: float = 0.0
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def wall(self, share: float) -> float:
        """Return a quantile of the times."""
        return float(np.quantile(self.walls, share))

    def cpu(self) -> float:
        """Return the median of the processor times."""
        return float(np.median(self.cpus))


def set_mode(session: Connection, mode: str) -> None:
    """Force a way of searching for the session: auto, exact or index."""
    session.execute(f"SET pgduet.search_mode = '{mode}'")


def ranked(session: Connection, questions: Questions, number: int, k: int = K, by: Filter | None = None) -> Ids:
    """Return the ids that our search finds for one question."""
    by = by or Filter()
    values = {
        "vector": halfs_of(questions.vectors[number]),
        "sketch": Bits(questions.sketches[number].tobytes()),
        "k": k,
        "language": by.language,
        "repo": by.repo,
        "path_like": by.path_like,
    }
    row = session.execute(_RANKED, values, prepare=True, binary=True).fetchone()
    return (row and row[0]) or []


def recall_of(session: Connection, truth: Truth, asked: int, by: Filter | None = None) -> Heard:
    """Ask so many questions; return recall and times."""
    heard, found = Heard(), {}
    for number in range(min(asked, len(truth.questions))):
        cpu = cpu_seconds(session.info.backend_pid)
        started = time.perf_counter()
        found[number] = ranked(session, truth.questions, number, by=by)
        heard.walls.append((time.perf_counter() - started) * 1000)
        heard.cpus.append((cpu_seconds(session.info.backend_pid) - cpu) * 1000)
        heard.counts.append(len(found[number]))
    heard.recall = truth.recall(found)
    return heard
