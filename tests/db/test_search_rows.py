"""Row security: a reader gets as many of her own rows as there are, the nearest of them, and nothing of others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
import pytest

from fix_database import Connection
from fix_search import ROWS, Filter, Library, built_index, plans, ranked

OWN = 208
# By a column with an index, and by a table of members, which the planner cannot estimate.
POLICIES = {
    "indexable": "source = current_user",
    "members": "EXISTS (SELECT FROM pgduet.member m WHERE m.who = current_user AND m.repo = code_chunks.repo)",
    "members, by IN": "repo IN (SELECT m.repo FROM pgduet.member m WHERE m.who = current_user)",
}


@pytest.fixture(scope="module")
def indexed(library: Library) -> Iterator[Connection]:
    """Give a session on the library with an index in which few lists are looked through."""
    with library.database.connect() as session, built_index(session, "sketch", probes=8, depth=100):
        yield session


@contextmanager
def reader(session: Connection, policy: str) -> Iterator[None]:
    """Search as somebody who owns the 208 rows of the repo `mine`; everything is undone afterwards."""
    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL session_replication_role = replica")
        session.execute("UPDATE pgduet.code_chunks SET source = 'tenant', source_key = chunk_id WHERE repo = 'mine'")
        session.execute("SET LOCAL session_replication_role = origin")
        session.execute("CREATE ROLE tenant IN ROLE pgduet_reader")
        session.execute("CREATE TABLE pgduet.member AS SELECT name 'tenant' AS who, 'mine' AS repo")
        session.execute("GRANT SELECT ON pgduet.member TO tenant")
        session.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        session.execute(f"CREATE POLICY own ON pgduet.code_chunks FOR SELECT TO tenant USING ({POLICIES[policy]})")
        session.execute("ANALYZE pgduet.code_chunks; ANALYZE pgduet.member")
        session.execute("SET LOCAL ROLE tenant")
        yield


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("mode", ["auto", "index"])
def test_a_reader_of_few_rows_gets_them_and_no_others(
    indexed: Connection, library: Library, policy: str, mode: str
) -> None:
    mine = library.repos == "mine"
    with reader(indexed, policy):
        indexed.execute(f"SET LOCAL pgduet.search_mode = '{mode}'")
        for k in (10, 100, 1000):
            started = time.monotonic()
            ids, _ = ranked(indexed, library.queries[4], k)
            assert time.monotonic() - started < 2
            assert len(ids) == min(k, OWN)
            assert all(mine[np.array(ids) - 1])
            assert library.recall(4, ids, mine) >= 0.95
        both: Filter = ("python", None, "lib/%")
        left = mine & (library.languages == "python") & np.char.startswith(library.paths, "lib/")
        ids, _ = ranked(indexed, library.queries[4], OWN, both)
        assert sorted(ids) == (np.flatnonzero(left) + 1).tolist()


@pytest.mark.parametrize("policy", list(POLICIES))
def test_through_the_index_the_rows_are_filtered_inside_the_limit(
    indexed: Connection, library: Library, policy: str
) -> None:
    with reader(indexed, policy):
        indexed.execute("SET LOCAL pgduet.search_mode = 'index'")
        indexed.execute("RESET ROLE")
        with plans(indexed) as collected:
            indexed.execute("SET LOCAL ROLE tenant")
            ranked(indexed, library.queries[4], 10)
            indexed.execute("RESET ROLE")
    plan = next(text for text in collected if "array_agg(s.chunk_id)" in text)
    assert "Index Scan using code_embeddings_g1_sketch_ivfflat_1" in plan
    assert "Sort" not in plan
    assert "Seq Scan on code_embeddings" not in plan


def test_a_reader_of_most_rows_gets_the_nearest_through_the_index(indexed: Connection, library: Library) -> None:
    with reader(indexed, "members"):
        indexed.execute("RESET ROLE")
        indexed.execute("INSERT INTO pgduet.member SELECT 'tenant', 'repo' || g FROM generate_series(0, 94) g")
        indexed.execute("SET LOCAL ROLE tenant")
        indexed.execute("SET LOCAL pgduet.search_mode = 'index'")
        visible = ~np.isin(library.repos, [f"repo{number}" for number in range(95, 100)])
        ids, _ = ranked(indexed, library.queries[4], 50)
        assert len(ids) == 50
        assert all(visible[np.array(ids) - 1])
        assert library.recall(4, ids, visible) >= 0.95


def test_what_a_policy_leaves_is_looked_up_where_the_planner_cannot_know(indexed: Connection, library: Library) -> None:
    with indexed.transaction(force_rollback=True):
        # Of a function the planner assumes a third, of two denied nine in ten: enough for it to take the index.
        indexed.execute(
            "CREATE FUNCTION pgduet.hidden(repo text) RETURNS boolean LANGUAGE plpgsql STABLE AS"
            " 'BEGIN RETURN repo <> ''mine''; END'"
        )
        indexed.execute("CREATE ROLE tenant IN ROLE pgduet_reader")
        indexed.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        indexed.execute(
            "CREATE POLICY own ON pgduet.code_chunks FOR SELECT TO tenant"
            " USING (NOT pgduet.hidden(repo) OR NOT pgduet.hidden(repo || ''))"
        )
        indexed.execute("SET LOCAL ROLE tenant")
        plan = "SELECT way FROM pgduet._search_plan(1, NULL, NULL, NULL, 10)"
        assert indexed.execute(plan).fetchone() == ("exact",)
        rows = "SELECT pgduet._matching_rows(1, NULL, NULL, NULL) FROM generate_series(1, 3)"
        found = [seen for (seen,) in indexed.execute(rows).fetchall()]
        assert found[0] == found[1] == found[2]
        assert 50 < found[0] < 1000
        assert len(ranked(indexed, library.queries[4], 1000)[0]) == OWN
        indexed.execute("RESET ROLE; DROP POLICY own ON pgduet.code_chunks")
        indexed.execute("CREATE POLICY own ON pgduet.code_chunks FOR SELECT TO tenant USING (true)")
        indexed.execute("SET LOCAL ROLE tenant")
        assert indexed.execute(plan).fetchone() == ("index",)


def test_who_owns_nothing_finds_nothing_and_is_told_of_no_other(indexed: Connection, library: Library) -> None:
    with reader(indexed, "members"):
        indexed.execute("RESET ROLE")
        indexed.execute("TRUNCATE pgduet.member")
        indexed.execute("SET LOCAL ROLE tenant")
        assert ranked(indexed, library.queries[4], 10) == ([], [])
        assert indexed.execute("SELECT count(*) FROM pgduet._shown(ARRAY[1, 2], ARRAY[0.1, 0.2], NULL)").fetchone() == (
            0,
        )
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="chunk 77 has no vector"):
            indexed.execute("SELECT * FROM pgduet.similar_to(77)")


def test_others_are_not_concerned(indexed: Connection, library: Library) -> None:
    ids, _ = ranked(indexed, library.queries[4], 10)
    assert library.recall(4, ids, np.ones(ROWS, dtype=bool)) >= 0.9
