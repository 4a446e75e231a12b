"""The life of a generation: added, filled, ready, searched, left and retired."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fix_database import Connection, Database
from fix_generations import TwoDuets, add_chunks, evaluated, refusal, scalar, work
from fix_worker import wait_until
from pgduet.database.connection import connect
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options

STATES = "SELECT name, state FROM pgduet.generation_status ORDER BY generation_id"
SEARCH = "SELECT chunk_id, similarity FROM pgduet.similar_code('a query', k => 5)"
HISTORY = "SELECT kind, from_generation, to_generation, forced, reason FROM pgduet._promotion ORDER BY promotion_id"


@pytest.fixture
def session(two_database: Database) -> Iterator[Connection]:
    with two_database.connect() as connection:
        add_chunks(connection, 40)
        work(two_database)
        yield connection


@pytest.fixture
def filled(session: Connection, two_database: Database) -> Connection:
    """Give a session beside whose active generation another one is complete."""
    session.execute("SELECT pgduet.add_generation('other')")
    work(two_database)
    return session


def test_a_generation_from_its_first_vector_to_its_end(session: Connection, two_database: Database) -> None:
    before = session.execute(SEARCH).fetchall()
    said = scalar(session, "SELECT pgduet.add_generation('other', name => 'next')")
    assert "generation next is being filled with vectors of other" in said
    assert session.execute(STATES).fetchall() == [("small", "active"), ("next", "building")]
    assert session.execute(SEARCH).fetchall() == before
    work(two_database)
    row = session.execute(
        "SELECT state, parent, vectors, lacking, failed, share_done, fingerprint, has_index, score"
        " FROM pgduet.generation_status WHERE name = 'next'"
    ).fetchone()
    assert row == ("ready", "small", 40, 0, 0, 1.0, "fingerprint-of-other", False, None)
    evaluated(session, "next")
    said = scalar(session, "SELECT pgduet.promote('next')")
    assert said == "generation next is active; small is kept current: SELECT pgduet.rollback() goes back to it"
    assert session.execute(STATES).fetchall() == [("small", "ready"), ("next", "active")]
    after = session.execute(SEARCH).fetchall()
    assert after != before
    assert scalar(session, "SELECT pgduet.promote('next')") == "generation next is active already"
    add_chunks(session, 5, "later")
    work(two_database)
    assert session.execute("SELECT vectors, lacking FROM pgduet.generation_status").fetchall() == [(45, 0), (45, 0)]
    session.execute("DELETE FROM pgduet.code_chunks WHERE content LIKE 'later%'")
    assert scalar(session, "SELECT pgduet.rollback()") == "generation small is active again; next is kept current"
    assert session.execute(SEARCH).fetchall() == before
    assert "generation next is retired; its vectors take " in scalar(session, "SELECT pgduet.retire('next')")
    assert scalar(session, "SELECT pgduet.retire('next')") == "generation next is retired already"
    add_chunks(session, 5, "last")
    work(two_database)
    counts = "SELECT vectors, lacking, share_done FROM pgduet.generation_status ORDER BY generation_id"
    assert session.execute(counts).fetchall() == [(45, 0, 1.0), (40, None, None)]
    assert session.execute(HISTORY).fetchall() == [
        ("promote", 1, 2, False, None),
        ("rollback", 2, 1, False, None),
    ]


def test_adding_waits_for_nobody_and_nobody_for_it(session: Connection, two_database: Database) -> None:
    with ExitStack() as open_ones:
        reader, writer, adding = (open_ones.enter_context(two_database.connect()) for _ in range(3))
        for one in (reader, writer, adding):
            open_ones.enter_context(one.transaction())
        reader.execute(SEARCH)
        writer.execute("SET LOCAL pgduet.trigger_mode = 'sync'")
        writer.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('held open')")
        adding.execute("SELECT pgduet.add_generation('other')")
        session.execute("SET lock_timeout = '200ms'; SET pgduet.trigger_mode = 'sync'")
        add_chunks(session, 2, "meanwhile")
        session.execute(SEARCH)
        session.execute("UPDATE pgduet.code_chunks SET content = 'changed' WHERE content = 'meanwhile 1'")
        session.execute("DELETE FROM pgduet.code_chunks WHERE content = 'meanwhile 2'")
        work(two_database)
    # The same as CREATE TABLE ... PARTITION OF makes.
    definition = (
        "SELECT array_agg(a.attname || format_type(a.atttypid, a.atttypmod) || a.attstorage::text ORDER BY a.attnum),"
        " c.relowner::regrole::text, (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid AND EXISTS ("
        "SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)),"
        " (SELECT array_agg(k.conname ORDER BY 1) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c')"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relname IN ('code_embeddings_g1', 'code_embeddings_g2') GROUP BY c.oid"
    )
    first, second = session.execute(definition).fetchall()
    assert first == second
    assert first[2] >= 4


def test_a_lock_on_the_table_is_told_soon(session: Connection, two_database: Database) -> None:
    session.execute("ALTER FUNCTION pgduet.add_generation(text, text) SET lock_timeout = '100ms'")
    with two_database.connect() as other, other.transaction():
        other.execute("LOCK TABLE pgduet.code_embeddings IN SHARE MODE")
        message, hint, sqlstate = refusal(session, "SELECT pgduet.add_generation('other')")
    assert (sqlstate, "locked by another session" in message, "Try again" in hint) == ("55P03", True, True)
    assert session.execute(STATES).fetchall() == [("small", "active")]


WRONG_NAMES: list[tuple[tuple[str | None, ...], str, str]] = [
    (("small",), "42710", "there is a generation 'small' already"),
    (("other", "small"), "42710", "already"),
    (("other", " "), "22023", "no name of a generation"),
    (("other", "a\nb"), "22023", "no name of a generation"),
    (("other", "x" * 101), "22023", "no name of a generation"),
    (("../other",), "22023", "no name of a duet"),
    (("",), "22023", "no name of a duet"),
    (("Other",), "22023", "no name of a duet"),
    ((None, "next"), "22023", "NULL is no name of a duet"),
]


def test_names_that_cannot_be(database: Database) -> None:
    with database.connect() as session:
        for arguments, state, words in WRONG_NAMES:
            marks = ", ".join(["%s::text"] * len(arguments))
            message, hint, sqlstate = refusal(session, f"SELECT pgduet.add_generation({marks})", *arguments)
            assert (sqlstate, words in message, bool(hint)) == (state, True, True), arguments
        assert scalar(session, "SELECT count(*) FROM pgduet.generations") == 1


def test_what_stands_against_a_promotion_is_named(session: Connection, two_database: Database, duets: TwoDuets) -> None:
    promote = "SELECT pgduet.promote('other')"
    assert refusal(session, promote)[2] == "42704"
    session.execute("SELECT pgduet.add_generation('other')")
    message, hint, sqlstate = refusal(session, promote)
    assert sqlstate == "55000"
    assert "40 chunk(s) have no vector of it yet; nobody has compared it with the active one" in message
    assert "the sidecar serves other: `pgduet generation wait other`" in hint
    two_database.set("index_min_rows", "100")
    add_chunks(session, 80, "more")
    work(two_database)
    assert "its 120 vectors have no index yet" in refusal(session, promote)[0]
    assert scalar(session, "SELECT state FROM pgduet.generations WHERE name = 'other'") == "building"
    work(two_database, index=True)
    assert session.execute("SELECT state, has_index FROM pgduet.generation_status").fetchall()[1] == ("ready", True)
    message, hint, _ = refusal(session, promote)
    assert message == "generation 'other' is not promoted: nobody has compared it with the active one"
    assert "overrule this with force and a reason" in hint
    evaluated(session, "other", passed=False)
    assert "ndcg@10 0.61 before, 0.66 after, margin 0.01 (the interval holds 0)" in refusal(session, promote)[0]
    for reason in ("", ", reason => NULL", ", reason => '  '"):
        message, _, sqlstate = refusal(session, f"SELECT pgduet.promote('other', force => true{reason})")
        assert (sqlstate, "needs a reason" in message) == ("22023", True)
    evaluated(session, "other")
    del duets.served["other"]
    message, hint, sqlstate = refusal(session, promote)
    assert sqlstate == "55000"
    assert f"no search would work: the active generation needs other; {duets.address} serves: small" in message
    assert "Have the sidecar serve other" in hint
    assert session.execute(STATES).fetchall() == [("small", "active"), ("other", "ready")]
    said = scalar(session, "SELECT pgduet.promote('other', true, 'it is served tomorrow')")
    assert "but no search works: the active generation needs other" in said
    assert session.execute(HISTORY).fetchall() == [("promote", 1, 2, True, "it is served tomorrow")]
    assert "is not served" not in scalar(session, "SELECT pgduet.rollback()")


def test_odd_metrics_count_as_none(database: Database) -> None:
    with database.connect() as session:
        session.execute("SELECT pgduet.add_generation('other')")
        for metrics in ("{}", '{"gate": 1}', '{"gate": {"passed": "yes", "after": "x"}}', "[]", "null"):
            session.execute("UPDATE pgduet.generations SET metrics = %s", (metrics,))
            rows = session.execute("SELECT score_before, score, gate_passed FROM pgduet.generation_status").fetchall()
            assert rows == [(None, None, None)] * 2
            assert "nobody has compared it" in refusal(session, "SELECT pgduet.promote('other')")[0]


def test_a_row_that_no_queue_knows_is_found_by_the_promotion(session: Connection, two_database: Database) -> None:
    session.execute("SET pgduet.trigger_mode = 'sync'")
    with two_database.connect() as late, late.transaction():
        late.execute("SET LOCAL pgduet.trigger_mode = 'sync'")
        late.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('committed late')")
        session.execute("SELECT pgduet.add_generation('other')")
        work(two_database)
        evaluated(session, "other")
        assert scalar(session, "SELECT state FROM pgduet.generations WHERE name = 'other'") == "ready"
    assert scalar(session, "SELECT count(*) FROM pgduet._pending") == 0
    assert "1 chunk(s) have no vector of it yet" in refusal(session, "SELECT pgduet.promote('other')")[0]
    said = scalar(session, "SELECT pgduet.promote('other', true, 'one chunk does not matter')")
    assert "1 chunk(s) are found again once they are embedded" in said
    assert scalar(session, "SELECT count(*) FROM pgduet._pending") == 1
    work(two_database)
    assert session.execute("SELECT vectors, lacking FROM pgduet.generation_status").fetchall() == [(41, 0), (41, 0)]


def test_chunks_that_were_given_up_are_counted_apart(
    session: Connection, two_database: Database, duets: TwoDuets
) -> None:
    duets.blank_for_stub = "text 7"
    session.execute("SELECT pgduet.add_generation('other')")
    work(two_database)
    row = "SELECT state, vectors, lacking, failed, share_done FROM pgduet.generation_status WHERE name = 'other'"
    assert session.execute(row).fetchone() == ("ready", 39, 0, 1, 0.975)
    evaluated(session, "other")
    said = scalar(session, "SELECT pgduet.promote('other')")
    assert "; 1 chunk(s) were given up for it: see pgduet.failures" in said
    session.execute("SELECT pgduet.rollback(), pgduet.retire('other')")
    assert scalar(session, "SELECT count(*) FROM pgduet.failures") == 0


def test_what_comes_for_a_retired_generation_is_left_out(filled: Connection, two_database: Database) -> None:
    filled.execute("SELECT pgduet.retire('other')")
    stored = (
        "SELECT pgduet._store(2, e.fingerprint, ARRAY[c.chunk_id], ARRAY[c.content_hash], ARRAY[e.embedding],"
        " ARRAY[e.sketch], '{1}', '{1}', '{false}') FROM pgduet.code_chunks c,"
        " (SELECT g.fingerprint, s.* FROM pgduet.generations g JOIN pgduet.code_embeddings s USING (generation_id)"
        " WHERE s.generation_id = 2 LIMIT 1) e WHERE c.content = 'text 3'"
    )
    assert filled.execute(stored).fetchone() == ([],)
    filled.execute(
        "SELECT pgduet._bury(2, c.chunk_id, c.content_hash, 'row_permanent', 'no', 1, '{}') FROM pgduet.code_chunks c"
        " WHERE c.content = 'text 3'"
    )
    assert scalar(filled, "SELECT count(*) FROM pgduet._dead_letter") == 0
    message, hint, sqlstate = refusal(filled, "SELECT pgduet.promote('other', true, 'why not')")
    assert (sqlstate, "is retired and no longer filled" in message) == ("55000", True)
    assert "pgduet.add_generation('other'" in hint


def test_rollbacks_go_back_one_promotion_each(filled: Connection, two_database: Database) -> None:
    assert "nothing to roll back to" in refusal(filled, "SELECT pgduet.rollback()")[0]
    filled.execute("SELECT pgduet.add_generation('small', 'third')")
    work(two_database)
    for name in ("other", "third"):
        filled.execute("SELECT pgduet.promote(%s, true, 'a test')", (name,))
    active = "SELECT name FROM pgduet.generations WHERE state = 'active'"
    found = []
    for _ in range(2):
        filled.execute("SELECT pgduet.rollback()")
        found.append(scalar(filled, active))
    assert found == ["other", "small"]
    assert "took the place of no other" in refusal(filled, "SELECT pgduet.rollback()")[1]
    filled.execute("SELECT pgduet.promote('third', true, 'a test')")
    assert "is active: it cannot be retired" in refusal(filled, "SELECT pgduet.retire('third')")[0]
    filled.execute("SELECT pgduet.retire('small')")
    message, hint, sqlstate = refusal(filled, "SELECT pgduet.rollback()")
    assert (sqlstate, message) == ("55000", "generation 'small', which was active before, is retired")
    assert "pgduet.promote()" in hint
    assert scalar(filled, active) == "third"


def test_a_switch_waits_for_another_and_says_so_where_that_lasts(filled: Connection, two_database: Database) -> None:
    with two_database.connect() as other, other.transaction(force_rollback=True):
        other.execute("SELECT pgduet.promote('other', true, 'a test')")
        # Whoever searches waits for nothing.
        assert len(filled.execute(SEARCH).fetchall()) == 5
        filled.execute("ALTER FUNCTION pgduet.retire(text) SET lock_timeout = '100ms'")
        message, hint, sqlstate = refusal(filled, "SELECT pgduet.retire('other')")
    assert (sqlstate, message) == ("55P03", "another session is changing generations")
    assert "Try again" in hint


def test_admins_change_generations_and_readers_see_them(filled: Connection) -> None:
    for role in ("pgduet_reader", "pg_monitor"):
        filled.execute(f"SET ROLE {role}")
        assert len(filled.execute("SELECT * FROM pgduet.generation_status").fetchall()) == 2
    filled.execute("SET ROLE pgduet_writer")
    for call in ("add_generation('small', 'x')", "promote('other')", "rollback()", "retire('other')"):
        assert refusal(filled, f"SELECT pgduet.{call}")[2] == "42501"
    filled.execute("SET ROLE pgduet_worker")
    assert scalar(filled, "SELECT pgduet._settle_generations()") == 2
    filled.execute("RESET ROLE; CREATE ROLE keeper_of_duets LOGIN IN ROLE pgduet_admin")
    try:
        filled.execute("SET SESSION AUTHORIZATION keeper_of_duets")
        filled.execute("SELECT pgduet.add_generation('small', 'x')")
        assert (
            scalar(filled, "SELECT tableowner FROM pg_tables WHERE tablename = 'code_embeddings_g3'") == "pgduet_owner"
        )
        filled.execute("SELECT pgduet.promote('other', true, 'may I?'), pgduet.rollback(), pgduet.retire('x')")
        assert set(filled.execute("SELECT promoted_by FROM pgduet._promotion").fetchall()) == {("keeper_of_duets",)}
    finally:
        filled.execute("RESET SESSION AUTHORIZATION; DROP ROLE keeper_of_duets")


def test_a_running_worker_sees_a_generation_that_is_added(
    session: Connection, two_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgduet.worker.loop._GENERATIONS_SECONDS", 0.2)
    options = Options(poll=0.2, index=False, reconcile=3600)
    worker = Worker(lambda: connect(two_database.conninfo, autocommit=True), options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_until(lambda: scalar(session, "SELECT count(*) FROM pgduet.worker_status WHERE state = 'working'") == 1)
        session.execute("SELECT pgduet.add_generation('other')")
        wait_until(lambda: session.execute(STATES).fetchall()[1:] == [("other", "ready")])
    finally:
        worker.stop()
        thread.join(30)
