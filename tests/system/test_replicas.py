"""Standbys answer and write nothing; what is promoted goes on; a subscriber makes its own vectors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from fix_database import Database, new_database
from fix_replicas import catch_up, promote, standby_of
from fix_sidecar import open_directory
from fix_watch import CuttingStub
from fix_worker import wait_until
from pgduet.database.connection import connect
from pgduet.database.errors import DatabaseError
from pgduet.database.settings import write_setting
from pgduet.local.cluster import Cluster
from pgduet.worker.loop import Worker
from pgduet.worker.options import Options
from stub_sidecar import StubSidecar

# Everything that somebody may ask of a standby; each line is one statement.
READS = (
    "SELECT count(*) FROM pgduet.similar_code('def one(): pass', k => 2)",
    "SELECT count(*) FROM pgduet.similar_code('def one(): pass', k => 2, language => 'python', lexical => true)",
    "SELECT count(*) FROM pgduet.similar_to(1, k => 2)",
    "SELECT count(*) FROM pgduet.embed_batch(ARRAY['a', 'b'])",
    "SELECT count(*) FROM pgduet.chunk_code('def one(): pass', 'python')",
    "SELECT count(pgduet.embed('x'))",
    "SELECT count(*) FROM pgduet.health()",
    "SELECT count(*) FROM pgduet.index_health()",
    "SELECT count(pgduet.version())",
    *(
        f"SELECT count(*) FROM pgduet.{view}"
        for view in ("coverage", "generation_status", "index_status", "queue_status", "failures", "chunk_status")
    ),
    *(
        f"SELECT count(*) FROM pgduet.{view}"
        for view in ("worker_status", "watch_status", "watch_failures", "triplets", "finetune_history")
    ),
)


def work(database: Database) -> None:
    Worker(lambda: connect(database.conninfo, autocommit=True), Options(index=False)).run(once=True)


@contextmanager
def waiting_worker(database: Database) -> Iterator[None]:
    """Run a worker that finds the server read-only, and has waited for a while when the block begins."""
    options = Options(index=False, poll=0.2, longest_pause=0.5)
    worker = Worker(lambda: connect(database.conninfo, autocommit=True), options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        thread.join(2)
        assert thread.is_alive(), "the worker gave up"
        yield
    finally:
        worker.stop()
        thread.join()


def current(database: Database) -> list[str]:
    """Give the contents that have a current vector."""
    with database.connect() as session:
        rows = session.execute(
            "SELECT c.content FROM pgduet.code_chunks c JOIN pgduet.code_embeddings e"
            " ON e.chunk_id = c.chunk_id AND e.content_hash = c.content_hash ORDER BY 1"
        )
        return [content for (content,) in rows]


def test_a_standby_answers_writes_nothing_and_works_once_promoted(stub_database: Database, stub: StubSidecar) -> None:
    primary = stub_database
    with primary.connect() as session:
        session.execute(
            "INSERT INTO pgduet.code_chunks (content, language) VALUES ('def one(): pass', 'python'), ('two', 'c')"
        )
        with standby_of(primary.cluster) as cluster:
            standby = Database(cluster, primary.name)
            session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('three')")
            catch_up(primary, standby)
            with standby.connect() as reader:
                for query in READS:
                    assert reader.execute(query.encode()).fetchone() is not None, query
                found = reader.execute("SELECT content FROM pgduet.similar_code('three', k => 3)").fetchall()
                assert len(found) == 3
                parts = dict(reader.execute("SELECT component, status FROM pgduet.health()").fetchall())
                assert parts["sidecar"] == parts["backend"] == "ok"
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    reader.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('four')")
            with pytest.raises(DatabaseError, match="read-only"):
                work(standby)
            with waiting_worker(standby), standby.connect() as writer:
                promote(standby)
                writer.execute("SET pgduet.trigger_mode = 'queue'")
                writer.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('four')")
                wait_until(lambda: current(standby) == ["def one(): pass", "four", "three", "two"])
    assert current(primary) == ["def one(): pass", "three", "two"]


@pytest.fixture
def pair(database: Database, cluster: Cluster, template: str) -> Iterator[tuple[Database, Database]]:
    """Give a publisher and a subscriber, both with pgduet, in one cluster; nothing is subscribed to yet."""
    with new_database(cluster, template) as subscriber:
        yield database, subscriber
        with subscriber.connect() as session:
            for (name,) in session.execute("SELECT subname FROM pg_subscription").fetchall():
                session.execute(f"ALTER SUBSCRIPTION {name} DISABLE; ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
                session.execute(f"DROP SUBSCRIPTION {name}")
        with database.connect() as session:
            gone = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database() AND active"
            wait_until(lambda: session.execute(gone).fetchone() == (0,))
            slots = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
            session.execute(f"SELECT pg_drop_replication_slot(s.slot_name) FROM ({slots}) s")


def subscribe(publisher: Database, subscriber: Database, tables: str) -> None:
    """Replicate tables; the slot is made by hand, because publisher and subscriber are of one cluster."""
    with publisher.connect() as there, subscriber.connect() as here:
        there.execute(f"CREATE PUBLICATION pub FOR TABLE {tables}")
        slot = f"slot_{publisher.name}"
        there.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        here.execute(
            f"CREATE SUBSCRIPTION sub_{publisher.name} CONNECTION $${publisher.conninfo}$$ PUBLICATION pub"
            f" WITH (create_slot = false, slot_name = '{slot}')"
        )


def value(database: Database, query: str) -> object:
    with database.connect() as session:
        (found,) = session.execute(query.encode()).fetchone() or (None,)
        return found


def test_a_subscriber_to_the_chunks_makes_its_own_vectors_by_reconciling(
    pair: tuple[Database, Database], stub: StubSidecar
) -> None:
    publisher, subscriber = pair
    subscriber.set("sidecar_address", stub.address)
    with publisher.connect() as session:
        session.execute("SET pgduet.trigger_mode = 'queue'")
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one'), ('two')")
        subscribe(publisher, subscriber, "pgduet.code_chunks")
        count = "SELECT count(*) FROM pgduet.code_chunks"
        wait_until(lambda: value(subscriber, count) == 2)
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('three')")
        session.execute("UPDATE pgduet.code_chunks SET content = 'changed' WHERE content = 'one'")
        session.execute("DELETE FROM pgduet.code_chunks WHERE content = 'two'")
        wait_until(lambda: value(subscriber, "SELECT string_agg(content, ',' ORDER BY content) FROM pgduet.code_chunks")
                   == "changed,three")  # fmt: skip
    # No trigger saw them: neither the copy at the beginning nor what came afterwards.
    assert value(subscriber, "SELECT count(*) FROM pgduet._pending") == 0
    assert value(subscriber, "SELECT enqueued FROM pgduet.reconcile()") == 2
    work(subscriber)
    assert current(subscriber) == ["changed", "three"]
    assert sorted(text for request in stub.requests for text in request.contents) == ["changed", "three"]


def test_a_subscribers_watched_table_is_followed_once_its_trigger_is_always_on(pair: tuple[Database, Database]) -> None:
    publisher, subscriber = pair
    table = "CREATE TABLE note (id int PRIMARY KEY, body text)"
    with (
        open_directory() as folder,
        CuttingStub(f"unix:{folder}/stub.sock") as stub,
        publisher.connect() as there,
        subscriber.connect() as here,
    ):
        write_setting(here, "sidecar_address", stub.address)
        there.execute(table)
        here.execute(table + "; SELECT pgduet.watch('note', 'body')")
        work(subscriber)
        subscribe(publisher, subscriber, "note")
        there.execute("INSERT INTO note VALUES (1, 'def one(): pass')")
        wait_until(lambda: value(subscriber, "SELECT count(*) FROM note") == 1)
        assert value(subscriber, "SELECT count(*) FROM pgduet._source") == 0
        here.execute("ALTER TABLE note ENABLE ALWAYS TRIGGER _pgduet_watch_1")
        there.execute("INSERT INTO note VALUES (2, 'def two(): pass')")
        wait_until(lambda: value(subscriber, "SELECT count(*) FROM pgduet._source WHERE row_key = '2'") == 1)
        work(subscriber)
        assert current(subscriber) == ["def one(): pass", "def two(): pass"]
