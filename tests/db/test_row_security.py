"""Row security on code_chunks holds on every way to a chunk, its vector, and what is noted about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from fix_database import Connection, Database
from fix_roles import login
from fix_watch import Shop
from fix_worker import running_worker
from stub_sidecar import StubSidecar

ROWS = 30
EMBEDDED = "SELECT sum(embedded) FROM pgduet.coverage"
# Every ninth content is in both repositories.
FILL = """
INSERT INTO pgduet.code_chunks (chunk_id, repo, path, symbol, language, content, source, source_key)
SELECT g + CASE r WHEN 'alpha' THEN 0 ELSE 1000 END, r, r || '/file' || g || '.py', 'symbol_' || r || g, 'python',
  CASE WHEN g % 9 = 0 THEN 'shared text ' || g ELSE 'secret of ' || r || ' number ' || g END, 'repo ' || r, g::text
FROM generate_series(1, 30) g CROSS JOIN unnest(ARRAY['alpha', 'beta']) r;
ALTER TABLE pgduet.code_chunks ALTER COLUMN chunk_id RESTART WITH 5000;
"""
NOTES = """
INSERT INTO pgduet._pending (chunk_id, error_class, error, next_attempt_at)
VALUES (1, 'row_temporary', 'pending of alpha', now() + '1 day'),
  (1001, 'row_temporary', 'pending of beta', now() + '1 day');
INSERT INTO pgduet._dead_letter (chunk_id, generation_id, content_hash, error_class, error, attempts)
SELECT chunk_id, 1, content_hash, 'row_permanent', 'failure of ' || repo, 1 FROM pgduet.code_chunks
WHERE chunk_id IN (2, 1002);
INSERT INTO pgduet._watch (source, schema_name, table_name, key_columns, content_column, copy_protected, created_by)
SELECT 'repo ' || r, 'public', 'table_' || r, '{id}', 'code', false, 'x' FROM unnest(ARRAY['alpha', 'beta']) r;
INSERT INTO pgduet._source (watch_id, row_key, error, next_attempt_at)
SELECT watch_id, '3', 'source of ' || substr(source, 6), now() + '1 day' FROM pgduet._watch;
INSERT INTO pgduet._source_row (watch_id, row_key, row_hash, row_version, chunks, error)
SELECT watch_id, '4', '\\x00', '1', 1, 'row of ' || substr(source, 6) FROM pgduet._watch;
INSERT INTO pgduet._mining (generation_id, settings, report) VALUES (1, '{}', '{}');
INSERT INTO pgduet._triplet (mining_id, triplet_id, negative_number, split, kind, anchor, positive, negative,
  negative_kind, anchor_chunk, positive_chunk, negative_chunk, negative_similarity)
VALUES (1, 1, 1, 'train', 'symbol', 'anchor of alpha', 'x', 'y', 'hard', 5, 6, 7, 0.1),
  (1, 2, 1, 'train', 'symbol', 'anchor of alpha', 'x', 'y', 'hard', 5, 6, 1007, 0.1),
  (1, 3, 1, 'train', 'symbol', 'anchor of beta', 'x', 'y', 'hard', 1005, 1006, 1007, 0.1);
"""
# Whatever a reader can read that tells of chunks, with the word for the repository in it or a chunk's id.
TABLES = {
    "code_chunks": "SELECT repo || path || symbol || content FROM pgduet.code_chunks",
    "code_embeddings": "SELECT repo || path FROM pgduet.code_embeddings",
    "vectors": "SELECT chunk_id FROM pgduet.code_embeddings WHERE embedding IS NOT NULL",
    "_pending": "SELECT error FROM pgduet._pending WHERE error IS NOT NULL",
    "_dead_letter": "SELECT error FROM pgduet._dead_letter",
    "_watch": "SELECT source FROM pgduet._watch",
    "_source": "SELECT error FROM pgduet._source",
    "_source_row": "SELECT error FROM pgduet._source_row",
    "_triplet": "SELECT anchor FROM pgduet._triplet",
    "triplets": "SELECT anchor_chunk FROM pgduet.triplets",
    "coverage": "SELECT repo FROM pgduet.coverage",
    "failures": "SELECT path || error FROM pgduet.failures",
    "chunk_status": "SELECT path FROM pgduet.chunk_status",
    "queue_status": "SELECT last_error FROM pgduet.queue_status WHERE last_error IS NOT NULL",
    "watch_status": "SELECT source || last_error FROM pgduet.watch_status",
    "watch_failures": "SELECT source || error FROM pgduet.watch_failures",
    "similar_code": "SELECT path || content FROM pgduet.similar_code('secret', k => 500)",
    "copies too": "SELECT path FROM pgduet.similar_code('secret', k => 500, distinct_content => false)",
    "by repo": "SELECT path FROM pgduet.similar_code('secret', k => 500, repo => NULL, path_like => '%file%')",
    "lexical": "SELECT path FROM pgduet.similar_code('secret of alpha beta number 5', k => 500, lexical => true)",
    "similar_to": "SELECT path FROM pgduet.similar_to({id}, k => 500)",
    "_neighbours": "SELECT neighbour_id FROM pgduet._neighbours(ARRAY[{id}, 1003, 3], 500)",
    "_pair_cosines": "SELECT (ARRAY[1003, 3])[place] FROM pgduet._pair_cosines(ARRAY[1003, 3], ARRAY[1004, 4])",
    "pg_stats": "SELECT most_common_vals::text FROM pg_stats WHERE schemaname = 'pgduet' AND attname = 'repo'",
}
COUNTS = {
    "SELECT count(*) FROM pgduet.code_chunks": ROWS,
    "SELECT count(*) FROM pgduet.code_embeddings": ROWS,
    "SELECT sum(chunks) FROM pgduet.coverage": ROWS,
    "SELECT vectors FROM pgduet.generation_status": ROWS,
    "SELECT sum(chunks) FROM pgduet.queue_status WHERE state = 'retrying'": 1,
    "SELECT sum(chunks) FROM pgduet.queue_status WHERE state = 'failed'": 1,
    "SELECT count(*) FROM pgduet.similar_code('secret', k => 500)": ROWS,
    "SELECT count(*) FROM pgduet.triplets": 1,
    "SELECT count(*) FROM pgduet._pair_cosines(ARRAY[1003, 3, 1003], ARRAY[1004, 4, 4])": 1,
    "SELECT queries FROM pgduet.index_recall() WHERE query_kind = 'stored'": ROWS,
    "SELECT split_part(detail, ' ', 1)::int FROM pgduet.health() WHERE component = 'failures'": 1,
}


@contextmanager
def secured(database: Database, policy: str) -> Iterator[dict[str, Connection]]:
    """Give a session of a writer for each of two repositories; a policy keeps them apart."""
    database.set("trigger_mode", "sync")
    with database.connect() as owner, login(database, "pgduet_writer") as a, login(database, "pgduet_writer") as b:
        owner.execute(FILL)
        owner.execute(NOTES)
        for repo, session in (("alpha", a), ("beta", b)):
            query = f"CREATE POLICY only_{repo} ON pgduet.code_chunks TO {session.info.user} USING (repo = '{repo}')"
            owner.execute(query.encode())
        owner.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
        if policy == "FORCE":
            owner.execute("ALTER TABLE pgduet.code_chunks FORCE ROW LEVEL SECURITY")
        owner.execute("ANALYZE pgduet.code_chunks; ANALYZE pgduet.code_embeddings")
        yield {"alpha": a, "beta": b}


@pytest.fixture
def tenants(request: pytest.FixtureRequest, stub_database: Database) -> Iterator[dict[str, Connection]]:
    with secured(stub_database, getattr(request, "param", "FORCE")) as sessions:
        yield sessions


def values(session: Connection, query: str, *parameters: Any) -> list[Any]:
    return [row[0] for row in session.execute(query.encode(), parameters or None).fetchall()]


def repo_of(value: Any) -> str:
    """Tell of which repository a row is: the ids of beta are over 1,000, its texts name it."""
    return "beta" if (value > 1000 if isinstance(value, int) else "beta" in value) else "alpha"


@pytest.mark.parametrize("tenants", ["ENABLE", "FORCE"], indirect=True)
def test_a_reader_finds_all_of_her_own_and_nothing_of_others(
    tenants: dict[str, Connection], stub_database: Database
) -> None:
    with stub_database.connect() as owner:
        everything = {name: values(owner, query.format(id=1003)) for name, query in TABLES.items()}
    for repo, session in tenants.items():
        number = {"alpha": 3, "beta": 1003}[repo]
        for name, query in TABLES.items():
            found = values(session, query.format(id=number))
            if name == "pg_stats":
                assert found == [], (repo, name)
                continue
            assert found, (repo, name)
            assert {repo_of(value) for value in found} == {repo}, (repo, name, found)
            # Without the policy there would be more to see: the query is able to leak.
            assert name in ("similar_to", "_neighbours", "queue_status") or {
                repo_of(value) for value in everything[name]
            } == {"alpha", "beta"}, name
        for query, expected in COUNTS.items():
            assert values(session, query) == [expected], (repo, query)


def test_a_chunk_that_is_hidden_is_answered_for_like_one_that_does_not_exist(tenants: dict[str, Connection]) -> None:
    said = []
    for number in (1003, 777777):
        with pytest.raises(psycopg.Error) as caught:
            tenants["alpha"].execute("SELECT * FROM pgduet.similar_to(%s)", (number,))
        said.append((caught.value.sqlstate, str(caught.value).replace(str(number), "?")))
    assert said[0] == said[1]
    assert values(tenants["alpha"], "SELECT neighbour_id FROM pgduet._neighbours(ARRAY[1003], 5)") == []
    assert values(tenants["beta"], "SELECT count(*) FROM pgduet._neighbours(ARRAY[1003], 5)") == [5]


def test_writers_change_their_own_rows_and_every_vector_follows(
    tenants: dict[str, Connection], stub_database: Database, stub: StubSidecar
) -> None:
    a = tenants["alpha"]
    a.execute("INSERT INTO pgduet.code_chunks (repo, content) VALUES ('alpha', 'new')")
    assert a.execute("UPDATE pgduet.code_chunks SET content = 'changed ' || chunk_id").rowcount == ROWS + 1
    assert (
        a.execute("DELETE FROM pgduet.code_chunks WHERE chunk_id <= 10 OR chunk_id BETWEEN 1000 AND 2000").rowcount
        == 10
    )
    for refused in (
        "INSERT INTO pgduet.code_chunks (repo, content) VALUES ('beta', 'x')",
        "TRUNCATE pgduet.code_chunks",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            a.execute(refused.encode())
    assert values(a, EMBEDDED) == [ROWS + 1 - 10]
    assert values(tenants["beta"], EMBEDDED) == [ROWS]


def test_worker_and_owner_still_see_all(tenants: dict[str, Connection], stub_database: Database, folder: Any) -> None:
    stub_database.set("trigger_mode", "queue")
    tenants["alpha"].execute("UPDATE pgduet.code_chunks SET content = 'again ' || chunk_id")
    tenants["beta"].execute("DELETE FROM pgduet.code_chunks WHERE chunk_id = 1005")
    with login(stub_database, "pgduet_worker") as worker, stub_database.connect() as superuser:
        assert values(worker, "SELECT count(*) FROM pgduet.code_chunks") == [2 * ROWS - 1]
        assert values(worker, "SELECT count(DISTINCT chunk_id) FROM pgduet._pending") == [ROWS + 2]
        superuser.execute("SET ROLE pgduet_owner")
        for table, rows in (("code_chunks", 2 * ROWS - 1), ("code_embeddings", 2 * ROWS), ("_dead_letter", 2)):
            assert values(superuser, f"SELECT count(*) FROM pgduet.{table}") == [rows]
        superuser.execute("RESET ROLE; UPDATE pgduet._pending SET next_attempt_at = now()")
        superuser.execute("DELETE FROM pgduet._source; DELETE FROM pgduet._watch")
        with running_worker(stub_database, folder, "--once") as process:
            assert process.process.wait(60) == 0
        assert values(superuser, "SELECT sum(embedded)::int FROM pgduet.coverage") == [2 * ROWS - 1]
        assert values(superuser, "SELECT count(*) FROM pgduet.code_embeddings") == [2 * ROWS - 1]
        # It would take what it cannot see for gone.
        assert worker.execute("SELECT * FROM pgduet.reconcile()").fetchone() == (0, 0)


def test_a_new_generation_is_under_the_same_policies(tenants: dict[str, Connection], stub_database: Database) -> None:
    with stub_database.connect() as owner:
        owner.execute("SELECT pgduet.add_generation('other')")
        owner.execute(
            "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch, repo)"
            " SELECT chunk_id, 2, content_hash, embedding, sketch, repo FROM pgduet.code_embeddings"
        )
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA pgduet TO pgduet_reader")
    by_repo = "SELECT repo || ' ' || count(*) FROM pgduet.code_embeddings WHERE generation_id = 2 GROUP BY repo"
    assert values(tenants["alpha"], by_repo) == [f"alpha {ROWS}"]
    # Even to whom somebody granted everything a partition shows nothing by itself.
    for partition in ("code_embeddings_g1", "code_embeddings_g2"):
        assert values(tenants["alpha"], f"SELECT count(*) FROM pgduet.{partition}") == [0]


LEAK = """
CREATE FUNCTION pg_temp.leak(v text) RETURNS bool LANGUAGE plpgsql COST 1e-9 AS
  $$ BEGIN RAISE NOTICE '%', v; RETURN true; END $$
"""


@pytest.mark.parametrize(
    "place", ["code_chunks.content", "code_embeddings.path", "_dead_letter.error", "chunk_status.path"]
)
def test_a_function_of_the_readers_is_not_shown_rows_before_the_policy(
    tenants: dict[str, Connection], stub_database: Database, place: str
) -> None:
    table, column = place.split(".")
    seen: list[str] = []
    with stub_database.connect() as owner:
        for session in (tenants["alpha"], owner):
            session.add_notice_handler(lambda diagnostic: seen.append(diagnostic.message_primary or ""))
            session.execute(LEAK.encode())
        query = f"SELECT count(*) FROM pgduet.{table} WHERE pg_temp.leak({column})".encode()
        tenants["alpha"].execute(query)
        assert seen
        mine = len(seen)
        owner.execute(query)
    assert len(seen) == 3 * mine
    assert not any("beta" in text for text in seen[:mine])


def test_watched_tables_flow_under_force_too(shop: Shop, table: str) -> None:
    shop.run("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    shop.run("INSERT INTO t VALUES (3, 'three'); DELETE FROM t WHERE id = 1")
    shop.run("DELETE FROM pgduet.code_chunks WHERE source_key = '2'")
    shop.run("SELECT pgduet._rescan_watch(1, 100)")
    assert shop.chunks(table) == {"2": "two", "3": "three"}
    assert shop.problem() is None
    shop.run("DROP TABLE t; INSERT INTO pgduet._source (watch_id) VALUES (1)")
    shop.settle()
    assert shop.one("SELECT count(*) FROM pgduet.code_chunks") == 0


def test_health_warns_of_a_restrictive_policy_that_hides_chunks_from_pgduet_itself(stub_database: Database) -> None:
    hiding = "AS RESTRICTIVE {who} USING (repo = 'mine')"
    with stub_database.connect() as session:
        session.execute("INSERT INTO pgduet.code_chunks (repo, content) VALUES ('mine', 'a'), ('other', 'b')")
        session.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        session.execute("CREATE POLICY team ON pgduet.code_chunks USING (repo = 'mine')")
        session.execute("CREATE POLICY harmless ON pgduet.code_chunks AS RESTRICTIVE USING (true)")
        session.execute("CREATE POLICY of_others ON pgduet.code_chunks AS RESTRICTIVE TO pgduet_reader USING (false)")
        assert told_of_policies(session) == ("ok", 2)
        for who in ("", "TO pgduet_owner", "TO pgduet_reader, pgduet_owner"):
            session.execute(f'CREATE POLICY "Only mine" ON pgduet.code_chunks {hiding.format(who=who)}'.encode())
            assert told_of_policies(session) == ("warn", 1)
            query = "SELECT detail FROM pgduet.health() WHERE component = 'row security'"
            (detail,) = values(session, query)
            assert 'for deleted: "Only mine"; ALTER POLICY' in detail
            assert "harmless" not in detail
            assert "of_others" not in detail
            session.execute("ALTER TABLE pgduet.code_chunks NO FORCE ROW LEVEL SECURITY")
            assert told_of_policies(session) == ("ok", 2)
            session.execute("ALTER TABLE pgduet.code_chunks FORCE ROW LEVEL SECURITY")
            session.execute('DROP POLICY "Only mine" ON pgduet.code_chunks')


def told_of_policies(session: Connection) -> tuple[str, int]:
    """Give what health() says of policies, and how many chunks pgduet's owner sees in fact."""
    (state,) = values(session, "SELECT status FROM pgduet.health() WHERE component = 'row security'")
    session.execute("SET ROLE pgduet_owner")
    (seen,) = values(session, "SELECT count(*) FROM pgduet.code_chunks")
    session.execute("RESET ROLE")
    return state, seen
