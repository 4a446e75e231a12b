"""Attacks by role: each is refused, and each would do its harm where it is not."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import psycopg
import pytest

from fix_database import Connection, new_database
from fix_roles import login
from fix_sidecar import open_directory
from pgduet.local.cluster import Cluster
from stub_sidecar import StubSidecar

ROLES = (None, "pgduet_reader", "pgduet_writer", "pgduet_admin", "pgduet_worker", "pg_monitor")
DENIED = "42501"


class Attack(NamedTuple):
    """What somebody tries and what it would have changed: a query whose answer differs after it."""

    role: str | None
    statement: str
    harm: str = ""
    sqlstate: str = DENIED


def reading(role: str | None, statement: str) -> Attack:
    """Give an attack whose harm is that it gets an answer."""
    return Attack(role, statement)


SETTINGS = "SELECT array_agg(s::text ORDER BY key) FROM pgduet._setting s"
FUNCTIONS = "SELECT count(*), md5(string_agg(p::text, '' ORDER BY oid)) FROM pg_proc p"
RELATIONS = "SELECT md5(string_agg(c::text, '' ORDER BY oid)) FROM pg_class c"
QUEUE = "SELECT count(*), max(next_attempt_at) FROM pgduet._pending"
VECTORS = "SELECT count(*), md5(string_agg(md5(e::text), '')) FROM pgduet.code_embeddings e"
CHUNKS = "SELECT count(*) FROM pgduet.code_chunks"
GENERATIONS = "SELECT md5(string_agg(g::text, '' ORDER BY g.generation_id)) FROM pgduet.generations g"

ATTACKS = {
    # Where code is sent, and what is said about it.
    "redirect as nobody": Attack(
        None, "UPDATE pgduet._setting SET value = 'evil:1' WHERE key = 'sidecar_address'", SETTINGS
    ),
    "redirect as writer": Attack("pgduet_writer", "UPDATE pgduet._setting SET value = '9' WHERE key ~ 'ms$'", SETTINGS),
    "redirect as worker": Attack("pgduet_worker", "UPDATE pgduet._setting SET value = '9' WHERE key ~ 'ms$'", SETTINGS),
    "settings read by a reader": reading("pgduet_reader", "SELECT * FROM pgduet._setting"),
    "settings read by a monitor": reading("pg_monitor", "SELECT * FROM pgduet._setting"),
    "settings read through the view": reading("pgduet_writer", "SELECT sidecar_address FROM pgduet._call_context"),
    "settings copied out": reading("pgduet_writer", "COPY pgduet._setting TO STDOUT"),
    "settings copied in": Attack("pgduet_admin", "COPY pgduet._setting (key, value, description) FROM STDIN"),
    "settings removed by an admin": Attack("pgduet_admin", "DELETE FROM pgduet._setting", SETTINGS),
    "settings renamed by an admin": Attack("pgduet_admin", "UPDATE pgduet._setting SET description = 'mine'", SETTINGS),
    # Which code runs.
    "a function in the schema": Attack(
        "pgduet_admin", "CREATE FUNCTION pgduet.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'", FUNCTIONS
    ),
    "a table in the schema": Attack("pgduet_writer", "CREATE TABLE pgduet.evil (x int)", RELATIONS),
    "another embed": Attack(
        "pgduet_admin", "CREATE OR REPLACE FUNCTION pgduet._wake() RETURNS void LANGUAGE sql AS ''", FUNCTIONS
    ),
    "a function without its path": Attack(
        "pgduet_admin", "ALTER FUNCTION pgduet.embed(text, text, text) RESET search_path", FUNCTIONS
    ),
    "Python of one's own": Attack(
        "pgduet_admin", "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpython3u AS 'return 1'", FUNCTIONS
    ),
    "Python at once": Attack("pgduet_writer", "DO LANGUAGE plpython3u 'import sys; sys.path.insert(0, \"/tmp\")'"),
    "the loader of the package": reading("pgduet_reader", "SELECT pgduet._load_backend()"),
    "a library for the server": Attack("pgduet_admin", "LOAD 'plpython3'"),
    "a trigger on chunks": Attack(
        "pgduet_writer",
        "CREATE TRIGGER spy BEFORE UPDATE ON pgduet.code_chunks FOR EACH ROW"
        " EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
        "SELECT count(*) FROM pg_trigger",
    ),
    "a rule on chunks": Attack(
        "pgduet_writer",
        "CREATE RULE r AS ON DELETE TO pgduet.code_chunks DO INSTEAD NOTHING",
        "SELECT count(*) FROM pg_rewrite",
    ),
    "triggers off": Attack(
        "pgduet_admin",
        "ALTER TABLE pgduet.code_chunks DISABLE TRIGGER USER",
        "SELECT string_agg(tgenabled::text, '') FROM pg_trigger",
    ),
    "triggers off for the session": Attack(
        "pgduet_writer", "SET session_replication_role = replica", "SHOW session_replication_role"
    ),
    # What the owner keeps.
    "becoming the owner": Attack("pgduet_admin", "SET ROLE pgduet_owner", "SELECT current_user"),
    "becoming a worker": Attack("pgduet_admin", "SET ROLE pgduet_worker", "SELECT current_user"),
    "becoming a superuser": Attack("pgduet_admin", "SET SESSION AUTHORIZATION pgduet_owner", "SELECT session_user"),
    "no row security": Attack(
        "pgduet_admin", "ALTER TABLE pgduet.code_embeddings DISABLE ROW LEVEL SECURITY", RELATIONS
    ),
    "a policy less": Attack(
        "pgduet_admin", "DROP POLICY _chunks_kept ON pgduet.code_chunks", "SELECT count(*) FROM pg_policy"
    ),
    "a policy more": Attack(
        "pgduet_writer", "CREATE POLICY p ON pgduet.code_chunks USING (true)", "SELECT count(*) FROM pg_policy"
    ),
    "a partition beside its parent": reading("pgduet_reader", "SELECT * FROM pgduet.code_embeddings_g1"),
    "the queue filled": Attack("pgduet_writer", "INSERT INTO pgduet._pending (chunk_id) VALUES (1)", QUEUE),
    "the queue emptied": Attack("pgduet_admin", "DELETE FROM pgduet._pending", QUEUE),
    "the queue settled": Attack("pgduet_admin", "SELECT pgduet._finish(ARRAY(SELECT seq FROM pgduet._pending))", QUEUE),
    "failures forgotten": Attack(
        "pgduet_writer", "DELETE FROM pgduet._dead_letter", "SELECT count(*) FROM pgduet._dead_letter"
    ),
    "failures revived": Attack(
        "pgduet_writer", "SELECT pgduet.retry_failed()", "SELECT count(*) FROM pgduet._dead_letter"
    ),
    "vectors removed": Attack("pgduet_writer", "DELETE FROM pgduet.code_embeddings", VECTORS),
    "vectors forged": Attack("pgduet_admin", "UPDATE pgduet.code_embeddings SET path = 'evil'", VECTORS),
    "vectors truncated": Attack("pgduet_admin", "TRUNCATE pgduet.code_embeddings", VECTORS),
    "chunks truncated by a reader": Attack("pgduet_reader", "TRUNCATE pgduet.code_chunks", CHUNKS),
    "chunks removed by a worker": Attack("pgduet_worker", "DELETE FROM pgduet.code_chunks", CHUNKS),
    "a fingerprint forged": Attack("pgduet_admin", "UPDATE pgduet.generations SET fingerprint = 'evil'", GENERATIONS),
    "a generation added": Attack("pgduet_writer", "SELECT pgduet.add_generation('other')", GENERATIONS),
    "a generation promoted": Attack(
        "pgduet_writer", "SELECT pgduet.promote('second', force => true, reason => 'mine')", GENERATIONS
    ),
    "a generation judged": Attack("pgduet_worker", "SELECT pgduet._judge('second', '{\"passed\": true}')", GENERATIONS),
    "a generation retired": Attack("pgduet_writer", "SELECT pgduet.retire('second')", GENERATIONS),
    "fine-tuning": Attack("pgduet_writer", "SELECT pgduet.finetune()", "SELECT count(*) FROM pgduet.finetune_runs"),
    "reindexing": Attack("pgduet_writer", "SELECT pgduet.reindex()", "SELECT count(*) FROM pgduet._index_request"),
    # What others asked and wrote.
    "queries of others": reading("pgduet_writer", "SELECT * FROM pgduet._recent_queries(1)"),
    "contents past the policies": reading("pgduet_admin", "SELECT * FROM pgduet._contents(ARRAY[1])"),
    "chunks claimed": Attack(
        "pgduet_admin", "SELECT pgduet._claim('me', 10, 60)", "SELECT count(lease_owner) FROM pgduet._pending"
    ),
    "code read by a monitor": reading("pg_monitor", "SELECT content FROM pgduet.code_chunks"),
    "code sent by nobody": reading(None, "SELECT pgduet.embed('x')"),
    "code sent by a monitor": reading("pg_monitor", "SELECT pgduet.embed('x')"),
    "the server's files": reading("pgduet_admin", "SELECT pg_read_file('postgresql.conf')"),
    # Too much of everything.
    "a text of 70 MB": Attack("pgduet_reader", "SELECT pgduet.embed(repeat('x', 70000000))", sqlstate="22023"),
    "fewer than no rows": Attack("pgduet_reader", "SELECT * FROM pgduet.similar_code('x', k => -1)", sqlstate="22023"),
    "a recall of a billion": Attack("pgduet_reader", "SELECT * FROM pgduet.index_recall(1000000000)", sqlstate="22023"),
    "a role that is none": Attack("pgduet_reader", "SELECT pgduet.embed('x', E'query\\x1f')", sqlstate="22023"),
    "a name with a path in it": Attack("pgduet_admin", "SELECT pgduet.add_generation('../../etc')", sqlstate="22023"),
    "a pattern that ends in an escape": Attack(
        "pgduet_reader", "SELECT * FROM pgduet.similar_code('x', path_like => E'\\\\')", sqlstate="22025"
    ),
    "tables that are none": Attack(
        "pgduet_admin", "SELECT pgduet.watch('t; DROP TABLE pgduet._setting', 'code')", sqlstate="42602"
    ),
}


class Scene(NamedTuple):
    superuser: Connection
    sessions: dict[str | None, Connection]


@pytest.fixture(scope="module")
def scene(cluster: Cluster, template: str) -> Iterator[Scene]:
    """Give a filled database with a session of somebody in each role; nothing that is refused changes it."""
    with ExitStack() as stack:
        database = stack.enter_context(new_database(cluster, template))
        folder = stack.enter_context(open_directory())
        stub = stack.enter_context(StubSidecar(f"unix:{folder}/stub.sock"))
        database.set("sidecar_address", stub.address)
        superuser = stack.enter_context(database.connect())
        superuser.execute(
            "INSERT INTO pgduet.code_chunks (path, content) SELECT 'p', 'text ' || g FROM generate_series(1, 3) g"
        )
        superuser.execute("SELECT pgduet.add_generation('small', 'second')")
        superuser.execute("INSERT INTO pgduet._pending (chunk_id) VALUES (1)")
        superuser.execute(
            "INSERT INTO pgduet._dead_letter"
            " SELECT chunk_id, 1, content_hash, 'row_permanent', 'x', 1 FROM pgduet.code_chunks"
        )
        yield Scene(superuser, {role: stack.enter_context(login(database, role)) for role in ROLES})


def run(session: Connection, statement: str) -> None:
    """Run a statement to its end, COPY too."""
    if not statement.startswith("COPY"):
        session.execute(statement.encode())
        return
    with session.cursor().copy(statement.encode()) as copy:
        if statement.endswith("STDIN"):
            copy.write(b"mine\tevil:1\tx\n")
        else:
            assert b"sidecar_address" in b"".join(bytes(row) for row in copy)


@pytest.mark.parametrize("name", list(ATTACKS))
def test_an_attack_is_refused_and_would_bite(scene: Scene, name: str) -> None:
    attack = ATTACKS[name]
    with pytest.raises(psycopg.Error) as caught:
        run(scene.sessions[attack.role], attack.statement)
    assert caught.value.sqlstate == attack.sqlstate
    if attack.sqlstate != DENIED:
        return
    # The same by somebody who may do anything: it is the right that was lacking, and this is the harm.
    with scene.superuser.transaction(force_rollback=True):
        before = scene.superuser.execute(attack.harm.encode()).fetchall() if attack.harm else None
        if attack.statement.endswith("STDIN"):
            # Even to a superuser the table takes no setting that it does not know.
            with pytest.raises(psycopg.errors.CheckViolation):
                run(scene.superuser, attack.statement)
            return
        run(scene.superuser, attack.statement)
        if attack.harm:
            assert scene.superuser.execute(attack.harm.encode()).fetchall() != before
