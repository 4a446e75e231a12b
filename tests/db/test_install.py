"""Installing, upgrading, describing and removing the schema."""

import os
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from fix_database import Database
from fix_dumps import dump_schema
from pgduet.errors import PgduetError
from pgduet.local.binaries import OLDEST_MAJOR, find_binaries
from pgduet.migrations.install import migrate, migration_script
from pgduet.migrations.removal import uninstall
from pgduet.migrations.schema import status
from stub_sidecar import StubSidecar

GOLDEN = Path(__file__).parent / "schema.golden.sql"

# What an earlier version had where there is a part now.
WITHOUT_PARTS = """
DROP FUNCTION pgduet.embed, pgduet.embed_batch, pgduet._embed_rows;
CREATE FUNCTION pgduet.embed(content text, role text DEFAULT 'document') RETURNS halfvec
LANGUAGE plpython3u STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER AS $$ return None $$;
CREATE FUNCTION pgduet._embed_rows(contents text[], role text, seconds double precision)
RETURNS TABLE (ordinality integer, embedding halfvec, sketch bit, code_tokens integer, text_tokens integer,
  truncated boolean, failure text, fingerprint text)
LANGUAGE plpython3u STABLE STRICT PARALLEL UNSAFE SECURITY DEFINER AS $$ return [] $$;
CREATE FUNCTION pgduet.embed_batch(contents text[], role text DEFAULT 'document')
RETURNS TABLE (ordinality integer, embedding halfvec) LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
AS $$ BEGIN END $$;
"""


def without_views(dump: str) -> str:
    """Leave the views' queries out: since PostgreSQL 16 they are printed with fewer names of tables."""
    return re.sub(r"^(CREATE VIEW \S+[^\n]*AS\n).*?;\n", r"\1", dump, flags=re.DOTALL | re.MULTILINE)


def test_a_fresh_installation_is_as_the_golden_file_says(database: Database) -> None:
    found = dump_schema(database)
    # The file is written by the oldest server that is supported, and compared there to the last letter.
    oldest = find_binaries().major == OLDEST_MAJOR
    if os.environ.get("PGDUET_UPDATE_GOLDEN"):
        assert oldest, f"the file is renewed on PostgreSQL {OLDEST_MAJOR}"
        GOLDEN.write_text(found)
    expected = GOLDEN.read_text()
    if not oldest:
        assert found.count("CREATE VIEW") == expected.count("CREATE VIEW") > 10
        found, expected = without_views(found), without_views(expected)
    assert found == expected, "run with PGDUET_UPDATE_GOLDEN=1 when the change is meant"


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = dump_schema(database)
    with database.connect() as connection:
        found = migrate(connection)
        rows = connection.execute("SELECT count(*) FROM pgduet._installation").fetchone()
    assert found.current
    assert rows == (1,)
    assert dump_schema(database) == before


def test_the_printed_sql_applied_by_psql_gives_the_same_schema(database: Database, empty_database: Database) -> None:
    psql = [str(find_binaries()["psql"]), "--no-psqlrc", "--quiet", "--dbname", empty_database.conninfo]
    subprocess.run(psql, input=migration_script(), check=True, text=True, capture_output=True)
    assert dump_schema(empty_database) == dump_schema(database)
    with empty_database.connect() as connection:
        assert status(connection).current


def test_status_before_and_after(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        found = status(connection)
        assert (found.revision, found.current) == (None, False)
        migrate(connection)
        assert status(connection).current
        connection.execute("UPDATE pgduet._installation SET sql_hash = 'older'")
        assert not status(connection).current


def test_the_model_of_the_first_generation_can_be_chosen_once(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        migrate(connection, "qodo-jina")
        migrate(connection, "small")
        rows = connection.execute("SELECT name, model, state FROM pgduet.generations").fetchall()
    assert rows == [("qodo-jina", "qodo-jina", "active")]


def test_pgvector_may_live_in_another_schema(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute('CREATE SCHEMA "Ext ra"; CREATE EXTENSION vector SCHEMA "Ext ra"')
        migrate(connection)
        rows = connection.execute("SELECT * FROM pgduet.similar_code('x', k => 0)").fetchall()
    assert rows == []


def test_only_a_superuser_can_install_and_is_told_so(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        try:
            connection.execute("SET SESSION AUTHORIZATION plain")
            with pytest.raises(PgduetError, match="no superuser"):
                migrate(connection)
            connection.execute("RESET SESSION AUTHORIZATION")
        finally:
            connection.execute("DROP ROLE plain")


def test_a_schema_from_the_future_is_refused(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE pgduet._migration SET version_num = '9999'")
        with pytest.raises(PgduetError, match="does not know"):
            migrate(connection)


def test_a_database_that_is_not_utf8_is_refused(empty_database: Database) -> None:
    with psycopg.connect(empty_database.cluster.conninfo(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        database = Database(empty_database.cluster, "latin")
        with database.connect() as connection, pytest.raises(PgduetError, match="encoding UTF8"):
            migrate(connection)
    finally:
        with psycopg.connect(empty_database.cluster.conninfo(), autocommit=True) as admin:
            admin.execute("DROP DATABASE latin")


def test_a_database_with_data_moves_on_from_functions_without_parts(stub_database: Database, stub: StubSidecar) -> None:
    fresh = dump_schema(stub_database)
    stub_database.set("trigger_mode", "sync")
    with stub_database.connect() as connection:
        connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one'), ('two')")
        connection.execute(WITHOUT_PARTS)
        assert migrate(connection).revision == status(connection).head
        assert dump_schema(stub_database) == fresh
        connection.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('three')")
        assert connection.execute("SELECT count(*), sum(embedded) FROM pgduet.coverage").fetchone() == (1, 3)
        rows = connection.execute("SELECT vector_dims(pgduet.embed('x')), vector_dims(pgduet.embed('x', 'query'))")
        assert rows.fetchone() == (2560, 2560)


def test_what_is_built_on_a_function_that_must_go_is_named_and_nothing_is_changed(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(WITHOUT_PARTS)
        connection.execute("CREATE VIEW mine AS SELECT pgduet.embed('x') AS embedding")
        with pytest.raises(PgduetError, match=r"view mine depends on") as caught:
            migrate(connection)
        assert "CASCADE" not in str(caught.value)
        assert "pg_get_viewdef" in (caught.value.hint or "")
        assert connection.execute("SELECT embedding FROM mine").fetchone() == (None,)
        connection.execute("DROP VIEW mine")
        assert migrate(connection).current


def test_readers_may_call_the_functions_with_parts_and_the_public_may_not(database: Database) -> None:
    query = (
        "SELECT r.name, bool_and(has_function_privilege(r.name, p.oid, 'EXECUTE')) FROM pg_proc p,"
        " unnest(ARRAY['pgduet_reader', 'pgduet_writer', 'pgduet_worker', 'pgduet_admin', 'public']) r (name)"
        " WHERE p.pronamespace = 'pgduet'::regnamespace AND p.proname IN ('embed', 'embed_batch', '_embed_rows')"
        " GROUP BY r.name ORDER BY r.name"
    )
    with database.connect() as connection:
        found = dict(connection.execute(query).fetchall())
    assert found == {
        "pgduet_reader": True,
        "pgduet_writer": True,
        "pgduet_worker": True,
        "pgduet_admin": True,
        "public": False,
    }


def test_uninstalling_leaves_what_is_not_ours(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE ROLE pgduet_app LOGIN IN ROLE pgduet_reader")
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id; ALTER TABLE orders OWNER TO pgduet_app")
        connection.execute("CREATE TABLE notes AS SELECT 1 AS id; ALTER TABLE notes OWNER TO pgduet_owner")
        try:
            uninstall(connection)
            assert connection.execute("SELECT id FROM orders UNION ALL SELECT id FROM notes").fetchall() == [(1,), (1,)]
            assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'pgduet_app'").fetchone() == (1,)
        finally:
            connection.execute("DROP OWNED BY pgduet_app; DROP ROLE pgduet_app")


def test_uninstalling_leaves_the_extensions_and_nothing_of_ours(database: Database) -> None:
    with database.connect() as connection:
        uninstall(connection)
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'pgduet'").fetchall() == []
        extensions = connection.execute("SELECT extname FROM pg_extension ORDER BY 1").fetchall()
        assert extensions == [("plpgsql",), ("plpython3u",), ("vector",)]
        assert not status(connection).current
        migrate(connection)
        assert status(connection).current
