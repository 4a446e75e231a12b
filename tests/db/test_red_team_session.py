"""What an ordinary session can set or put in the way changes neither where code is sent nor whose code runs."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from typing import NamedTuple

import psycopg
import pytest

from fix_cases import is_vector_of
from fix_database import Connection, Database, new_database
from fix_roles import login
from fix_sidecar import open_directory
from pgduet.local.cluster import Cluster
from pgduet.migrations.sql_files import read_sql_files
from stub_sidecar import StubSidecar

# What functions read of the session, and the worst that it does.
KNOWN = {"pgduet.search_mode", "pgduet.trigger_mode", "pgduet._woken", "pgduet.traceparent"}
# What somebody might hope that they read.
HOPED_FOR = [
    *(
        f"pgduet.{key}"
        for key in ("sidecar_address", "address", "deadline_ms", "batch_texts", "token_file", "tls_ca_file")
    ),
    *(f"pgduet.{key}" for key in ("python_path", "model", "generation", "sync_max_rows", "notify", "_call_context")),
]
EVIL = ["unix:/tmp/evil.sock", "127.0.0.1:1", "999999999", "/tmp", "', '", "$$", "x" * 100_000, "\u2028"]

# Whatever is called without its schema finds these first, in a path of the caller's.
SHADOWS = """
CREATE FUNCTION {0}.caught() RETURNS void LANGUAGE sql AS 'INSERT INTO public.loot VALUES (current_user)';
CREATE FUNCTION {0}.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT {0}.caught(); SELECT pg_catalog.now()';
CREATE FUNCTION {0}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
  'SELECT {0}.caught(); SELECT pg_catalog.now()';
CREATE FUNCTION {0}.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT {0}.caught(); SELECT $1';
CREATE FUNCTION {0}.format(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT {0}.caught(); SELECT $1';
CREATE FUNCTION {0}.cardinality(bigint[]) RETURNS int LANGUAGE sql AS 'SELECT {0}.caught(); SELECT 1';
CREATE FUNCTION {0}.current_setting(text, bool) RETURNS text LANGUAGE sql AS 'SELECT {0}.caught(); SELECT $1';
CREATE FUNCTION {0}.same(text, text) RETURNS bool LANGUAGE sql AS 'SELECT {0}.caught(); SELECT true';
CREATE OPERATOR {0}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = {0}.same);
CREATE OPERATOR {0}.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = {0}.same);
CREATE FUNCTION {0}.glue(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT {0}.caught(); SELECT $2';
CREATE OPERATOR {0}.|| (LEFTARG = bigint, RIGHTARG = text, FUNCTION = {0}.glue);
CREATE TABLE {0}.generations (generation_id int, model text, fingerprint text, state text);
CREATE TABLE {0}.code_chunks (chunk_id bigint, content text);
CREATE VIEW {0}.pg_extension AS SELECT 1 AS oid, 1 AS extnamespace, {0}.caught()::text AS extname;
"""
USES = [
    "INSERT INTO pgduet.code_chunks (repo, path, content) VALUES ('r', 'p', 'one')",
    "UPDATE pgduet.code_chunks SET content = content || ' more'",
    "SELECT * FROM pgduet.similar_code('one', lexical => true)",
    "SELECT * FROM pgduet.similar_to((SELECT max(chunk_id) FROM pgduet.code_chunks), distinct_content => false)",
    "SELECT * FROM pgduet.embed_batch(ARRAY['a', 'b'])",
    "SELECT * FROM pgduet.index_recall(3)",
    "SELECT * FROM pgduet.health()",
    "SELECT * FROM pgduet.index_health()",
    "SELECT * FROM pgduet.coverage",
    "SELECT * FROM pgduet.queue_status",
    "SELECT * FROM pgduet.generation_status",
    "SELECT * FROM pgduet.watch_status",
    "DELETE FROM pgduet.code_chunks",
]


@pytest.fixture
def writer(stub_database: Database) -> Iterator[Connection]:
    with login(stub_database, "pgduet_writer") as session:
        yield session


class Desk(NamedTuple):
    """A database of a writer's, for attacks that leave nothing behind but settings of the session."""

    session: Connection
    stub: StubSidecar


@pytest.fixture(scope="module")
def shared_desk(cluster: Cluster, template: str) -> Iterator[Desk]:
    with ExitStack() as stack:
        folder = stack.enter_context(open_directory())
        stub = stack.enter_context(StubSidecar(f"unix:{folder}/stub.sock"))
        database = stack.enter_context(new_database(cluster, template))
        database.set("sidecar_address", stub.address)
        yield Desk(stack.enter_context(login(database, "pgduet_writer")), stub)


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    shared_desk.session.execute("RESET ALL")
    shared_desk.session.execute("DELETE FROM pgduet.code_chunks")
    return shared_desk


def test_no_setting_is_read_of_a_session_but_these() -> None:
    package = files("pgduet.backend")
    texts = [*read_sql_files().values(), *(item.read_text() for item in package.iterdir() if item.name.endswith(".py"))]
    found = {name for text in texts for name in re.findall(r"'(pgduet\.\w+)'", text) if f"setting('{name}'" in text}
    assert found == KNOWN
    assert not any(word in text for text in texts for word in ("os.environ[", "getenv", "sys.path"))


@pytest.mark.parametrize("name", [*sorted(KNOWN), *HOPED_FOR])
def test_a_setting_of_the_session_redirects_nothing(desk: Desk, name: str) -> None:
    writer, stub = desk
    for value in EVIL:
        writer.execute("SELECT set_config(%s, %s, false)", (name, value))
        asked = len(stub.requests)
        found = writer.execute("SELECT pgduet.embed('one')::text").fetchone()
        assert found is not None
        assert is_vector_of(found[0], "one")
        assert len(stub.requests) == asked + 1
        assert stub.requests[-1].traceparent is None
        assert stub.requests[-1].model == "small"
    modes = {"pgduet.search_mode": "SELECT * FROM pgduet.similar_code('x')", "pgduet.trigger_mode": USES[0]}
    if name in modes:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"unknown (search|trigger) mode"):
            writer.execute(modes[name].encode())
    else:
        writer.execute(USES[0].encode())


@pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "array_nulls = off",
    "transform_null_equals = on", "bytea_output = escape", "DateStyle = German", "extra_float_digits = -15",
    "IntervalStyle = iso_8601", "default_transaction_isolation = serializable", "plpgsql.extra_errors = 'all'",
    "search_path = ''"])  # fmt: skip
def test_a_servers_setting_changes_nothing_that_is_stored_or_found(desk: Desk, setting: str) -> None:
    writer = desk.session
    what = "INSERT INTO pgduet.code_chunks (symbol, content) VALUES ('parseHTTPDate', %s)"
    writer.execute(what, ("def parse_http_date(x\\): return self.stream",))
    writer.execute(f"SET {setting}".encode())
    writer.execute("SET statement_timeout = '10s'")
    writer.execute(what, (r"def parse_http_date(x\): return self.stream",))
    rows = "SELECT pgduet._lexemes(symbol, content)::text, content_hash FROM pgduet.code_chunks"
    # An index holds these words.
    assert len(set(writer.execute(rows.encode()).fetchall())) == 1
    found = writer.execute("SELECT content FROM pgduet.similar_code('parse_http_date', lexical => true)").fetchall()
    assert len(found) == 1 or "serializable" in setting


def test_without_row_security_nothing_is_read_and_what_is_written_is_embedded(desk: Desk) -> None:
    desk.session.execute("SET row_security = off")
    desk.session.execute(USES[0].encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="would be affected by row-level security"):
        desk.session.execute("SELECT * FROM pgduet.similar_code('one')")
    desk.session.execute("RESET row_security")
    assert desk.session.execute("SELECT content FROM pgduet.similar_code('x')").fetchall() == [("one",)]


@pytest.mark.parametrize("place", ["pg_temp", "public"])
def test_names_in_the_way_of_the_servers_own_catch_nobody_else(
    writer: Connection, stub_database: Database, place: str
) -> None:
    with stub_database.connect() as owner:
        owner.execute("CREATE TABLE public.loot (who name); GRANT ALL ON public.loot TO PUBLIC")
        owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        # As ours would be without a path of their own.
        owner.execute(
            "CREATE FUNCTION public.careless(a text, b text) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER"
            " AS 'BEGIN RETURN a = b; END'"
        )
        writer.execute(SHADOWS.format(place).encode())
        writer.execute(f"SET search_path = {place}, public, pg_catalog".encode())
        for statement in USES:
            writer.execute(statement.encode())
        assert owner.execute("SELECT who FROM public.loot WHERE who <> %s", (writer.info.user,)).fetchall() == []
        row = writer.execute("SELECT pgduet.embed('one')::text").fetchone()
        assert row is not None
        assert is_vector_of(row[0], "one")
        # pg_temp holds no functions and operators that are found without it, whatever the path says.
        writer.execute("SELECT public.careless('x', 'y')")
        caught = owner.execute("SELECT count(*) FROM public.loot WHERE who = 'postgres'").fetchone()
        assert caught == (1 if place == "public" else 0,)


def test_errors_tell_nothing_of_rows_that_one_may_not_see(writer: Connection, stub_database: Database) -> None:
    with stub_database.connect() as owner:
        owner.execute(
            "INSERT INTO pgduet.code_chunks (chunk_id, source, source_key, content) VALUES (7, 's', 'k', 'hidden')"
        )
        owner.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        owner.execute(
            f"CREATE POLICY p ON pgduet.code_chunks TO {writer.info.user} USING (content <> 'hidden')".encode()
        )
        told = []
        for statement in (
            "INSERT INTO pgduet.code_chunks (source, source_key, content) VALUES ('s', 'k', 'mine')",
            "INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (7, 'mine')",
            "INSERT INTO pgduet.code_chunks (content) VALUES ('hidden')",
            "SELECT * FROM pgduet.similar_to(7)",
            "UPDATE pgduet.code_embeddings SET path = 'x'",
            "SELECT 1 / (length(content) - 6) FROM pgduet.code_chunks UNION SELECT x::int FROM (SELECT 'a') s (x)",
        ):
            with pytest.raises(psycopg.Error) as caught:
                writer.execute(statement.encode())
            told.append(str(caught.value))
        assert "duplicate key" in told[0]
        assert "Key (" not in "".join(told)
        assert "hidden" not in "".join(told)
        assert "division" not in "".join(told)


def test_a_writers_triggers_are_not_the_tables_and_a_role_change_gains_nothing(
    writer: Connection, stub_database: Database
) -> None:
    with stub_database.connect() as owner:
        owner.execute(f"GRANT pgduet_reader TO {writer.info.user}".encode())
    writer.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one')")
    writer.execute("SET ROLE pgduet_reader")
    assert writer.execute("SELECT content FROM pgduet.similar_code('x')").fetchall() == [("one",)]
    for statement in ("DELETE FROM pgduet.code_chunks", "SELECT pgduet.promote('small')", "SELECT pgduet.reconcile()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(statement.encode())
