"""What a worker counts and computes for the views of BI tools. Each call is one statement: a pooler may be between."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pgduet.database.connection import Connection
from pgduet.database.errors import readable_errors
from pgduet.database.queries import load_queries

COUNTED = ("coverage", "freshness", "generations", "duplicates")
_START: int = -(2**63)
_SLICE = 5_000
# Dimension and an unused number stand before the numbers (source: halfvec_send in pgvector).
_HEAD_BYTES = 4

Floats = npt.NDArray[np.float32]


class DueMap(NamedTuple):
    """Describe a generation that lacks points; `map_id` is None where a new map is needed in place of `newest`."""

    generation_id: int
    map_id: int | None
    newest: int | None
    rows: int
    changes: int


@dataclass(frozen=True)
class Fit:
    """Hold a map: axes [2, width] of length 1, the sample's means on them, and centres of clusters [n, width].

    `shown` is the share of the sample's variance that lies along the two axes, 0 to 1.
    """

    axes: Floats
    means: tuple[float, float]
    centres: Floats
    shown: float


class Snapshots:
    """Refresh what the views show, on one connection in autocommit mode. Every method raises DatabaseError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_due(self, name: str) -> bool:
        """Tell whether a snapshot is old enough to be made anew."""
        return bool(self._value("due", name=name))

    def count(self, name: str) -> bool:
        """Count one of COUNTED anew where it is due and nobody else does it; tell whether that was done."""
        return bool(self._value("refresh", name=name))

    def note(self, name: str, seconds: float) -> None:
        """Write down that a snapshot was made just now, in so many seconds."""
        self._value("note", name=name, seconds=seconds)

    def store_stages(
        self, sidecar: str, since: float, stages: Sequence[dict[str, Any]], slowest: Sequence[dict[str, Any]]
    ) -> None:
        """Replace what one sidecar told of its times; `since` in seconds since 1970."""
        values = {"stages": json.dumps(stages), "slowest": json.dumps(slowest)}
        self._value("stages", sidecar=sidecar, since=since, **values)

    def forget_sidecars(self, but: Sequence[str], seconds: float) -> None:
        """Drop what sidecars told that are no longer among these; the snapshot took so many seconds."""
        self._value("forget", sidecars=list(but), seconds=seconds)

    def due_maps(self) -> list[DueMap]:
        """Return the generations that lack points, the active one first."""
        return [DueMap(*row) for row in self._rows("map_due")]

    def sample(self, due: DueMap, most: int) -> Floats:
        """Draw about `most` vectors [n, width] of a generation."""
        with readable_errors(), self._connection.cursor(binary=True) as cursor:
            values = {"generation_id": due.generation_id, "most": most, "rows": due.rows}
            rows = cursor.execute(load_queries("snapshots")["map_sample"], values).fetchall()
        found = [np.frombuffer(vector, dtype=">f2", offset=_HEAD_BYTES) for (vector,) in rows]
        return np.array(found, dtype=np.float32)

    def begin_map(self, due: DueMap, fit: Fit) -> int | None:
        """Keep a new map without points; return its id, or None where another worker was first."""
        x_axis, y_axis = fit.axes.tolist()
        x_mean, y_mean = fit.means
        found = self._value(
            "map_begin",
            generation_id=due.generation_id,
            newest=due.newest,
            x_axis=x_axis,
            y_axis=y_axis,
            x_mean=x_mean,
            y_mean=y_mean,
            shown=fit.shown,
            rows=due.rows,
            centres=json.dumps(fit.centres.tolist()),
        )
        return None if found is None else int(found)

    def place_all(self, due: DueMap, map_id: int, stopped: Callable[[], bool]) -> bool:
        """Bring all points of a map up to date in slices, then show it; tell whether that came to its end."""
        after: int | None = _START
        while after is not None:
            ((after, busy),) = self._rows("map_slice", map_id=map_id, after=after, slice=_SLICE)
            if busy or stopped():
                return False
        return bool(self._value("map_finish", map_id=map_id, rows=due.rows, changes=due.changes))

    def _value(self, query: str, **values: Any) -> Any:
        return self._rows(query, **values)[0][0]

    def _rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with readable_errors():
            return self._connection.execute(load_queries("snapshots")[query], values).fetchall()
