"""Owners of watched tables cannot have code of theirs run with pgduet's rights, nor see more than their own."""

from collections.abc import Iterator

import psycopg
import pytest

from fix_watch import Shop

# What runs as somebody says so: a caught pgduet_owner would be the end of all rights.
TRAP = """
CREATE TABLE public.loot (who name);
GRANT ALL ON public.loot TO PUBLIC;
CREATE SCHEMA mine AUTHORIZATION mallory;
SET ROLE mallory;
CREATE FUNCTION mine.caught() RETURNS void LANGUAGE sql AS 'INSERT INTO public.loot VALUES (current_user)';
CREATE TYPE mine.mood AS ENUM ('calm', 'wild');
CREATE FUNCTION mine.read(text) RETURNS mine.mood LANGUAGE sql AS
  $$ SELECT mine.caught(); SELECT 'calm'::mine.mood $$;
CREATE FUNCTION mine.say(mine.mood) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM mine.caught(); RETURN 'anything'; END $$;
CREATE CAST (text AS mine.mood) WITH FUNCTION mine.read(text) AS ASSIGNMENT;
CREATE CAST (mine.mood AS text) WITH FUNCTION mine.say(mine.mood) AS ASSIGNMENT;
CREATE FUNCTION mine.checked(text) RETURNS bool LANGUAGE plpgsql AS
  $$ BEGIN PERFORM mine.caught(); RETURN true; END $$;
CREATE DOMAIN mine.trap AS text CHECK (mine.checked(VALUE));
CREATE TYPE mine.pair AS (a int, b mine.trap);
CREATE FUNCTION mine.spy() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM mine.caught(); RETURN NULL; END $$;
"""


@pytest.fixture
def mallory(shop: Shop) -> Iterator[Shop]:
    """Give a session that is mallory's, who is an admin of pgduet and owns a schema."""
    shop.run("CREATE ROLE mallory IN ROLE pgduet_admin")
    try:
        shop.session.execute(TRAP.encode())
        yield shop
    finally:
        shop.run("RESET ROLE")
        shop.run("DROP OWNED BY mallory CASCADE; DROP ROLE mallory")


def caught(shop: Shop) -> set[str]:
    """Give who fell into the trap, and empty it."""
    shop.run("RESET ROLE")
    found = {row[0] for row in shop.run("SELECT DISTINCT who FROM public.loot")}
    shop.run("TRUNCATE public.loot; SET ROLE mallory")
    return found


def settle(shop: Shop) -> None:
    """Work as the worker does."""
    shop.run("RESET ROLE; SET ROLE pgduet_worker")
    shop.settle()
    shop.run("RESET ROLE; SET ROLE mallory")


def watch(shop: Shop, columns: str, *, key: str = "1") -> None:
    """Make and watch mine.t, put a row in and bring it up to date."""
    shop.run(f"CREATE TABLE mine.t ({columns})")
    shop.run("SELECT pgduet.watch('mine.t', 'code')")
    shop.run(f"INSERT INTO mine.t (id, code) VALUES ({key}, 'one')")
    settle(shop)


def test_the_trap_catches_whoever_casts(mallory: Shop) -> None:
    mallory.run("RESET ROLE; SELECT 'x'::text::mine.mood, 'calm'::mine.mood::text")
    mallory.run("SELECT 'x'::mine.trap")
    assert caught(mallory) == {"postgres"}


def test_casts_of_a_keys_type_do_not_run(mallory: Shop) -> None:
    watch(mallory, "id mine.mood PRIMARY KEY, code text", key="'calm'")
    mallory.run("UPDATE mine.t SET code = 'two'; INSERT INTO mine.t VALUES ('wild', 'three')")
    settle(mallory)
    mallory.run("RESET ROLE; SELECT pgduet._rescan_watch(1, 100)")
    settle(mallory)
    assert mallory.run("SELECT source_key, content FROM pgduet.code_chunks ORDER BY 1") == [
        ("calm", "two"),
        ("wild", "three"),
    ]
    assert caught(mallory) == set()


@pytest.mark.parametrize("column", ["code", "id"])
def test_casts_of_a_type_that_comes_later_do_not_run(mallory: Shop, column: str) -> None:
    watch(mallory, "id text PRIMARY KEY, code text", key="'calm'")
    mallory.run(f"ALTER TABLE mine.t ALTER COLUMN {column} TYPE mine.mood USING 'calm'::mine.mood")
    assert caught(mallory) <= {"mallory"}
    mallory.run("UPDATE mine.t SET id = id; DELETE FROM mine.t")
    mallory.run(
        "INSERT INTO mine.t VALUES ('1', 'calm')" if column == "code" else "INSERT INTO mine.t VALUES ('wild', 'x')"
    )
    settle(mallory)
    mallory.run("UPDATE mine.t SET id = id")
    settle(mallory)
    assert caught(mallory) <= {"mallory"}
    rows = mallory.run("SELECT source_key, content FROM pgduet.code_chunks")
    assert rows == [("1", "calm") if column == "code" else ("wild", "x")]


def test_a_domain_inside_the_type_of_a_key_is_refused(mallory: Shop) -> None:
    for number, key in enumerate(("mine.pair", "mine.pair[]", "mine.trap[]")):
        mallory.run(f"CREATE TABLE mine.t{number} (id {key} PRIMARY KEY, code text)")
        with pytest.raises(psycopg.Error, match="a domain stands inside the type of its primary key"):
            mallory.run(f"SELECT pgduet.watch('mine.t{number}', 'code')")
    watch(mallory, "id mine.trap PRIMARY KEY, code text")
    assert mallory.run("SELECT content FROM pgduet.code_chunks") == [("one",)]
    assert caught(mallory) <= {"mallory"}


def test_a_domain_that_comes_into_the_type_of_a_key_later_stops_the_watch(mallory: Shop) -> None:
    mallory.run("CREATE TYPE mine.two AS (a int, b text)")
    watch(mallory, "id mine.two PRIMARY KEY, code text", key="(1, 'x')")
    mallory.run("ALTER TYPE mine.two ADD ATTRIBUTE c mine.trap")
    mallory.run("INSERT INTO mine.t VALUES ((2, 'y', 'z'), 'more')")
    assert caught(mallory) == {"mallory"}
    settle(mallory)
    assert caught(mallory) == set()
    assert "a domain stands inside" in (mallory.problem() or "")


def test_triggers_generated_columns_defaults_and_rules_of_the_table_run_as_whoever_writes(mallory: Shop) -> None:
    columns = "id int PRIMARY KEY, code text, extra bool DEFAULT mine.checked('x'), CHECK (mine.checked(code))"
    watch(mallory, columns)
    mallory.run(
        "CREATE TRIGGER spy AFTER INSERT OR UPDATE OR DELETE ON mine.t FOR EACH ROW EXECUTE FUNCTION mine.spy()"
    )
    mallory.run(
        "CREATE INDEX ON mine.t (id) WHERE id > 0; CREATE RULE r AS ON DELETE TO mine.t DO ALSO SELECT mine.caught()"
    )
    mallory.run(
        "INSERT INTO mine.t VALUES (2, 'two'); UPDATE mine.t SET code = 'three'; DELETE FROM mine.t WHERE id = 1"
    )
    settle(mallory)
    mallory.run("RESET ROLE; SELECT pgduet._rescan_watch(1, 100)")
    settle(mallory)
    assert mallory.run("SELECT content FROM pgduet.code_chunks") == [("three",)]
    assert caught(mallory) == {"mallory"}


def test_a_policy_of_the_table_does_not_run(mallory: Shop) -> None:
    watch(mallory, "id int PRIMARY KEY, code text")
    mallory.run("ALTER TABLE mine.t ENABLE ROW LEVEL SECURITY")
    mallory.run("CREATE POLICY p ON mine.t USING (mine.checked(code))")
    mallory.run("INSERT INTO mine.t VALUES (2, 'two')")
    settle(mallory)
    assert caught(mallory) == set()
    assert "row security protects it now" in (mallory.problem() or "")


@pytest.mark.parametrize(
    ("call", "sqlstate"),
    [
        ("pgduet.watch('mine.t; DROP TABLE loot', 'code')", "42602"),
        ("pgduet.watch('mine.t', 'code\" FROM public.loot; --')", "42703"),
        ("pgduet.watch('mine.t', 'code', 'xmin')", "42703"),
        ("pgduet.watch('mine.v', 'code')", "55000"),
        ("pgduet.watch('pgduet._setting', 'value')", "55000"),
        ("pgduet.watch('pgduet._dead_letter', 'error')", "55000"),
        ("pgduet.watch('pg_catalog.pg_authid', 'rolname')", "55000"),
        ("pgduet.watch('public.others', 'code')", "55000"),
        ("pgduet._make_watch_function(1, 'pgduet._setting'::regclass)", "42501"),
        ("pgduet._resolve_sources('me', 1, '{1}')", "42501"),
        ("pgduet._write_source('me', 1, '1', '', '', '', '', '{}', '{}', '{}', '{}', '{}', '{}')", "42501"),
    ],
)
def test_what_is_not_ones_own_table_cannot_be_watched(mallory: Shop, call: str, sqlstate: str) -> None:
    mallory.run(
        "CREATE TABLE mine.t (id int PRIMARY KEY, code text); CREATE VIEW mine.v AS SELECT 1 AS id, 'x' AS code"
    )
    mallory.run("RESET ROLE; CREATE TABLE public.others (id int PRIMARY KEY, code text); SET ROLE mallory")
    with pytest.raises(psycopg.Error) as caught:
        mallory.run(f"SELECT {call}")
    assert caught.value.sqlstate == sqlstate
    mallory.run("RESET ROLE")
    assert mallory.one("SELECT count(*) FROM pgduet._watch") == 0
    assert mallory.one("SELECT to_regclass('public.loot') IS NOT NULL")


def test_a_registration_behind_watchs_back_reads_nothing(mallory: Shop) -> None:
    mallory.run("RESET ROLE; CREATE TABLE public.others (id int PRIMARY KEY, code text)")
    mallory.run("INSERT INTO public.others VALUES (1, 'secret'); SET ROLE mallory")
    for source, column in (("public.others", "code"), ("pgduet._setting", "value"), ("pgduet._dead_letter", "error")):
        mallory.run(
            "SELECT pgduet._register_watch(%s::regclass, jsonb_build_object('content_column', %s::text,"
            " 'copy_protected', true, 'created_by', 'x'))",
            source,
            column,
        )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        mallory.run("CREATE TRIGGER x AFTER INSERT ON public.others FOR EACH ROW EXECUTE FUNCTION pgduet._watch_1()")
    settle(mallory)
    assert mallory.run("SELECT content FROM pgduet.code_chunks") == []
    # The same by its owner is what watch() does.
    mallory.run("RESET ROLE; SELECT pgduet.watch('public.others', 'code')")
    settle(mallory)
    assert mallory.run("SELECT content FROM pgduet.code_chunks") == [("secret",)]
