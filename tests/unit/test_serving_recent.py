"""The queries that a sidecar keeps: their vectors, newest first, and only where it was told to."""

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest
from structlog.testing import capture_logs

from gated_server import Running, running, status_of
from pgduet.errors import PgduetError
from pgduet.serving.cache import Row
from pgduet.serving.recent import RecentQueries
from pgduet.serving.settings import read_settings
from pgduet.v1 import embedding_pb2 as pb


def row(number: int, *, finite: bool = True) -> Row:
    return Row(bytes([number]), bytes([number + 100]), 1, 1, False, False, finite)


def kept(recent: RecentQueries, most: int = 0) -> list[int]:
    rows = recent.newest(most)
    assert all(sketch[0] == embedding[0] + 100 for embedding, sketch in rows)
    return [embedding[0] for embedding, _ in rows]


def test_the_newest_come_first_and_the_oldest_make_room() -> None:
    recent = RecentQueries(3)
    for number in (1, 2, 3, 4):
        recent.note(row(number))
    assert kept(recent) == [4, 3, 2]
    assert kept(recent, 2) == [4, 3]
    assert kept(recent, 99) == [4, 3, 2]


def test_the_same_query_again_is_kept_once_as_the_newest() -> None:
    recent = RecentQueries(2)
    for number in (1, 2, 1, 1, 3):
        recent.note(row(number))
    assert kept(recent) == [3, 1]


def test_nothing_is_kept_by_default_and_never_what_is_not_finite() -> None:
    off, on = RecentQueries(read_settings().keep_queries), RecentQueries(5)
    off.note(row(1))
    on.note(row(1, finite=False))
    assert (kept(off), kept(on)) == ([], [])


@pytest.mark.parametrize("value", ["-1", "10001", "many"])
def test_a_number_that_does_not_fit_is_refused_by_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDUET_KEEP_QUERIES", value)
    with pytest.raises(PgduetError, match="PGDUET_KEEP_QUERIES"):
        read_settings()


async def recent_of(server: Running, **more: Any) -> list[float]:
    reply = await server.stub.RecentQueries(pb.RecentQueriesRequest(**{"model": "small", **more}), timeout=10)
    assert (reply.fingerprint, reply.width) == ("print-1", 16)
    rows = np.frombuffer(reply.embeddings, "<f2").reshape(-1, 16)
    assert len(reply.sketches) == len(rows) * 2
    return [float(number) for number in rows[:, 0]]


def test_single_queries_are_kept_whether_computed_or_cached_and_nothing_else_is() -> None:
    async def scenario() -> None:
        async with running(keep_queries=10) as server:
            server.duet.gate.set()
            await server.until_serving()
            assert await recent_of(server) == []
            for text in ("a", "four", "a"):
                await server.embed(text, role=pb.ROLE_QUERY)
            await server.embed("a document", role=pb.ROLE_DOCUMENT)
            await server.embed("a half", role=pb.ROLE_QUERY, part=pb.PART_CODE)
            await server.embed("one of", "several", role=pb.ROLE_QUERY)
            await server.embed("nan", role=pb.ROLE_QUERY)
            await server.embed(" ", role=pb.ROLE_QUERY)
            assert await recent_of(server) == [1, 4]
            assert await recent_of(server, most=1) == [1]

    asyncio.run(scenario())


def test_another_model_or_fingerprint_is_refused_and_no_text_is_logged() -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            async with running(keep_queries=10) as server:
                server.duet.gate.set()
                await server.until_serving()
                await server.embed("hunter2", role=pb.ROLE_QUERY)
                code, _ = await status_of(recent_of(server, model="big"))
                assert code is grpc.StatusCode.NOT_FOUND
                code, details = await status_of(recent_of(server, expected_fingerprint="old"))
                assert (code, "'print-1'" in details) == (grpc.StatusCode.FAILED_PRECONDITION, True)
                assert await recent_of(server, expected_fingerprint="print-1") == [7]
        assert "recent_queries" in str(logs)
        assert "hunter2" not in str(logs)

    asyncio.run(scenario())
