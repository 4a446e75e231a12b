"""What is compared: one class for each way to search, all asked the same way."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from costs import cpu_seconds
from data import Documents, Ids, K, Questions
from server import Connection, halfs_of

from pgduet.database.vectors import Bits


@dataclass(frozen=True)
class Setting:
    """What trades time for recall: lists or elements looked through, and candidates that are measured exactly."""

    effort: int = 0
    depth: int = 0


@dataclass(frozen=True)
class Build:
    """What an index cost."""

    seconds: float = 0.0
    bytes: int = 0
    memory_mb: float = 0.0
    lists: int = 0


NO_BUILD = Build()


class Peer(ABC):
    """One way to search."""

    name: str
    build = NO_BUILD
    # Values of effort from the cheapest on; empty where there is nothing to set.
    ladder: Sequence[int] = ()
    depths: Sequence[int] = (0,)
    # A slow one is not asked in every round.
    every = 1

    def __init__(self) -> None:
        self.setting = Setting()

    def apply(self, setting: Setting) -> None:
        """Search with this setting from now on."""
        self.setting = setting

    @abstractmethod
    def search(self, questions: Questions, number: int) -> Ids:
        """Return the ids of the ten nearest."""

    @abstractmethod
    def cpu(self) -> float:
        """Return the processor seconds used by whoever does the work."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""


class SqlPeer(Peer):
    """A prepared statement with binary parameters over a session of its own."""

    def __init__(
        self, name: str, connection: Connection, statement: str, knob: str = "", build: Build = NO_BUILD
    ) -> None:
        super().__init__()
        self.name, self._connection, self._statement, self._knob, self.build = name, connection, statement, knob, build
        # Close to a scan in the planner's eyes, a scan is what it would take: slower still at these settings.
        connection.execute(f"SET enable_seqscan = {'off' if knob else 'on'}")

    def apply(self, setting: Setting) -> None:
        if setting != self.setting and self._knob:
            self._connection.execute(f"SET {self._knob} = {setting.effort}")
        super().apply(setting)

    def values(self, questions: Questions, number: int) -> dict[str, object]:
        """Return the statement's parameters."""
        return {
            "vector": halfs_of(questions.vectors[number]),
            "sketch": Bits(questions.sketches[number].tobytes()),
            "depth": self.setting.depth,
            "effort": self.setting.effort,
        }

    def search(self, questions: Questions, number: int) -> Ids:
        values = self.values(questions, number)
        rows = self._connection.execute(self._statement, values, prepare=True, binary=True).fetchall()
        return [row[0] for row in rows]

    def cpu(self) -> float:
        return cpu_seconds(self._connection.info.backend_pid)

    def close(self) -> None:
        self._connection.close()


class PgduetPeer(SqlPeer):
    """Our functions, which return all ids in one row."""

    def search(self, questions: Questions, number: int) -> Ids:
        found: list[int] = super().search(questions, number)[0]  # type: ignore[assignment]
        return found or []


class NumpyPeer(Peer):
    """One product of the matrix of all vectors with the question's."""

    name = "numpy exact, in process"

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._vectors = documents.vectors
        self.every = 5

    def search(self, questions: Questions, number: int) -> Ids:
        scores = self._vectors @ questions.vectors[number]
        best = np.argpartition(scores, -K)[-K:]
        return best[np.argsort(-scores[best])] + 1

    def cpu(self) -> float:
        return time.process_time()

    def close(self) -> None:
        del self._vectors


class FaissPeer(Peer):
    """IndexIVFFlat over inner products, in this process, one thread."""

    name = "FAISS IVFFlat, in process"

    def __init__(self, documents: Documents) -> None:
        import faiss

        super().__init__()
        faiss.omp_set_num_threads(1)
        rows, width = documents.vectors.shape
        lists = round(2 * math.sqrt(rows))
        started = time.perf_counter()
        self._index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
        # As many samples a list as pgvector takes.
        self._index.cp.max_points_per_centroid = 50
        self._index.train(documents.vectors)
        self._index.add(documents.vectors)
        seconds = time.perf_counter() - started
        self.build = Build(seconds, documents.vectors.nbytes + lists * width * 4 + rows * 8, 0, lists)
        self.ladder = ladder(1, lists)

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self._index.nprobe = setting.effort

    def search(self, questions: Questions, number: int) -> Ids:
        found: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = self._index.search(
            questions.vectors[number : number + 1], K
        )[1][0]
        return found[found >= 0] + 1

    def cpu(self) -> float:
        return time.process_time()

    def close(self) -> None:
        del self._index


def ladder(low: int, high: int) -> list[int]:
    """Return whole numbers from low to high, each a tenth above the last or one more."""
    steps = [low]
    while steps[-1] < high:
        steps.append(min(high, max(steps[-1] + 1, round(steps[-1] * 1.1))))
    return steps
