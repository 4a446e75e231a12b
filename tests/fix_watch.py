"""Fixtures for watched tables: a session that owns tables, and a stub that cuts text at blank lines."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from fix_database import Connection, Database
from fix_sidecar import open_directory
from pgduet.client import EmbeddingClient
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.sources import work_sources
from stub_sidecar import StubSidecar


class CuttingStub(StubSidecar):
    """Cut at blank lines; `refused` content is refused, on `broken` content the call fails; count what was cut."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.cut: list[str] = []
        self.refused: str | None = None
        self.broken: str | None = None

    def Chunk(self, request: pb.ChunkRequest, context: grpc.ServicerContext) -> pb.ChunkResponse:  # noqa: N802
        if self.status is not None or request.language == "klingon":
            context.abort(self.status or grpc.StatusCode.INVALID_ARGUMENT, "the stub was told to answer this")
        self.cut.append(request.content)
        if request.content == self.refused:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the file has too many characters")
        if request.content == self.broken:
            context.abort(grpc.StatusCode.INTERNAL, "the parser failed")
        parts = request.content.split("\n\n")
        return pb.ChunkResponse(
            chunks=[
                pb.CodeChunk(symbol=f"part{n}", kind="block", language="", start_line=n, end_line=n, content=part)
                for n, part in enumerate(parts, 1)
            ]
        )


class Shop:
    """A database with tables of somebody's own, and a worker's hand to bring them up to date."""

    def __init__(self, database: Database, stub: CuttingStub, session: Connection) -> None:
        self.database = database
        self.stub = stub
        self.session = session
        self.client = EmbeddingClient(stub.address)

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement as superuser and owner of all; give its rows."""
        cursor = self.session.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *values: Any) -> Any:
        """Give the one value of the one row of a query."""
        ((value,),) = self.run(statement, *values)
        return value

    def settle(self) -> None:
        """Work until nothing is due."""
        while work_sources(self.session, self.client, "w", 60):
            pass

    def chunks(self, source: str) -> dict[str, str]:
        """Give content by key of the chunks of a source, once all is worked off."""
        self.settle()
        rows = self.run("SELECT source_key, content FROM pgduet.code_chunks WHERE source = %s ORDER BY 1", source)
        return dict(rows)

    def waiting(self) -> list[str | None]:
        """Give the keys in the queue."""
        return [row[0] for row in self.run("SELECT row_key FROM pgduet._source ORDER BY seq")]

    def counts(self) -> Any:
        """Give rows known, waiting, blank and failed, and chunks of the one watch."""
        query = "SELECT rows_known, rows_waiting, rows_blank, rows_failed, chunks FROM pgduet.watch_status"
        return self.run(query)[0]

    def problem(self) -> str | None:
        """Give the problem of the one watch."""
        found: str | None = self.one("SELECT problem FROM pgduet.watch_status")
        return found


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    """Give a database whose tables can be watched."""
    database.set("trigger_mode", "queue")
    with open_directory() as directory, database.connect() as session:
        stub = CuttingStub(f"unix:{directory}/cut.sock")
        database.set("sidecar_address", stub.address)
        running = Shop(database, stub, session)
        with stub, running.client:
            yield running


@pytest.fixture
def table(shop: Shop) -> str:
    """Give the source of a watched table `t` with two rows that are worked off."""
    shop.run("CREATE TABLE t (id int PRIMARY KEY, code text, path text, lang text, seen int)")
    shop.run("INSERT INTO t VALUES (1, 'one', 'one.py'), (2, 'two', 'two.py')")
    shop.run("SELECT pgduet.watch('t', 'code', 'path', language_column => 'lang')")
    assert shop.chunks("public.t") == {"1": "one", "2": "two"}
    shop.stub.cut.clear()
    return "public.t"
