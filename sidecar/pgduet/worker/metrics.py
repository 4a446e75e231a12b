"""What a worker did, for its heartbeat and for Prometheus."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from pgduet.errors import PgduetError


class Metrics:
    """Count for one worker; every lane may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.embedded_total = 0
        self.failed_total = 0
        self.registry = CollectorRegistry()
        name = "pgduet_worker_"
        self._embedded = Counter(f"{name}embedded", "Vectors written.", registry=self.registry)
        self._failed = Counter(
            f"{name}failures", "Attempts that failed for a chunk's own reason.", ["error_class"], registry=self.registry
        )
        self._pauses = Counter(
            f"{name}pauses",
            "Pauses while sidecar or database could not work.",
            ["error_class"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{name}request_seconds",
            "Duration of requests to the sidecar.",
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
            registry=self.registry,
        )
        self._texts = Histogram(
            f"{name}request_texts",
            "Texts in a request.",
            buckets=(1, 4, 16, 64, 256),
            registry=self.registry,
        )

    def serve(self, address: str) -> None:
        """Answer Prometheus on `host:port`. Raises PgduetError for a bad or taken address."""
        host, _, port = address.rpartition(":")
        try:
            start_http_server(int(port), host or "127.0.0.1", self.registry)
        except (ValueError, OSError, OverflowError) as error:
            raise PgduetError(
                f"metrics cannot be served at {address!r}: {error}", hint="give a free address as HOST:PORT"
            ) from error

    @contextmanager
    def request(self, texts: int) -> Iterator[None]:
        """Measure a request of so many texts."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds.observe(time.monotonic() - started)
            self._texts.observe(texts)

    def embedded(self, count: int) -> None:
        """Count vectors written."""
        self._embedded.inc(count)
        with self._lock:
            self.embedded_total += count

    def failed(self, error_class: str) -> None:
        """Count a chunk's failure."""
        self._failed.labels(error_class).inc()
        with self._lock:
            self.failed_total += 1

    def paused(self, error_class: str) -> None:
        """Count a pause."""
        self._pauses.labels(error_class).inc()
