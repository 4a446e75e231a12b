"""Fixtures for generations: a stub of the sidecar that serves two duets, a worker that runs until nothing is due."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import psycopg
import pytest

from fix_database import Connection, Database
from fix_sidecar import open_directory
from pgduet.database.connection import connect
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar

PASSED = {"metric": "ndcg@10", "before": 0.61, "after": 0.66, "ci_low": 0.02, "ci_high": 0.08, "margin": 0.01}


class TwoDuets(StubSidecar):
    """Serve several duets, each with vectors and a fingerprint of its own."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.served = {"small": "fingerprint-of-small", "other": "fingerprint-of-other"}

    def ListModels(self, request: pb.ListModelsRequest, context: grpc.ServicerContext) -> pb.ListModelsResponse:  # noqa: N802
        models = [pb.Model(name=name, fingerprint=fingerprint) for name, fingerprint in self.served.items()]
        return pb.ListModelsResponse(models=models, version="stub")

    def _refuse_model(self, request: pb.EmbedRequest, context: grpc.ServicerContext) -> None:
        if request.model not in self.served:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.model!r} here")
        if request.expected_fingerprint not in ("", self.served[request.model]):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"this is {self.served[request.model]}")

    def _answer(self, request: pb.EmbedRequest, role: str) -> pb.EmbedResponse:
        reply = super()._answer(request, f"{request.model} {role}")
        reply.fingerprint = self.served.get(request.model, "")
        return reply


@pytest.fixture
def duets() -> Iterator[TwoDuets]:
    with open_directory() as directory:
        running = TwoDuets(f"unix:{directory}/stub.sock")
        with running:
            yield running


@pytest.fixture
def two_database(database: Database, duets: TwoDuets) -> Database:
    """Give a database that calls the stub with two duets; the worker does all the embedding."""
    database.set("sidecar_address", duets.address)
    database.set("trigger_mode", "queue")
    return database


def work(database: Database, **options: Any) -> Worker:
    """Run a worker until nothing is due."""
    chosen = Options(**{"poll": 0.2, "concurrency": 1, "index": False, **options})
    worker = Worker(lambda: connect(database.conninfo, autocommit=True), chosen)
    with pytest.MonkeyPatch.context() as patch:
        # Its end waits for that long.
        patch.setattr("pgduet.worker.waking._SLICE_SECONDS", 0.02)
        worker.run(once=True)
    return worker


def add_chunks(session: Connection, rows: int, word: str = "text", repo: str = "lib") -> None:
    session.execute(
        "INSERT INTO pgduet.code_chunks (repo, content) SELECT %s, %s || ' ' || g FROM generate_series(1, %s) g",
        (repo, word, rows),
    )


def evaluated(session: Connection, name: str, *, passed: bool = True) -> None:
    """Write what an evaluation writes."""
    gate = {"gate": {**PASSED, "passed": passed, "why": "" if passed else "the interval holds 0"}}
    session.execute("UPDATE pgduet.generations SET metrics = %s WHERE name = %s", (json.dumps(gate), name))


def scalar(session: Connection, query: str, *values: Any) -> Any:
    row = session.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def refusal(session: Connection, query: str, *values: Any) -> tuple[str, str, str]:
    """Give message, hint and SQLSTATE of what the server refuses."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(query.encode(), values or None)
    diagnostic = caught.value.diag
    return diagnostic.message_primary or "", diagnostic.message_hint or "", caught.value.sqlstate or ""
