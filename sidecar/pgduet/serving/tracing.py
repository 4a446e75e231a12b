"""A span for each call, joined to the trace that the caller names, where OpenTelemetry's own variables ask for it."""

import os
from collections.abc import Sequence

import grpc.aio
import structlog

from pgduet.v1.dialing import SERVICE_NAME

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = structlog.stdlib.get_logger("pgduet.serving.tracing")


def interceptors() -> Sequence[grpc.aio.ServerInterceptor]:
    """Return what makes the spans and sends them by OTLP over gRPC; nothing where no variable names an endpoint.

    Calls of the embedding service have spans; health checks, and streams with their requests, have none. All else is
    set by OTEL_* as OpenTelemetry documents it. Without the extra `otel` a warning is logged: the variables may be
    meant for other programs.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return ()
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.grpc import aio_server_interceptor, filters
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.warning("no traces are sent", reason=str(error), hint="install pgduet[otel], or unset OTEL_EXPORTER_*")
        return ()
    name = os.environ.get("OTEL_SERVICE_NAME") or "pgduet-sidecar"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    # A stream lasts for a minute and belongs to no one's trace; the instrumentation cannot run its handler either.
    not_streams = filters.negate(filters.method_name("EmbedStream"))
    chosen = filters.all_of(filters.service_name(SERVICE_NAME), not_streams)
    return (aio_server_interceptor(tracer_provider=provider, filter_=chosen),)  # type: ignore[no-untyped-call]
