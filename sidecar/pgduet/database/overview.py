"""How queue, workers, indexes and fine-tuning stand, as people look at them."""

from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pgduet.database.asking import ask
from pgduet.database.connection import Connection
from pgduet.database.queries import load_queries


class Health(NamedTuple):
    """Say how one part is: `status` ok, warn or fail; `advice` None where nothing is to do."""

    part: str
    status: str
    detail: str
    advice: str | None


class QueueState(NamedTuple):
    """Count the chunks without a current vector that are in one state."""

    state: str
    meaning: str
    chunks: int
    oldest_seconds: float | None
    next_attempt_at: datetime | None
    last_error: str | None


class Failure(NamedTuple):
    """Describe a chunk that failed: given up, or to be tried again."""

    chunk_id: int
    repo: str | None
    path: str | None
    symbol: str | None
    state: str
    error_class: str | None
    error: str | None
    attempts: int
    failed_at: datetime | None
    next_attempt_at: datetime | None


class WorkerState(NamedTuple):
    """Describe one worker process; times in seconds since it was last heard of."""

    worker: str
    host: str
    pid: int
    version: str
    state: str
    detail: str | None
    embedded: int
    failed: int
    silent_seconds: float


class IndexState(NamedTuple):
    """Describe one managed index; `progress` in per cent while it is being built."""

    generation: str
    index_name: str
    kind: str
    lists: int | None
    rows_now: int
    rows_at_build: int | None
    bytes: int
    valid: bool
    recall: float | None
    recall_target: float | None
    recall_trend: str | None
    search_ms: float | None
    exact_ms: float | None
    phase: str | None
    progress: float | None


class Run(NamedTuple):
    """Describe one fine-tuning run; scores and gains in the metric's own unit."""

    run_id: int
    name: str
    state: str
    status: str | None
    phase: str | None
    requested_by: str
    requested_at: datetime
    seconds: float | None
    step: int | None
    steps: int | None
    loss: float | None
    metric: str | None
    score_before: float | None
    score: float | None
    gain_low: float | None
    gain_high: float | None
    gate_passed: bool | None
    generation: str | None
    error: str | None


class CurveStep(NamedTuple):
    """Describe one step of a fine-tuning run, of `steps` to do; `dev_score` where it was checked."""

    run_id: int
    name: str
    state: str
    steps: int | None
    step: int
    loss: float
    dev_score: float | None


_Row = TypeVar("_Row", bound=tuple[Any, ...])


def read_health(connection: Connection) -> list[Health]:
    """Ask every part how it is; the sidecar is called. Raises DatabaseError, as all functions here do."""
    return _read(connection, "health", Health)


def read_index_health(connection: Connection) -> list[Health]:
    """Say in words how the indexes are and what to do."""
    return _read(connection, "index_health", Health)


def read_queue(connection: Connection) -> list[QueueState]:
    """Count the queue: one row for each of the four states."""
    return _read(connection, "queue", QueueState)


def read_failures(connection: Connection, most: int) -> list[Failure]:
    """List chunks that failed, the latest first."""
    return _read(connection, "failures", Failure, most=most)


def read_workers(connection: Connection) -> list[WorkerState]:
    """List the workers, those heard of last first."""
    return _read(connection, "workers", WorkerState)


def read_indexes(connection: Connection) -> list[IndexState]:
    """List the managed indexes, the newest generation's first."""
    return _read(connection, "indexes", IndexState)


def read_runs(connection: Connection, most: int) -> list[Run]:
    """List the latest fine-tuning runs, the oldest of them first."""
    return _read(connection, "runs", Run, most=most)


def read_curves(connection: Connection, most: int) -> list[CurveStep]:
    """List the steps of the latest runs that have any, `most` runs, the newest first, each in its order."""
    return _read(connection, "curves", CurveStep, most=most)


def _read(connection: Connection, query: str, kind: type[_Row], **values: Any) -> list[_Row]:
    rows = ask(connection, load_queries("overview")[query], values)
    return [kind._make(row) for row in rows]  # type: ignore[attr-defined]
