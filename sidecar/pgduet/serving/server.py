"""The life of the sidecar: listen, load, serve, stop."""

import asyncio
import signal
from collections.abc import Callable

import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME
from grpc_reflection.v1alpha import reflection

from pgduet.errors import PgduetError
from pgduet.serving import listening
from pgduet.serving.loading import Store
from pgduet.serving.metrics import Metrics
from pgduet.serving.models import Models
from pgduet.serving.parsing import Parsing
from pgduet.serving.securing import TokenCheck
from pgduet.serving.service import SERVICE_NAME, EmbeddingService
from pgduet.serving.settings import Settings
from pgduet.serving.tracing import interceptors
from pgduet.v1 import embedding_pb2_grpc

MESSAGE_BYTES = 64 * 1024 * 1024
# One row is 2560 halfs and 2560 bits, and what stands around it.
REPLY_BYTES_PER_TEXT = 6000
REPLY_SECONDS = 0.5
CALLS_PER_CONNECTION = 1000
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = structlog.stdlib.get_logger("pgduet.serving.server")


class Sidecar:
    """One gRPC server with its models: `listen`, then `run`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._metrics = Metrics()
        self._models = Models(settings, store, self._metrics)
        self._stop = asyncio.Event()
        self._end_metrics: Callable[[], None] | None = None
        self._health = HealthServicer()
        self._service = EmbeddingService(self._models, settings, self._metrics)
        # Who is not known learns nothing, not even by a span.
        checks = [TokenCheck(settings.token_file, self._service.calls)] if settings.token_file else []
        parsing = Parsing(settings.max_texts, self._service.calls)
        self._server = grpc.aio.server(
            interceptors=[*checks, parsing, *interceptors()], options=_server_options(settings)
        )
        embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(self._service, self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)  # type: ignore[no-untyped-call]
        names = (SERVICE_NAME, HEALTH_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)  # type: ignore[no-untyped-call]

    async def listen(self) -> None:
        """Bind and answer, with health NOT_SERVING; raises PgduetError where an address cannot be had."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        addresses = listening.bind(self._server, self._settings)
        self._service.calls.name = listening.name(addresses)
        if self._settings.metrics_address:
            self._end_metrics = self._metrics.serve(self._settings.metrics_address)
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        await self._server.start()
        _log.info("listening", addresses=addresses, models=self._settings.model)

    async def run(self) -> int:
        """Load the models and serve until a signal comes or a model fails; return the exit status.

        A model that was loaded later may fail: the sidecar goes on without it.
        """
        serving = asyncio.ensure_future(self._serve_models())
        asked = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
        failed = serving.done()
        if failed:
            _log_failure(serving.exception() or serving.result())
        serving.cancel()
        await self._finish()
        asked.cancel()
        return 1 if failed else 0

    async def _serve_models(self) -> BaseException:
        """Turn health to SERVING when all models are loaded; return the error of the first that fails for good."""
        await self._models.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("ready", models={duet.name: duet.fingerprint for duet in self._models.all()})
        return await self._models.failure

    async def _finish(self) -> None:
        """Take no more calls, let those in flight finish within the grace time, close the sockets."""
        for number in _SIGNALS:  # the next signal ends the process at once
            asyncio.get_running_loop().remove_signal_handler(number)
        _log.info("stopping", grace_seconds=self._settings.grace_seconds)
        await self._health.enter_graceful_shutdown()
        self._service.calls.stopping.set()
        stopping = asyncio.ensure_future(self._server.stop(self._settings.grace_seconds))
        idle = asyncio.ensure_future(self._service.calls.idle.wait())
        await asyncio.wait((stopping, idle), return_when=asyncio.FIRST_COMPLETED)
        # Replies on their way leave within this time; what remains are clients that watch the health, without end.
        await asyncio.wait((stopping,), timeout=REPLY_SECONDS)
        await self._server.stop(None)
        await stopping
        idle.cancel()
        self._models.close()
        if self._end_metrics is not None:
            await asyncio.to_thread(self._end_metrics)
        _log.info("stopped")

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in ("", SERVICE_NAME):
            await self._health.set(service, status)


async def serve(settings: Settings) -> int:
    """Run the sidecar until it is told to stop; return 0, or 1 when a model could not be loaded or failed.

    Raises PgduetError where it cannot listen.
    """
    sidecar = Sidecar(settings, Store(settings))
    await sidecar.listen()
    return await sidecar.run()


def _server_options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", max(MESSAGE_BYTES, settings.max_texts * REPLY_BYTES_PER_TEXT)),
        # Off: two sidecars on one port would each get some of the calls, and nobody would be told.
        ("grpc.so_reuseport", 0),
        # Callers ping every 2 s to notice a sidecar that hangs; gRPC would take more than one in 5 min for an attack.
        ("grpc.http2.min_ping_interval_without_data_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        # A bound on what one connection can hold open; calls beyond it wait at the caller.
        ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
        # Who connects and says nothing; gRPC would wait for two minutes.
        ("grpc.server_handshake_timeout_ms", 10_000),
    ]


def _log_failure(error: BaseException | None) -> None:
    if isinstance(error, PgduetError):
        _log.error("the model cannot be served", error=str(error), hint=error.hint)
    else:
        _log.error("the model thread ended", exc_info=error)
