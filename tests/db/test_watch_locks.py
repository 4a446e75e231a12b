"""Watching, unwatching and working at the same time: each waits for the other, none for both."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from fix_watch import Shop
from fix_worker import wait_until

WATCH = "SELECT pgduet.watch('t', 'code')"


def in_background(shop: Shop, pool: ThreadPoolExecutor, statement: str) -> "Future[object]":
    """Start a statement in a session of its own and wait until it waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    before = shop.one(waiting)

    def run() -> object:
        with shop.database.connect() as session:
            row = session.execute(statement).fetchone()
            return row and row[0]

    started = pool.submit(run)
    wait_until(lambda: shop.one(waiting) == before + 1)
    return started


@contextmanager
def held(shop: Shop, statement: str) -> Iterator[None]:
    """Hold the locks that a statement takes."""
    with shop.database.connect() as session, session.transaction():
        session.execute(statement)
        yield


@pytest.fixture
def no_deadlock(shop: Shop) -> Iterator[None]:
    """Look afterwards whether the server had to break a deadlock."""
    log = shop.database.cluster.log
    before = len(log.read_bytes())
    yield
    assert b"deadlock" not in log.read_bytes()[before:]


FORGET = {
    "a worker that finds the table gone": "SELECT pgduet._forget_watch(watch_id) FROM pgduet._watch",
    "unwatch": "SELECT pgduet.unwatch('t')",
}


@pytest.mark.usefixtures("no_deadlock", "table")
@pytest.mark.parametrize("forget", FORGET.values(), ids=FORGET)
def test_a_table_watched_again_while_its_watch_is_being_forgotten_gets_a_new_one(shop: Shop, forget: str) -> None:
    old = shop.one("SELECT watch_id FROM pgduet._watch")
    with ThreadPoolExecutor(2) as pool:
        with held(shop, "SELECT FROM pgduet.code_chunks WHERE source = 'public.t' FOR UPDATE"):
            if "_forget_watch" in forget:
                # As a worker does once it finds that the table has gone; another has its name.
                shop.run("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, code text); INSERT INTO t VALUES (3, 'x')")
            forgetting = in_background(shop, pool, forget)
            watching = in_background(shop, pool, WATCH)
        assert forgetting.result(20) == 2
        assert watching.result(20) == "public.t"
    assert shop.one("SELECT watch_id FROM pgduet._watch") > old
    assert shop.one("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^_pgduet_watch'") == 2
    assert len(shop.chunks("public.t")) == shop.one("SELECT count(*) FROM t")


@pytest.mark.usefixtures("no_deadlock")
def test_a_look_through_the_table_notes_what_it_found_while_the_table_is_watched_again(shop: Shop) -> None:
    shop.run("CREATE TABLE t (id text PRIMARY KEY, code text)")
    shop.run("INSERT INTO t VALUES ('a', 'one')")
    shop.run(WATCH)
    assert shop.chunks("public.t") == {"a": "one"}
    shop.run("INSERT INTO t VALUES (repeat('long', 600), 'two')")
    # What was deleted behind its back is cut again, which takes the lock on the row that is held here.
    shop.run("DELETE FROM pgduet.code_chunks")
    with ThreadPoolExecutor(2) as pool:
        with held(shop, "SELECT FROM pgduet._source_row FOR UPDATE"):
            looking = in_background(shop, pool, "SELECT pgduet._rescan_watch(watch_id, 10) FROM pgduet._watch")
            watching = in_background(shop, pool, WATCH)
        assert looking.result(20) == 1
        assert watching.result(20) == "public.t"
    assert shop.one("SELECT long_keys FROM pgduet._watch") == 1
    assert shop.chunks("public.t") == {"a": "one"}


@pytest.mark.usefixtures("no_deadlock", "table")
def test_two_who_watch_and_two_who_unwatch_at_once_come_to_an_end(shop: Shop) -> None:
    with ThreadPoolExecutor(4) as pool:
        with held(shop, "SELECT FROM pgduet._watch FOR KEY SHARE"):
            statements = [WATCH, FORGET["unwatch"], WATCH, FORGET["unwatch"]]
            started = [in_background(shop, pool, statement) for statement in statements]
        assert [one.result(20) for one in started] == ["public.t", 2, "public.t", 0]
    assert shop.one("SELECT count(*) FROM pgduet._watch") == 0
    assert shop.one("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^_pgduet_watch'") == 0
