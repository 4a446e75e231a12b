"""From a changed row to its chunks: only what changed is touched, late answers count for nothing, blame is fair."""

import time

import grpc
import pytest

from fix_watch import Shop
from pgduet.client import SidecarBusyError, SidecarUnavailableError
from pgduet.database.sources import SourceChunk, SourceQueue
from pgduet.worker.sources import MAX_ATTEMPTS, reconcile_sources, work_sources


def parts(shop: Shop) -> list[tuple[str, str, int]]:
    query = "SELECT content, replace(source_key, E'\\x1f', '#'), chunk_id FROM pgduet.code_chunks ORDER BY start_line"
    return shop.run(query)


def test_content_that_grows_moves_and_shrinks_touches_only_the_chunks_that_changed(shop: Shop, table: str) -> None:
    shop.run("DELETE FROM t WHERE id = 2")
    shop.run("UPDATE t SET code = %s", "a\n\nb\n\nc\n\nd")
    shop.settle()
    first = parts(shop)
    assert [row[1] for row in first] == ["1", "1#2", "1#3", "1#4"]
    ids = {row[0]: row[2] for row in first}
    shop.run("TRUNCATE pgduet._pending")
    shop.run("UPDATE t SET code = %s", "new\n\na\n\nb\n\nc\n\nd")
    shop.settle()
    grown = parts(shop)
    assert {row[0]: row[2] for row in grown if row[0] in ids} == ids
    assert shop.run("SELECT chunk_id FROM pgduet._pending") == [(grown[0][2],)]
    shop.run("UPDATE t SET code = %s", "d\n\nc")
    shop.settle()
    shrunk = parts(shop)
    assert [(row[0], row[2]) for row in shrunk] == [("d", ids["d"]), ("c", ids["c"])]
    assert sorted(row[1] for row in shrunk) == ["1", "1#2"]
    shop.run("UPDATE t SET code = %s", "x\n\nx\n\nx")
    shop.settle()
    assert sorted(row[1] for row in parts(shop)) == ["1", "1#2", "1#3"]
    shop.run("DELETE FROM t")
    assert shop.chunks(table) == {}


def test_a_megabyte_goes_through_with_thousands_of_chunks(shop: Shop, table: str) -> None:
    parts = [f"part {number} {'x' * 90}" for number in range(10_000)]
    started = time.monotonic()
    shop.run("INSERT INTO t VALUES (3, %s)", "\n\n".join(parts))
    assert len(shop.chunks(table)) == 10_002
    shop.run("UPDATE t SET code = %s WHERE id = 3", "\n\n".join(["new", *parts[:100], *parts[200:]]))
    stored = set(shop.chunks(table).values())
    assert len(stored) == 9_903
    assert {"new", parts[0], parts[200], parts[9_999]} <= stored
    assert time.monotonic() - started < 15


def test_a_late_answer_is_thrown_away(shop: Shop, table: str) -> None:
    shop.run("UPDATE t SET code = 'old' WHERE id = 1")
    late = SourceQueue(shop.session, "late")
    assert [one.row_key for one in late.claim(10, 60)] == ["1"]
    (row,) = late.resolve(1, ["1"])
    shop.run("UPDATE t SET code = 'new' WHERE id = 1")
    assert work_sources(shop.session, shop.client, "w", 60) == 0
    shop.run("UPDATE pgduet._source SET leased_until = now() - interval '1 s' WHERE leased_until IS NOT NULL")
    assert shop.chunks(table)["1"] == "new"
    assert not late.write(1, row, [SourceChunk(None, None, None, 1, 1, "old")])
    assert shop.chunks(table)["1"] == "new"


def test_two_workers_share_nothing_and_wait_for_nobody(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO t SELECT g, 'x' FROM generate_series(10, 109) g")
    with shop.database.connect() as other:
        one, two = SourceQueue(shop.session, "one"), SourceQueue(other, "two")
        with shop.session.transaction():
            other.execute("SET lock_timeout = '1ms'")
            mine = {row.row_key for row in one.claim(50, 60)}
            others = {row.row_key for row in two.claim(100, 60)}
    assert (len(mine), len(others), mine & others) == (50, 50, set())


def test_a_locked_table_holds_up_no_other(shop: Shop, table: str) -> None:
    shop.run("CREATE TABLE u (id int PRIMARY KEY, code text)")
    shop.run("SELECT pgduet.watch('u', 'code')")
    shop.run("INSERT INTO t VALUES (3, 'three')")
    shop.run("INSERT INTO u VALUES (1, 'other')")
    with shop.database.connect() as user, user.transaction():
        user.execute("LOCK TABLE t")
        assert work_sources(shop.session, shop.client, "w", 60) > 0
        assert shop.run("SELECT content FROM pgduet.code_chunks WHERE source = 'public.u'") == [("other",)]
    shop.run("UPDATE pgduet._source SET next_attempt_at = now()")
    assert len(shop.chunks(table)) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAVAILABLE, SidecarUnavailableError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, SidecarBusyError),
    ],
)
def test_an_outage_is_nobodys_failure(shop: Shop, table: str, code: grpc.StatusCode, error: type[Exception]) -> None:
    shop.run("UPDATE t SET code = code || '!'")
    shop.stub.status = code
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(error):
            work_sources(shop.session, shop.client, "w", 60)
    assert shop.run("SELECT attempts, leased_until, error FROM pgduet._source") == [(0, None, None)] * 2
    shop.stub.status = None
    assert shop.chunks(table) == {"1": "one!", "2": "two!"}


def test_refused_content_rests_until_it_changes(shop: Shop, table: str) -> None:
    shop.stub.refused = "too much"
    shop.run("UPDATE t SET code = 'too much' WHERE id = 1")
    assert shop.chunks(table) == {"2": "two"}
    assert shop.counts() == (2, 0, 0, 1, 1)
    ((key, state, reason),) = shop.run("SELECT row_key, state, error FROM pgduet.watch_failures")
    assert (key, state) == ("1", "failed")
    assert "too many characters" in reason
    shop.stub.cut.clear()
    reconcile_sources(shop.session)
    shop.run("UPDATE t SET seen = 1")
    shop.settle()
    assert shop.stub.cut == []
    shop.run("UPDATE t SET code = 'less' WHERE id = 1")
    assert shop.chunks(table) == {"1": "less", "2": "two"}
    assert shop.counts() == (2, 0, 0, 0, 2)


def test_an_unknown_language_costs_the_language_and_not_the_row(shop: Shop, table: str) -> None:
    shop.run("INSERT INTO t VALUES (3, 'nuqneH', 'a.txt', 'Klingon')")
    shop.stub.cut.clear()
    assert shop.chunks(table)["3"] == "nuqneH"
    assert shop.one("SELECT language FROM pgduet.code_chunks WHERE source_key = '3'") == "klingon"


def test_a_row_that_breaks_the_sidecar_is_tried_again_and_then_given_up_and_others_go_on(
    shop: Shop, table: str
) -> None:
    shop.stub.broken = "bad"
    shop.run("UPDATE t SET code = 'bad' WHERE id = 1")
    shop.run("UPDATE t SET code = 'good' WHERE id = 2")
    assert shop.chunks(table) == {"1": "one", "2": "good"}
    assert shop.run("SELECT row_key, state FROM pgduet.watch_failures") == [("1", "retrying")]
    for _ in range(MAX_ATTEMPTS):
        shop.run("UPDATE pgduet._source SET next_attempt_at = now()")
        shop.settle()
    assert shop.run("SELECT row_key, state FROM pgduet.watch_failures") == [("1", "failed")]
    assert shop.chunks(table) == {"2": "good"}


def test_values_that_code_chunks_cannot_hold_fail_one_row(shop: Shop, table: str) -> None:
    long = "/".join(f"{n:x}" for n in range(100_000, 103_000))
    shop.run("UPDATE t SET path = encode(sha512(path::bytea), 'hex') || %s WHERE id = 1", long)
    shop.run("INSERT INTO t VALUES (3, 'three')")
    assert shop.chunks(table) == {"2": "two", "3": "three"}
    assert "index row" in shop.one("SELECT error FROM pgduet.watch_failures")
