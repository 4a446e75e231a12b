"""What the sidecar does, for Prometheus. Names and numbers only: no text, no request id."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter, time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from pgduet.encoding import Role
from pgduet.errors import PgduetError
from pgduet.serving.slowest import Slowest

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_TOKENS = (16, 64, 256, 512, 1024, 2048, 4096, 16384, 65536)
_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_PREFIX = "pgduet_sidecar_"


class Metrics:
    """The counters of one sidecar. Any thread may count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.since = time()
        self.slowest = Slowest()
        self.answered = self._seconds("answer_seconds", "Time of a request that was answered.", "lane")
        self.queue_tokens = self._gauge("queue_tokens", "Tokens that wait or are computed.", "model", "lane")
        self.waited = self._seconds("wait_seconds", "Time of a text in its lane.", "lane")
        self.tokenised = self._seconds("tokenise_seconds", "Time to tokenise some texts of a request.", "lane")
        self.computed = self._seconds("compute_seconds", "Time of one call of the model.", "model", "lane")
        self.batch_tokens = self._histogram("batch_tokens", "Tokens in one call of the model.", _TOKENS, "lane")
        self.fill = self._histogram(
            "batch_fill", "Share of PGDUET_BATCH_TOKENS that is used, above 1 for bulk.", (*_SHARES, 2.0, 4.0), "lane"
        )
        self.padding = self._histogram(
            "batch_padding", "Share of empty places, were all texts of a batch padded to the longest.", _SHARES, "lane"
        )
        self.requests = self._counter("requests", "Calls, and requests of streams, by gRPC status.", "call", "status")
        self.rejected = self._counter("rejected", "Refused requests by reason.", "reason")
        self.texts = self._counter("texts", "Texts by what became of them.", "role", "outcome")
        self.cache_hits = self._counter("cache_hits", "Texts whose rows were known.")
        self.cache_misses = self._counter("cache_misses", "Texts whose rows were not.")
        self.shared = self._counter("texts_shared", "Texts that were computed for another request already.")
        self.splits = self._counter("batch_splits", "Batches halved after a failure.", "model", "cause")
        self.models = self._gauge("models", "Duets that are served.")

    def serve(self, address: str) -> Callable[[], None]:
        """Answer Prometheus on `host:port`; return what ends that. Raises PgduetError for a bad or taken address."""
        host, _, port = address.rpartition(":")
        try:
            server, thread = start_http_server(int(port), host or "127.0.0.1", self.registry)
        except (ValueError, OSError, OverflowError) as error:
            raise PgduetError(
                f"metrics cannot be served at {address!r}: {error}", hint="give a free address as HOST:PORT"
            ) from error

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return close

    def answer(self, seconds: float, request_id: str, facts: Mapping[str, Any]) -> None:
        """Note how long an answered call took, where it embedded; single queries are what people search with."""
        role = facts.get("role")
        if role is None:
            return
        self.answered.labels(role).observe(seconds)
        if role is Role.QUERY and facts.get("texts") == 1:
            self.slowest.note(seconds, request_id, facts.get("tokens", 0))

    def of_model(self, name: str) -> "ModelMetrics":
        """Give what one duet's engine counts with."""
        return ModelMetrics(self, name)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(_PREFIX + name, what, labels, registry=self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, what, labels, registry=self.registry)

    def _seconds(self, name: str, what: str, *labels: str) -> Histogram:
        return self._histogram(name, what, _SECONDS, *labels)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(_PREFIX + name, what, labels, buckets=buckets, registry=self.registry)


class ModelMetrics:
    """What is counted for one duet."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name

    def watch_queue(self, tokens: Callable[[Role], int]) -> None:
        """Ask for the tokens of both lanes whenever Prometheus does."""
        for role in Role:
            self._metrics.queue_tokens.labels(self._name, role).set_function(partial(tokens, role))

    def forget_queue(self) -> None:
        """Do not ask any more: the duet is gone."""
        for role in Role:
            self._metrics.queue_tokens.remove(self._name, role)

    @contextmanager
    def tokenising(self, role: Role) -> Iterator[None]:
        """Measure how long some texts take."""
        started = perf_counter()
        yield
        self._metrics.tokenised.labels(role).observe(perf_counter() - started)

    def shared(self, texts: int) -> None:
        """Count texts that another request had asked for."""
        self._metrics.shared.inc(texts)

    def waited(self, role: Role, seconds: float) -> None:
        """Note how long a text was in its lane."""
        self._metrics.waited.labels(role).observe(seconds)

    def computed(self, role: Role, seconds: float, lengths: list[tuple[int, int]], limit: int) -> None:
        """Note one call of the model; `lengths` holds the tokens of each text, for each half."""
        tokens = sum(map(sum, lengths))
        places = len(lengths) * sum(max(half) for half in zip(*lengths, strict=True))
        self._metrics.computed.labels(self._name, role).observe(seconds)
        self._metrics.batch_tokens.labels(role).observe(tokens)
        self._metrics.fill.labels(role).observe(tokens / limit)
        self._metrics.padding.labels(role).observe(1 - tokens / places if places else 0.0)

    def split(self, *, out_of_memory: bool) -> None:
        """Count a batch that was halved."""
        self._metrics.splits.labels(self._name, "out_of_memory" if out_of_memory else "failure").inc()
