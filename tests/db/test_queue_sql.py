"""The queue's own rules: who may take a chunk, what comes back, what needs no model, what is never overwritten."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fix_database import Connection, Database
from stub_sidecar import StubSidecar

CLAIM = "SELECT chunk_id, cardinality(seqs), attempts FROM pgduet._claim(%s, 64, %s)"
RESOLVE = "SELECT chunk_id, is_active FROM pgduet._resolve(%s)"
START = -(2**63)


@pytest.fixture
def session(stub_database: Database) -> Iterator[Connection]:
    stub_database.set("trigger_mode", "queue")
    with stub_database.connect() as connection:
        yield connection


def add(session: Connection, *contents: str | None) -> list[int]:
    query = "INSERT INTO pgduet.code_chunks (content) SELECT unnest(%s::text[]) RETURNING chunk_id"
    return [row[0] for row in session.execute(query, (list(contents),)).fetchall()]


def scalar(session: Connection, query: str, *values: Any) -> Any:
    row = session.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def embed_now(session: Connection, ids: list[int]) -> None:
    session.execute("SELECT pgduet._embed_within(%s, 60)", (ids,))


def test_a_statement_in_queue_mode_asks_no_model_and_queues_each_chunk_once(
    session: Connection, stub: StubSidecar
) -> None:
    ids = add(session, "a", "b", None, " ")
    session.execute(
        "UPDATE pgduet.code_chunks SET content = content || '2', path = 'p' WHERE chunk_id = ANY (%s)", (ids,)
    )
    session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (ids[0],))
    queued = session.execute("SELECT chunk_id, count(*) FROM pgduet._pending GROUP BY 1 ORDER BY 1").fetchall()
    # Blank content that gained a letter counts as changed, NULL stays NULL.
    assert queued == [(ids[0], 3), (ids[1], 2), (ids[3], 1)]
    assert stub.requests == []
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 0


def test_a_chunk_is_in_one_hand_at_a_time_with_all_its_rows(session: Connection, stub_database: Database) -> None:
    (first,) = add(session, "a")
    session.execute("UPDATE pgduet.code_chunks SET content = 'b'")
    assert session.execute(CLAIM, ("w1", 60)).fetchall() == [(first, 2, 1)]
    session.execute("UPDATE pgduet.code_chunks SET content = 'c'")
    session.execute("UPDATE pgduet._pending SET next_attempt_at = now() - interval '1 s'")
    assert session.execute(CLAIM, ("w2", 60)).fetchall() == []
    session.execute("UPDATE pgduet._pending SET leased_until = now() - interval '1 s' WHERE lease_owner = 'w1'")
    assert session.execute(CLAIM, ("w2", 60)).fetchall() == [(first, 3, 1)]


def test_claims_at_the_same_moment_wait_for_nobody_and_share_nothing(
    session: Connection, stub_database: Database
) -> None:
    ids = add(session, *[f"r{number}" for number in range(100)])
    with stub_database.connect() as other, session.transaction():
        other.execute("SET lock_timeout = '1ms'")
        mine = [row[0] for row in session.execute(CLAIM, ("w1", 60)).fetchall()]
        others = [row[0] for row in other.execute(CLAIM, ("w2", 60)).fetchall()]
    assert sorted(mine + others) == ids


def test_a_change_is_due_a_second_later_and_new_content_does_not_wait_for_a_failed_ones_pause(
    session: Connection,
) -> None:
    (chunk,) = add(session, "a")
    session.execute(CLAIM, ("w1", 60))
    session.execute("SELECT pgduet._fail('w1', (SELECT array_agg(seq) FROM pgduet._pending), 'row_temporary', 'no')")
    session.execute("UPDATE pgduet._pending SET next_attempt_at = now() + interval '1 hour'")
    session.execute("UPDATE pgduet.code_chunks SET content = 'b'")
    assert 0.5 < scalar(session, "SELECT pgduet._next_due()") <= 1
    session.execute("UPDATE pgduet._pending SET next_attempt_at = now() WHERE error IS NULL")
    assert session.execute(CLAIM, ("w1", 60)).fetchall() == [(chunk, 2, 1)]


def test_attempts_grow_with_failures_and_with_dead_workers_and_not_with_outages(session: Connection) -> None:
    (chunk,) = add(session, "a")
    seqs = "(SELECT array_agg(seq) FROM pgduet._pending)"
    for attempt in (1, 2):
        assert session.execute(CLAIM, ("w1", 0)).fetchall() == [(chunk, 1, attempt)]
    session.execute(f"SELECT pgduet._release('w1', {seqs}, 0)")
    assert session.execute(CLAIM, ("w1", 60)).fetchall() == [(chunk, 1, 2)]
    session.execute(f"SELECT pgduet._fail('w1', {seqs}, 'row_temporary', 'the model failed')")
    assert 2 <= scalar(session, "SELECT pgduet._next_due()") <= 6
    state = session.execute("SELECT chunks, last_error FROM pgduet.queue_status WHERE state = 'retrying'").fetchone()
    assert state == (1, "the model failed")
    assert scalar(session, "SELECT error_class FROM pgduet.failures") == "row_temporary"


def test_what_needs_no_model_is_settled_without_one(session: Connection, stub: StubSidecar) -> None:
    old, gone, blank, moved = add(session, "same", "gone", "blank", "moved")
    embed_now(session, [old, gone, blank, moved])
    (copy,) = add(session, "same")
    session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (gone,))
    session.execute("UPDATE pgduet.code_chunks SET content = '  ' WHERE chunk_id = %s", (blank,))
    session.execute("UPDATE pgduet.code_chunks SET path = 'new/path', language = 'go' WHERE chunk_id = %s", (moved,))
    stub.requests.clear()
    assert session.execute(RESOLVE, ([old, gone, blank, moved, copy],)).fetchall() == []
    assert stub.requests == []
    rows = session.execute("SELECT chunk_id, path, language FROM pgduet.code_embeddings ORDER BY chunk_id").fetchall()
    assert rows == [(old, None, None), (moved, "new/path", "go"), (copy, None, None)]
    same = "SELECT count(DISTINCT (embedding, sketch)) FROM pgduet.code_embeddings WHERE chunk_id = ANY (%s)"
    assert scalar(session, same, [old, copy]) == 1


def test_under_repeatable_read_sync_embeds_and_has_the_worker_look_once_more(
    session: Connection, stub_database: Database
) -> None:
    (chunk,) = add(session, "h0")
    embed_now(session, [chunk])
    session.execute("TRUNCATE pgduet._pending")
    with stub_database.connect() as user:
        user.execute("SET pgduet.trigger_mode = 'sync'")
        user.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        user.execute("SELECT FROM pgduet.code_embeddings")
        user.execute("UPDATE pgduet.code_chunks SET content = 'h1' WHERE chunk_id = %s", (chunk,))
        user.execute("COMMIT")
    assert session.execute("SELECT DISTINCT chunk_id FROM pgduet._pending").fetchall() == [(chunk,)]
    assert scalar(session, "SELECT pgduet._unresolved(%s)", [chunk]) == []


def test_two_first_writers_wait_for_nobody(session: Connection, stub_database: Database) -> None:
    session.execute("SET pgduet.trigger_mode = 'auto'")
    with stub_database.connect() as other, session.transaction():
        add(session, "first")
        other.execute("SET statement_timeout = '3s'")
        other.execute("SET pgduet.trigger_mode = 'auto'")
        (second,) = add(other, "second")
        assert store(other, "stub-fingerprint-1", [second], ["second"]) == []
    assert session.execute("SELECT chunk_id FROM pgduet._pending").fetchall() == [(second,)]


def test_under_repeatable_read_a_first_fingerprint_since_the_snapshot_fails_no_statement(
    session: Connection, stub_database: Database
) -> None:
    with stub_database.connect() as user:
        user.execute("SET pgduet.trigger_mode = 'sync'")
        user.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        user.execute("SELECT FROM pgduet.generations")
        embed_now(session, add(session, "meanwhile"))
        (chunk,) = add(user, "late")
        user.execute("COMMIT")
    assert (chunk,) in session.execute("SELECT chunk_id FROM pgduet._pending").fetchall()


def test_a_chunk_that_comes_back_while_its_old_vector_is_dropped_ends_with_one(
    session: Connection, stub_database: Database
) -> None:
    (chunk,) = add(session, "same")
    embed_now(session, [chunk])
    session.execute("DELETE FROM pgduet.code_chunks")
    session.execute("TRUNCATE pgduet._pending")
    back = "INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (%s, 'same')"
    with stub_database.connect() as dropper, stub_database.connect() as user, ThreadPoolExecutor() as pool:
        dropper.execute("BEGIN")
        assert dropper.execute("SELECT removed FROM pgduet._reconcile_slice(%s, 100)", (START,)).fetchone() == (1,)
        user.execute("SET pgduet.trigger_mode = 'sync'")
        done = pool.submit(user.execute, back, (chunk,))
        time.sleep(0.3)
        dropper.execute("COMMIT")
        done.result(10)
    assert scalar(session, "SELECT count(*) FROM pgduet.code_embeddings") == 1


def test_a_dead_letter_that_a_user_is_forgetting_holds_up_no_worker(
    session: Connection, stub_database: Database
) -> None:
    (chunk,) = add(session, "h1")
    seqs = "(SELECT array_agg(seq) FROM pgduet._pending)"
    hash_of = "(SELECT content_hash FROM pgduet.code_chunks)"
    session.execute(f"SELECT pgduet._bury(1, %s, {hash_of}, 'row_permanent', 'no', 1, {seqs})", (chunk,))
    session.execute("UPDATE pgduet.code_chunks SET content = 'h2'")
    with stub_database.connect() as user, user.transaction():
        user.execute("SELECT pgduet._forget_failures(%s)", ([chunk],))
        session.execute("SET statement_timeout = '2s'")
        assert session.execute(RESOLVE, ([chunk],)).fetchall() == [(chunk, True)]


def test_a_chunk_that_stays_locked_is_looked_at_ever_later(session: Connection, stub_database: Database) -> None:
    add(session, "a")
    session.execute("UPDATE pgduet._pending SET enqueued_at = now() - interval '1 hour'")
    session.execute(CLAIM, ("w", 60))
    session.execute("SELECT pgduet._settle('w', array_agg(chunk_id), array_agg(seq)) FROM pgduet._pending")
    assert 40 < scalar(session, "SELECT pgduet._next_due()") < 80
    assert scalar(session, "SELECT attempts FROM pgduet._pending") == 0


def test_a_chunk_that_somebody_is_changing_is_left_alone(session: Connection, stub_database: Database) -> None:
    ids = add(session, "a", "b")
    with stub_database.connect() as user, user.transaction():
        user.execute("UPDATE pgduet.code_chunks SET content = 'A' WHERE chunk_id = %s", (ids[0],))
        session.execute("SET lock_timeout = '1ms'")
        assert session.execute(RESOLVE, (ids,)).fetchall() == [(ids[1], True)]
        assert scalar(session, "SELECT pgduet._unresolved(%s)", ids) == ids


STORE = (
    "SELECT pgduet._store(1, %s, %s, (SELECT array_agg(sha256(convert_to(u, 'UTF8')) ORDER BY n)"
    " FROM unnest(%s::text[]) WITH ORDINALITY u (u, n)), ARRAY(SELECT v.e FROM generate_series(1, %s),"
    " (SELECT pgduet.embed('any') AS e OFFSET 0) v),"
    " ARRAY(SELECT repeat('1', 2560)::bit(2560) FROM generate_series(1, %s)),"
    " array_fill(3, ARRAY[%s]), array_fill(3, ARRAY[%s]), array_fill(false, ARRAY[%s]))"
)


def store(session: Connection, fingerprint: str, ids: list[int], contents: list[str]) -> list[int]:
    count = [len(ids)] * 5
    return sorted(scalar(session, STORE, fingerprint, ids, contents, *count))


def test_an_answer_is_stored_only_for_the_content_that_was_sent(
    session: Connection, stub_database: Database, stub: StubSidecar
) -> None:
    kept, changed, deleted, busy = add(session, "kept", "before", "deleted", "busy")
    session.execute("UPDATE pgduet.code_chunks SET content = 'after' WHERE chunk_id = %s", (changed,))
    session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (deleted,))
    with stub_database.connect() as user, user.transaction():
        user.execute("UPDATE pgduet.code_chunks SET path = 'p' WHERE chunk_id = %s", (busy,))
        session.execute("SET lock_timeout = '1ms'")
        ids = [kept, changed, deleted, busy]
        assert store(session, stub.fingerprint, ids, ["kept", "before", "deleted", "busy"]) == [kept]
    assert session.execute("SELECT chunk_id FROM pgduet.code_embeddings").fetchall() == [(kept,)]


def test_vectors_of_another_fingerprint_are_refused_with_both_named(session: Connection, stub: StubSidecar) -> None:
    (chunk,) = add(session, "a")
    assert store(session, stub.fingerprint, [chunk], ["a"]) == [chunk]
    with pytest.raises(Exception, match=f"fingerprint other .* holds {stub.fingerprint}"):
        store(session, "other", [chunk], ["a"])


def test_a_dead_letter_rests_until_its_content_changes_or_it_is_retried(session: Connection) -> None:
    (chunk,) = add(session, "a")
    bury = (
        "SELECT pgduet._bury(1, %s, (SELECT content_hash FROM pgduet.code_chunks), 'row_permanent', 'too long', 1,"
        " (SELECT array_agg(seq) FROM pgduet._pending))"
    )
    session.execute(bury, (chunk,))
    assert session.execute(RESOLVE, ([chunk],)).fetchall() == []
    assert scalar(session, "SELECT enqueued FROM pgduet.reconcile()") == 0
    assert session.execute("SELECT state, error FROM pgduet.failures").fetchall() == [("failed", "too long")]
    assert scalar(session, "SELECT state || ': ' || reason FROM pgduet.chunk_status") == "failed: too long"
    assert scalar(session, "SELECT pgduet.retry_failed('row_temporary')") == 0
    assert scalar(session, "SELECT pgduet.retry_failed()") == 1
    assert session.execute(RESOLVE, ([chunk],)).fetchall() == [(chunk, True)]
    session.execute(bury, (chunk,))
    session.execute("UPDATE pgduet.code_chunks SET content = 'b'")
    assert session.execute(RESOLVE, ([chunk],)).fetchall() == [(chunk, True)]
    assert scalar(session, "SELECT count(*) FROM pgduet.failures") == 0


def test_reconcile_finds_what_no_trigger_saw_slice_by_slice(session: Connection) -> None:
    ids = add(session, *[f"r{number}" for number in range(20)])
    embed_now(session, ids)
    session.execute("TRUNCATE pgduet._pending")
    with session.transaction():
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('unseen')")
        session.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = %s", (ids[0],))
        session.execute("UPDATE pgduet.code_chunks SET content = 'other' WHERE chunk_id = %s", (ids[1],))
        session.execute("UPDATE pgduet.code_chunks SET path = 'p' WHERE chunk_id = %s", (ids[2],))
        session.execute("UPDATE pgduet.code_chunks SET content = '' WHERE chunk_id = %s", (ids[3],))
    after: int | None = START
    slices, enqueued, removed = 0, 0, 0
    while after is not None:
        row = session.execute("SELECT * FROM pgduet._reconcile_slice(%s, 6)", (after,)).fetchone()
        assert row is not None
        after, slices, enqueued, removed = row[0], slices + 1, enqueued + row[1], removed + row[2]
    assert (slices, enqueued, removed) == (4, 3, 2)
    queued = session.execute("SELECT chunk_id FROM pgduet._pending ORDER BY 1").fetchall()
    assert queued == [(ids[1],), (ids[2],), (ids[-1] + 1,)]
    assert session.execute("SELECT enqueued, removed FROM pgduet.reconcile()").fetchone() == (0, 0)


def test_a_generation_that_is_being_filled_is_served_beside_the_active_one(
    session: Connection, stub: StubSidecar
) -> None:
    (chunk,) = add(session, "a")
    session.execute("SELECT pgduet._create_generation('next', 'small', 'building')")
    assert session.execute(RESOLVE, ([chunk],)).fetchall() == [(chunk, True), (chunk, False)]
    session.execute("SET pgduet.trigger_mode = 'sync'")
    session.execute("TRUNCATE pgduet._pending")
    (other,) = add(session, "b")
    assert session.execute("SELECT chunk_id FROM pgduet._pending").fetchall() == [(other,)]
    assert session.execute(RESOLVE, ([other],)).fetchall() == [(other, False)]


def test_the_worker_role_can_do_its_work_and_nothing_else(session: Connection, stub: StubSidecar) -> None:
    (chunk,) = add(session, "a")
    session.execute("SET ROLE pgduet_worker")
    assert session.execute(CLAIM, ("w", 60)).fetchall() == [(chunk, 1, 1)]
    assert session.execute(RESOLVE, ([chunk],)).fetchall() == [(chunk, True)]
    assert store(session, stub.fingerprint, [chunk], ["a"]) == [chunk]
    session.execute("SELECT pgduet._beat('w', 'h', 1, '0', 'working', NULL, 1, 0)")
    session.execute("SELECT pgduet._finish(ARRAY[1::bigint])")
    assert session.execute("SELECT worker, state FROM pgduet.worker_status").fetchall() == [("w", "working")]
    for forbidden in ("DELETE FROM pgduet._pending", "DELETE FROM pgduet.code_chunks", "TRUNCATE pgduet._dead_letter"):
        with pytest.raises(Exception, match="permission denied"):
            session.execute(forbidden)
