"""`similar_code` and `similar_to` against an exact computation on the same vectors."""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database, new_database
from fix_search import built_index
from fix_sidecar import open_directory
from pgduet.local.cluster import Cluster
from pgduet.migrations.keeper import keep_index
from stub_sidecar import StubSidecar, stub_vector

ROWS = 1200
IN_SEARCH = "SELECT chunk_id, similarity FROM pgduet.similar_code(%s, k => %s)"


@pytest.fixture(scope="module")
def loaded(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database with 1,200 embedded chunks that each test gets a copy of."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        stub = stack.enter_context(StubSidecar(f"unix:{directory}/stub.sock"))
        database = stack.enter_context(new_database(cluster, template))
        database.set("trigger_mode", "sync")
        database.set("sidecar_address", stub.address)
        load_chunks(database)
        yield database


def load_chunks(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO pgduet.code_chunks (repo, path, language, content) SELECT 'repo' || g %% 3,"
            " 'src/file' || g || '.py', CASE WHEN g %% 40 = 0 THEN 'zig' ELSE 'python' END, 'chunk ' || g"
            " FROM generate_series(1, %s) g",
            (ROWS,),
        )


@pytest.fixture
def session(loaded: Database, stub: StubSidecar) -> Iterator[Connection]:
    with new_database(loaded.cluster, loaded.name) as database:
        database.set("sidecar_address", stub.address)
        with database.connect() as connection:
            yield connection


def nearest(query: str, numbers: range) -> list[int]:
    target = stub_vector(query, "query")
    scores = {number: float(stub_vector(f"chunk {number}") @ target) for number in numbers}
    return sorted(scores, key=lambda number: -scores[number])


def test_the_best_hits_are_the_exact_ones_in_order_with_their_cosine(session: Connection) -> None:
    hits = session.execute("SELECT content, similarity FROM pgduet.similar_code('find me', k => 10)").fetchall()
    expected = nearest("find me", range(1, ROWS + 1))[:10]
    assert [content for content, _ in hits][:3] == [f"chunk {number}" for number in expected[:3]]
    assert len({f"chunk {n}" for n in expected} & {content for content, _ in hits}) >= 9
    cosine = float(stub_vector(f"chunk {expected[0]}") @ stub_vector("find me", "query"))
    assert hits[0][1] == pytest.approx(cosine, abs=1e-3)
    assert [s for _, s in hits] == sorted((s for _, s in hits), reverse=True)


def test_one_search_is_one_call_with_the_query_role(session: Connection, stub: StubSidecar) -> None:
    stub.requests.clear()
    session.execute("SELECT * FROM pgduet.similar_code('find me')")
    assert [(r.role, r.texts) for r in stub.requests] == [("query", 1)]


def test_k_or_all_that_match_are_returned(session: Connection) -> None:
    with built_index(session, "sketch"):
        for mode in ("exact", "index"):
            session.execute(f"SET pgduet.search_mode = '{mode}'")
            for k in (1, 10, 500, ROWS, 1_000_000):
                assert len(session.execute(IN_SEARCH, ("find me", k)).fetchall()) == min(k, ROWS), mode


def test_filters_return_every_match(session: Connection) -> None:
    with built_index(session, "sketch"):
        for mode in ("auto", "exact", "index"):
            session.execute(f"SET pgduet.search_mode = '{mode}'")
            found = session.execute("SELECT language FROM pgduet.similar_code('x', k => 100, language => 'zig')")
            assert found.fetchall() == [("zig",)] * (ROWS // 40), mode
            found = session.execute("SELECT repo FROM pgduet.similar_code('x', k => 5, repo => 'repo1')")
            assert found.fetchall() == [("repo1",)] * 5
            found = session.execute("SELECT path FROM pgduet.similar_code('x', path_like => 'src/file77.%')")
            assert found.fetchall() == [("src/file77.py",)]


def test_copies_are_shown_once_unless_asked_for(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'the copy' FROM generate_series(1, 300)")
    (copy_id,) = session.execute(
        "SELECT min(chunk_id) FROM pgduet.code_chunks WHERE content = 'the copy'"
    ).fetchone() or (0,)
    target = "SELECT content FROM pgduet.similar_to(%s, k => 10"
    distinct = session.execute(f"{target})", (copy_id,)).fetchall()
    assert len(distinct) == 10
    assert ("the copy",) not in distinct
    every = session.execute(f"{target}, distinct_content => false)", (copy_id,)).fetchall()
    assert every == [("the copy",)] * 10
    (first,) = session.execute("SELECT min(chunk_id) FROM pgduet.code_chunks").fetchone() or (0,)
    contents = session.execute("SELECT content FROM pgduet.similar_to(%s, k => 2000)", (first,)).fetchall()
    assert len(contents) == len(set(contents)) == ROWS


def test_min_similarity_cuts_the_tail(session: Connection) -> None:
    hits = session.execute("SELECT similarity FROM pgduet.similar_code('x', k => 20)").fetchall()
    limit = hits[4][0]
    cut = session.execute("SELECT similarity FROM pgduet.similar_code('x', k => 20, min_similarity => %s)", (limit,))
    assert cut.fetchall() == hits[:5]


def test_the_index_is_valid_and_the_search_uses_it_when_asked(session: Connection) -> None:
    assert keep_index(session).startswith("built ")
    name, valid = session.execute("SELECT index_name, valid FROM pgduet.index_status").fetchone() or ("", False)
    assert valid
    session.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
    session.execute("SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
    notices: list[str] = []
    session.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary or ""))
    session.execute("SELECT * FROM pgduet.similar_code('find me')")
    assert not any(f"Index Scan using {name}" in notice for notice in notices), "1,200 rows are scanned exactly"
    session.execute("SET pgduet.search_mode = 'index'")
    session.execute("SELECT * FROM pgduet.similar_code('find me')")
    assert any(f"Index Scan using {name}" in notice for notice in notices)


SETTINGS = "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) name ORDER BY name"


def pinned(session: Connection) -> list[str]:
    """Name the settings that a search changes for itself."""
    rows = session.execute(
        "SELECT split_part(unnest(proconfig), '=', 1) FROM pg_proc WHERE proname = '_scan'"
    ).fetchall()
    names = [name for (name,) in rows]
    assert {"enable_seqscan", "ivfflat.probes", "ivfflat.max_probes", "hnsw.ef_search", "work_mem"} <= set(names)
    return names


@pytest.mark.parametrize("kind", ["sketch", "halfvec", "hnsw"])
def test_a_search_leaks_no_setting_into_the_transaction(session: Connection, kind: str) -> None:
    with built_index(session, kind):
        session.execute("SET pgduet.search_mode = 'index'")
        session.execute("SELECT '[1]'::vector")
        names = pinned(session)
        with session.transaction():
            session.execute("SET LOCAL ivfflat.probes = 7; SET LOCAL enable_sort = off; SET LOCAL work_mem = '5MB'")
            before = session.execute(SETTINGS, (names,)).fetchall()
            session.execute("SELECT * FROM pgduet.similar_code('find me', language => 'zig')")
            assert session.execute(SETTINGS, (names,)).fetchall() == before


def test_a_search_that_fails_halfway_leaks_no_setting_either(session: Connection) -> None:
    with built_index(session, "sketch"):
        session.execute("SET pgduet.search_mode = 'index'; SELECT '[1]'::vector")
        names = pinned(session)
        search = "pgduet._ranked('[1,2,3]', repeat('0', 2560)::bit(2560), 5, NULL, NULL, NULL, true, NULL, NULL)"
        with session.transaction():
            before = session.execute(SETTINGS, (names,)).fetchall()
            with pytest.raises(psycopg.DataError, match="different halfvec dimensions"), session.transaction():
                session.execute(f"SELECT {search}")
            assert session.execute(SETTINGS, (names,)).fetchall() == before
            session.execute(
                f"DO $$ BEGIN PERFORM {search}; RAISE 'no error'; EXCEPTION WHEN data_exception THEN NULL; END $$"
            )
            assert session.execute(SETTINGS, (names,)).fetchall() == before


def test_the_first_search_of_an_ordinary_role_works_and_leaves_every_setting_at_its_default(
    session: Connection, loaded: Database
) -> None:
    session.execute("CREATE ROLE visitor LOGIN IN ROLE pgduet_reader")
    try:
        with built_index(session, "sketch"):
            conninfo = loaded.cluster.conninfo(session.info.dbname)
            with psycopg.connect(conninfo, user="visitor", options="-c pgduet.search_mode=index") as visit:
                visit.read_only = True
                found = visit.execute("SELECT chunk_id FROM pgduet.similar_code('find me')").fetchall()
                assert len(found) == 10
                changed = visit.execute(
                    "SELECT name, setting, reset_val FROM pg_settings WHERE name = ANY (%s) AND setting <> reset_val",
                    (pinned(session),),
                )
                assert changed.fetchall() == []
    finally:
        session.execute("DROP ROLE visitor")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'x', k => -1", "k must be"),
        ("'x', k => NULL", "k must be"),
        ("'   '", "blank"),
        ("''", "blank"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(session: Connection, arguments: str, message: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message) as caught:
        session.execute(f"SELECT * FROM pgduet.similar_code({arguments})")
    assert caught.value.diag.message_hint


@pytest.mark.parametrize("function", ["similar_code('x'", "similar_to(1"])
def test_a_pattern_that_ends_in_a_lone_backslash_is_refused(session: Connection, function: str) -> None:
    for pattern in ("src\\", "\\", "a\\\\\\"):
        with pytest.raises(psycopg.errors.InvalidEscapeSequence, match="backslash") as caught:
            session.execute(f"SELECT * FROM pgduet.{function}, path_like => %s)", (pattern,))
        assert "two backslashes" in (caught.value.diag.message_hint or "")
    assert session.execute(f"SELECT * FROM pgduet.{function}, path_like => %s)", ("src\\\\",)).fetchall() == []


def test_edge_arguments_with_an_answer(session: Connection, stub: StubSidecar) -> None:
    stub.requests.clear()
    assert session.execute("SELECT * FROM pgduet.similar_code(NULL)").fetchall() == []
    assert session.execute("SELECT * FROM pgduet.similar_code('x', k => 0)").fetchall() == []
    assert session.execute("SELECT * FROM pgduet.similar_to(NULL)").fetchall() == []
    assert stub.requests == []
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="has no vector"):
        session.execute("SELECT * FROM pgduet.similar_to(-5)")


def test_an_unknown_search_mode_and_a_missing_index_are_clear_errors(session: Connection) -> None:
    session.execute("SET pgduet.search_mode = 'fast'")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown search mode"):
        session.execute("SELECT * FROM pgduet.similar_code('x')")
    session.execute("SET pgduet.search_mode = 'index'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no valid index"):
        session.execute("SELECT * FROM pgduet.similar_code('x')")


def test_row_security_holds_and_starves_nobody(session: Connection) -> None:
    session.execute("CREATE ROLE tenant LOGIN IN ROLE pgduet_reader")
    try:
        session.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        session.execute("CREATE POLICY p ON pgduet.code_chunks FOR SELECT TO tenant USING (chunk_id % 100 = 0)")
        session.execute("SET SESSION AUTHORIZATION tenant")
        found = session.execute("SELECT chunk_id FROM pgduet.similar_code('x', k => 10)").fetchall()
        assert len(found) == 10
        assert all(chunk_id % 100 == 0 for (chunk_id,) in found)
    finally:
        session.execute("RESET SESSION AUTHORIZATION; DROP OWNED BY tenant; DROP ROLE tenant")


def test_stub_vectors_are_unit_length() -> None:
    assert np.linalg.norm(stub_vector("x")) == pytest.approx(1, abs=1e-6)
