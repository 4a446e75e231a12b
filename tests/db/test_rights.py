"""Who may do what: every right that is given, what each role can do with it and nothing else, and pinned names."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fix_cases import is_vector_of
from fix_database import Connection, Database, new_database
from fix_roles import login
from pgduet.local.cluster import Cluster
from pgduet.migrations.install import migrate
from pgduet.migrations.sql_files import read_sql_files
from stub_sidecar import StubSidecar

HERE = Path(__file__).parent
GOLDEN = HERE / "rights.golden.txt"
RIGHTS = (HERE / "rights.sql").read_text()

# Read by nobody but functions of the owner: what they leave out is no row of anybody's.
OWNERS_VIEWS = {"_call_context", "_live_generation"}


@pytest.fixture
def session(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


def test_every_right_is_as_the_golden_file_says(session: Connection) -> None:
    session.execute("SET search_path = pg_catalog")
    found = "".join(f"{line}\n" for (line,) in session.execute(RIGHTS.encode()).fetchall())
    found = re.sub(r"(?<=[(,])\w+\.(halfvec|bit)", r"\1", found)
    if os.environ.get("PGDUET_UPDATE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text(), "run with PGDUET_UPDATE_GOLDEN=1 when the change is meant"
    assert "PUBLIC" not in found


def test_what_is_made_later_is_open_to_nobody_either(session: Connection) -> None:
    session.execute("ALTER DEFAULT PRIVILEGES FOR ROLE pgduet_owner GRANT SELECT ON TABLES TO PUBLIC")
    session.execute("SELECT pgduet.add_generation('other')")
    session.execute("SET ROLE pgduet_owner")
    session.execute("CREATE FUNCTION pgduet._later() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    session.execute("RESET ROLE")
    lines = [line for (line,) in session.execute(RIGHTS.encode()).fetchall()]
    # What such a grant shows is nothing: the partition is under row security and has no policy.
    assert [line for line in lines if "_g2" in line] == [
        "table code_embeddings_g2 row security enabled",
        "table code_embeddings_g2: SELECT to PUBLIC",
    ]
    assert [line for line in lines if "_later" in line] == []


def test_a_writer_can_insert_and_a_reader_can_search_with_nothing_else_granted(
    stub_database: Database, stub: StubSidecar
) -> None:
    with login(stub_database, "pgduet_writer") as writer:
        writer.execute("INSERT INTO pgduet.code_chunks (repo, path, content) VALUES ('a', 'x.py', 'one')")
        writer.execute("UPDATE pgduet.code_chunks SET content = 'two'")
        assert len(stub.requests) == 2
    with login(stub_database, "pgduet_reader") as reader:
        row = reader.execute("SELECT content, similarity FROM pgduet.similar_code('two', k => 5)").fetchone()
        assert row is not None
        assert row[0] == "two"
        (chunk_id,) = reader.execute("SELECT chunk_id FROM pgduet.code_chunks").fetchone() or (0,)
        assert reader.execute("SELECT * FROM pgduet.similar_to(%s)", (chunk_id,)).fetchall() == []
        found = reader.execute("SELECT content FROM pgduet.similar_code('two', lexical => true)").fetchall()
        assert found == [("two",)]
        (vector,) = reader.execute("SELECT pgduet.embed('two')::text").fetchone() or ("",)
        assert is_vector_of(vector, "two")
        assert dict(reader.execute("SELECT component, status FROM pgduet.health()").fetchall())["coverage"] == "ok"
        for statement in ("INSERT INTO pgduet.code_chunks (content) VALUES ('x')", "TRUNCATE pgduet.code_chunks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())


def test_a_monitor_reads_the_statistics_and_neither_code_nor_vectors(stub_database: Database) -> None:
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one')")
    with login(stub_database, "pg_monitor") as monitor:
        for view in ("coverage", "generation_status", "index_status", "queue_status", "worker_status", "watch_status"):
            monitor.execute(f"SELECT * FROM pgduet.{view}".encode())
        for function in ("health", "index_health"):
            assert monitor.execute(f"SELECT * FROM pgduet.{function}()".encode()).fetchall()
        assert monitor.execute("SELECT chunks, embedded FROM pgduet.coverage").fetchall() == [(1, 1)]
        for what in ("content FROM pgduet.code_chunks", "path FROM pgduet.code_chunks", "* FROM pgduet._setting"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                monitor.execute(f"SELECT {what}".encode())
        for what in ("embedding FROM pgduet.code_embeddings", "pgduet.embed('x')", "* FROM pgduet.similar_code('x')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                monitor.execute(f"SELECT {what}".encode())


def test_every_function_pins_its_path_and_every_view_runs_with_its_readers_rights(session: Connection) -> None:
    session.execute("CREATE TABLE t (id int PRIMARY KEY, code text); SELECT pgduet.watch('t', 'code')")
    query = (
        "SELECT p.proname, p.proconfig FROM pg_proc p WHERE p.pronamespace = 'pgduet'::regnamespace AND NOT"
        " coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)"
    )
    # Sets the path for whoever calls it, which is the installer and nobody else.
    assert session.execute(query).fetchall() == [("_see_pgvector", None)]
    assert session.execute("SELECT count(*) FROM pg_proc WHERE proname = '_watch_1'").fetchone() == (1,)
    views = session.execute(
        "SELECT c.relname, coalesce('security_invoker=true' = ANY (c.reloptions), false) FROM pg_class c"
        " WHERE c.relnamespace = 'pgduet'::regnamespace AND c.relkind IN ('v', 'm')"
    ).fetchall()
    assert {name for name, invoker in views if not invoker} == OWNERS_VIEWS
    assert len(views) > 10
    granted = (
        "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname = ANY (%s) AND a.grantee <> c.relowner"
    )
    assert session.execute(granted, (list(OWNERS_VIEWS),)).fetchone() == (0,)


def test_no_word_in_a_function_changes_with_the_callers_idea_of_strings(session: Connection) -> None:
    # With standard_conforming_strings off a backslash in a plain literal is an escape, and any role may set it so.
    query = (
        "SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname <> 'plpython3u'"
        " WHERE p.pronamespace = 'pgduet'::regnamespace"
        r" AND regexp_replace(p.prosrc, '--[^\n]*|E''([^''\\]|\\.|'''')*''', '', 'g') LIKE '%%\\%%'"
    )
    assert session.execute(query, ()).fetchall() == []


def test_while_pgvectors_types_are_seen_nothing_but_functions_is_made() -> None:
    opened = 0
    for name, text in read_sql_files().items():
        for part in text.split("SELECT pgduet._see_pgvector();")[1:]:
            opened += 1
            inside, closed, _ = part.partition("SET LOCAL search_path = pg_catalog, pg_temp;\n")
            assert closed, name
            bare = re.sub(r"--[^\n]*", "", re.sub(r"(\$\w*\$).*?\1", "", inside, flags=re.DOTALL))
            made = {" ".join(one.split()[:4]) for one in bare.split(";") if one.strip()}
            assert made <= {"CREATE OR REPLACE FUNCTION", "DO"}, name
            assert ("DO" in made) == (name == "015_replaced.sql")
    assert opened >= 8


SHADOWS = """
CREATE FUNCTION public.caught() RETURNS void LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.loot VALUES (current_user); EXCEPTION WHEN OTHERS THEN NULL; END $$;
CREATE FUNCTION public.format(text, text, name) RETURNS text LANGUAGE sql AS
  $$ SELECT public.caught(); SELECT pg_catalog.format($1, $2, $3) $$;
CREATE FUNCTION public.format(text, regprocedure) RETURNS text LANGUAGE sql AS
  $$ SELECT public.caught(); SELECT pg_catalog.format($1, $2) $$;
CREATE FUNCTION public.format(text, integer, text, bigint) RETURNS text LANGUAGE sql AS
  $$ SELECT public.caught(); SELECT pg_catalog.format($1, $2, $3, $4) $$;
CREATE FUNCTION public.pg_advisory_lock(smallint) RETURNS void LANGUAGE sql AS 'SELECT public.caught()';
CREATE FUNCTION public.pg_advisory_lock(integer) RETURNS void LANGUAGE sql AS 'SELECT public.caught()';
CREATE FUNCTION public.less(int[], int[]) RETURNS bool LANGUAGE sql AS 'SELECT public.caught(); SELECT false';
CREATE OPERATOR public.< (LEFTARG = int[], RIGHTARG = int[], FUNCTION = public.less);
CREATE FUNCTION public.more(float8, int) RETURNS bool LANGUAGE sql AS 'SELECT public.caught(); SELECT true';
CREATE OPERATOR public.> (LEFTARG = float8, RIGHTARG = int, FUNCTION = public.more);
CREATE FUNCTION public.glue(bigint, text) RETURNS text LANGUAGE sql AS 'SELECT public.caught(); SELECT $2';
CREATE OPERATOR public.|| (LEFTARG = bigint, RIGHTARG = text, FUNCTION = public.glue);
CREATE FUNCTION public.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT public.caught(); SELECT 1::bigint';
"""
# What views, policies, constraints, defaults and functions of ours are bound to, and whose it is.
FOREIGN = """
SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) FROM pg_depend d
JOIN LATERAL (
  SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
  UNION ALL SELECT n.nspname FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  WHERE d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid) s ON s.nspname NOT IN ('pg_catalog', 'pgduet')
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE i.identity LIKE '%pgduet%' AND NOT EXISTS (SELECT FROM pg_depend e
  WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')
"""


def test_installing_upgrading_and_removing_run_nothing_that_others_made_in_public(cluster: Cluster) -> None:
    with new_database(cluster) as database, database.connect() as superuser:
        superuser.execute("CREATE TABLE public.loot (who name); CREATE EXTENSION vector SCHEMA public")
        superuser.execute("GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT INSERT ON public.loot TO PUBLIC")
        superuser.execute("CREATE ROLE mallory")
        try:
            superuser.execute("SET ROLE mallory")
            superuser.execute(SHADOWS)
            superuser.execute("RESET ROLE")
            # They bite whoever calls without a schema.
            superuser.execute("SELECT format('%s %s', 'x'::text, 'y'::name), 1::bigint || 'x'::text")
            assert superuser.execute("SELECT who FROM loot").fetchall() == [("postgres",)] * 2
            superuser.execute("TRUNCATE public.loot")
            migrate(superuser)
            migrate(superuser)
            assert superuser.execute(FOREIGN).fetchall() == []
            superuser.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('one')")
            for view in ("watch_status", "queue_status", "coverage", "generation_status", "index_status"):
                superuser.execute(f"SELECT * FROM pgduet.{view}".encode())
            assert superuser.execute("SELECT who FROM public.loot").fetchall() == []
        finally:
            superuser.execute("RESET ROLE; DROP OWNED BY mallory CASCADE; DROP ROLE mallory")
