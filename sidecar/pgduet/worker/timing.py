"""What sidecars tell of their times, as rows for the views of BI tools."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from pgduet.client import EmbeddingClient, SidecarError, sidecar_addresses
from pgduet.database.snapshots import Snapshots
from pgduet.v1 import embedding_pb2 as pb

_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
_DEADLINE = 2.0

log = structlog.get_logger("pgduet.worker")


def keep_timings(snapshots: Snapshots, address: str, stopped: Callable[[], bool]) -> None:
    """Ask every sidecar of an address for its times, where that is due.

    One that is away or too old keeps the rows it has. Raises DatabaseError.
    """
    if not snapshots.is_due("search_times"):
        return
    started = time.monotonic()
    addresses = sidecar_addresses(address)
    for one in addresses:
        if stopped():
            return
        try:
            with EmbeddingClient(one, direct=True) as client:
                told = client.timings(timeout=_DEADLINE)
        except SidecarError as error:
            log.debug("a sidecar did not tell its times", reason=str(error))
            continue
        snapshots.store_stages(one, told.since, stage_rows(told), slow_rows(told))
    snapshots.forget_sidecars(addresses, time.monotonic() - started)


def stage_rows(told: pb.TimingsResponse) -> list[dict[str, Any]]:
    """Turn histograms into counts, means and quantiles in milliseconds; stages that never ran are left out."""
    return [_row(stage) for stage in told.stages if sum(stage.counts)]


def slow_rows(told: pb.TimingsResponse) -> list[dict[str, Any]]:
    """Turn slow queries into rows; tokens are None where the vector was known."""
    return [
        {"request_id": one.request_id, "asked_at": one.at, "ms": one.seconds * 1000, "tokens": one.tokens or None}
        for one in told.slowest
    ]


def _row(stage: pb.StageTimes) -> dict[str, Any]:
    calls = sum(stage.counts)
    row: dict[str, Any] = {
        "stage": stage.stage,
        "lane": stage.lane,
        "calls": calls,
        "mean_ms": stage.total_seconds / calls * 1000,
        "over_100_ms": _over(stage, 0.1),
        "over_1000_ms": _over(stage, 1.0),
    }
    for name, share in _QUANTILES.items():
        seconds = quantile(stage.bounds, stage.counts, share)
        row[name] = None if seconds is None else seconds * 1000
    return row


def _over(stage: pb.StageTimes, seconds: float) -> int:
    return sum(stage.counts) - sum(
        count for bound, count in zip(stage.bounds, stage.counts, strict=False) if bound <= seconds
    )


def quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float | None:
    """Estimate a quantile from a histogram's buckets as Prometheus does, evenly spread within its bucket.

    None where it lies beyond the last bound.
    """
    wanted = share * sum(counts)
    below, lower = 0, 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if count and below + count >= wanted:
            return lower + (bound - lower) * (wanted - below) / count
        below, lower = below + count, bound
    return None
