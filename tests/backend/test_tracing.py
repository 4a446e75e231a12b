"""A trace that an application names in SQL goes on in the sidecar's spans."""

import asyncio
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.testing import capture_logs

from fix_database import Database
from fix_sidecar import running_sidecar, wait_serving
from gated_server import running
from pgduet.serving.tracing import interceptors
from pgduet.v1 import embedding_pb2 as pb
from stub_sidecar import StubSidecar

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Take spans by OTLP, as any collector does."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()

    def Export(  # noqa: N802
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def wait_for(self, method: str) -> list[Span]:
        """Wait until a span of a method came; give all of that method."""
        deadline = time.monotonic() + 20
        while not (found := [span for span in self.spans if span.name.endswith(method)]):
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            time.sleep(0.05)
        return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Give a collector that every sidecar started in the test sends its spans to."""
    found = Collector()
    server = grpc.server(ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(found, server)  # type: ignore[no-untyped-call]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    server.start()
    yield found
    server.stop(None).wait()


def test_the_trace_that_sql_names_is_sent_along_and_nonsense_is_not(stub_database: Database, stub: StubSidecar) -> None:
    sent = ["", TRACEPARENT, "nonsense", f"{TRACEPARENT}\r\nx: y", f"00-{TRACE}-{PARENT}", ""]
    with stub_database.connect() as session:
        session.execute("SELECT pgduet.embed('none was ever set')")
        for traceparent in sent:
            session.execute("SELECT set_config('pgduet.traceparent', %s, false)", (traceparent,))
            session.execute("SELECT pgduet.embed('x')")
    assert [request.traceparent for request in stub.requests] == [None, None, TRACEPARENT, None, None, None, None]


def test_a_call_is_a_span_of_the_callers_trace_and_health_checks_and_streams_are_none(collector: Collector) -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            server.duet.gate.set()
            request = pb.EmbedRequest(model="small", role=pb.ROLE_DOCUMENT, texts=["x"])
            await server.stub.Embed(request, timeout=20, metadata=(("traceparent", TRACEPARENT),))
            with pytest.raises(grpc.aio.AioRpcError):
                await server.embed("x", model="unknown")
            stream = server.stub.EmbedStream()
            await stream.write(pb.EmbedStreamRequest(id=4, request=request))
            assert (await stream.read()).response.results
            await stream.done_writing()
            assert await stream.code() is grpc.StatusCode.OK

    asyncio.run(scenario())
    collector.wait_for("/Embed")
    while len(spans := collector.wait_for("/Embed")) < 2:
        time.sleep(0.05)
    joined, alone = spans
    assert (joined.trace_id.hex(), joined.parent_span_id.hex()) == (TRACE, PARENT)
    assert joined.kind == Span.SPAN_KIND_SERVER
    assert alone.trace_id.hex() != TRACE
    assert {one.key: one.value.int_value for one in alone.attributes}["rpc.grpc.status_code"] == 5
    assert {span.name for span in collector.spans} == {"/pgduet.v1.EmbeddingService/Embed"}
    assert collector.services == {"pgduet-sidecar"}


def test_without_the_extra_nothing_is_traced_and_the_log_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with capture_logs() as logs:
        assert interceptors() == ()
    assert logs == []
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with capture_logs() as logs:
        assert interceptors() == ()
    assert [(line["log_level"], line["event"]) for line in logs] == [("warning", "no traces are sent")]
    assert "pgduet[otel]" in logs[0]["hint"]


@pytest.mark.slow
def test_the_trace_that_sql_names_arrives_from_a_real_sidecar(
    database: Database, collector: Collector, folder: Path
) -> None:
    with running_sidecar(folder) as sidecar:
        wait_serving(sidecar)
        database.set("sidecar_address", sidecar.address)
        with database.connect() as session:
            session.execute("SELECT set_config('pgduet.traceparent', %s, false)", (TRACEPARENT,))
            session.execute("SELECT * FROM pgduet.similar_code('sort a list')")
        (span,) = collector.wait_for("/Embed")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
