"""What the sidecar tells of its times, and what the worker makes of it."""

import asyncio
from types import SimpleNamespace

import pytest

from gated_server import running
from pgduet.encoding import Role
from pgduet.serving import slowest
from pgduet.serving.metrics import Metrics
from pgduet.serving.slowest import KEPT, Slowest
from pgduet.serving.timings import timings
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.timing import quantile, slow_rows, stage_rows


def stages(told: pb.TimingsResponse) -> dict[tuple[str, str], pb.StageTimes]:
    return {(stage.stage, stage.lane): stage for stage in told.stages}


def test_a_sidecar_tells_how_long_searches_took_and_never_what_they_asked() -> None:
    async def scenario() -> None:
        async with running() as server:
            await server.until_serving()
            server.duet.gate.set()
            await server.embed("secret words", role=pb.ROLE_QUERY)
            await server.embed("secret words", role=pb.ROLE_QUERY)
            await server.embed("one", "two", role=pb.ROLE_QUERY)
            await server.embed("a document")
            told = await server.stub.Timings(pb.TimingsRequest())
            found = stages(told)
            assert sum(found["request", "query"].counts) == 3
            assert sum(found["request", "document"].counts) == 1
            assert sum(found["compute", "query"].counts) >= 2
            request = found["request", "query"]
            assert len(request.counts) == len(request.bounds) + 1
            assert request.total_seconds > 0
            # A program asks for many at a time; people ask for one, the second time from the cache.
            assert [one.tokens for one in sorted(told.slowest, key=lambda one: one.at)] == [4, 0]
            assert told.slowest[0].seconds >= told.slowest[1].seconds > 0
            assert all(told.since < one.at for one in told.slowest)
            assert "secret" not in str(told)

    asyncio.run(scenario())


def test_buckets_hold_what_is_theirs_and_lanes_are_summed_over_duets() -> None:
    metrics = Metrics()
    for name, seconds in (("small", 0.002), ("small", 0.02), ("big", 0.02), ("big", 200.0)):
        metrics.of_model(name).computed(Role.QUERY, seconds, [(1, 1)], 100)
    compute = stages(timings(metrics))["compute", "query"]
    assert dict(zip([*compute.bounds, float("inf")], compute.counts, strict=True)) == {
        **dict.fromkeys(compute.bounds, 0),
        0.003: 1,
        0.03: 2,
        float("inf"): 1,
    }
    assert compute.total_seconds == pytest.approx(200.042)


def test_only_the_slowest_of_the_last_day_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr(slowest, "time", SimpleNamespace(time=lambda: now))
    kept = Slowest()
    for number in range(2 * KEPT):
        kept.note(number, str(number), 1)
    assert [one.seconds for one in kept.all()] == list(range(2 * KEPT - 1, KEPT - 1, -1))
    now += 86_401
    kept.note(1, "today", 1)
    assert [one.request_id for one in kept.all()] == ["today"]


def test_quantiles_lie_within_their_bucket_and_nowhere_beyond_the_last() -> None:
    assert [quantile([0.1, 1.0], [4, 4, 0], share) for share in (0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [0.05, 0.1, 0.55, 1.0]
    )
    assert quantile([0.1, 1.0], [4, 3, 1], 0.9) is None
    assert quantile([0.1, 1.0], [0, 4, 0], 0.5) == pytest.approx(0.55)


def test_rows_are_in_milliseconds_and_empty_stages_have_none() -> None:
    told = pb.TimingsResponse(
        stages=[
            pb.StageTimes(stage="compute", lane="query", bounds=[0.1, 1], counts=[1, 2, 1], total_seconds=8),
            pb.StageTimes(stage="wait", lane="query", bounds=[0.1, 1], counts=[0, 0, 0]),
        ],
        slowest=[pb.SlowQuery(at=5, request_id="r", seconds=0.25, tokens=7)],
    )
    (row,) = stage_rows(told)
    assert row == {
        "stage": "compute",
        "lane": "query",
        "calls": 4,
        "mean_ms": 2000,
        "p50_ms": pytest.approx(550),
        "p95_ms": None,
        "p99_ms": None,
        "over_100_ms": 3,
        "over_1000_ms": 1,
    }
    assert slow_rows(told) == [{"request_id": "r", "asked_at": 5, "ms": 250, "tokens": 7}]
