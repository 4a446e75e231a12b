"""What a worker is told at its start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Hold a worker's options; times in seconds, None for `sidecar` means what the database's settings name."""

    sidecar: str | None = None
    poll: float = 5.0
    lease: float = 150.0
    batch: int = 256
    concurrency: int = 2
    reconcile: float = 300.0
    max_attempts: int = 8
    index: bool = True
    metrics: str | None = None
    longest_pause: float = 10.0
    heartbeat: float = 5.0
