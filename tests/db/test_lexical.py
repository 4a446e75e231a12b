"""`similar_code(lexical => true)` and the words that it goes by, with and without its index."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import psycopg
import pytest

from fix_database import Connection, Database, new_database
from fix_sidecar import open_directory
from pgduet.database.search import search
from pgduet.local.cluster import Cluster
from stub_sidecar import StubSidecar, stub_vector

FILLER = 300
CODE = {
    "snake": "def parse_http_date(text):\n    return to_seconds(text)",
    "camel": "function parseHTTPDate(text) { return seconds; }",
    "used": "when = parse_http_date(header['Date'])",
    "words": "# parses the date of an http header",
    "other": "class Parser:\n    pass",
}
INDEX = "CREATE INDEX code_chunks_lexical ON pgduet.code_chunks USING gin (pgduet._lexemes(symbol, content))"
FOUND = "SELECT content, similarity FROM pgduet.similar_code(%s, k => %s, lexical => true)"
# The index has no part in these, or only the index could break them.
ONCE = pytest.mark.parametrize("loaded", ["indexed"], indirect=True)
WORDS = "SELECT tsvector_to_array(pgduet._lexemes(%s, %s))"


@pytest.fixture(scope="module", params=["indexed", "without index"])
def loaded(request: pytest.FixtureRequest, cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database with five chunks of interest among 300, with and without the index on words."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        stub = stack.enter_context(StubSidecar(f"unix:{directory}/stub.sock"))
        database = stack.enter_context(new_database(cluster, template))
        database.set("trigger_mode", "sync")
        database.set("sidecar_address", stub.address)
        with database.connect() as connection:
            insert = "INSERT INTO pgduet.code_chunks (repo, path, language, content) VALUES ('mine', %s, 'python', %s)"
            connection.cursor().executemany(insert, CODE.items())
            connection.execute(
                "INSERT INTO pgduet.code_chunks (repo, path, language, content) SELECT 'r', 'f' || g, 'zig',"
                " 'fn number' || g || '() { value }' FROM generate_series(1, %s) g",
                (FILLER,),
            )
            if request.param == "indexed":
                connection.execute(INDEX)
                connection.execute("ANALYZE pgduet.code_chunks")
        yield database


@pytest.fixture
def session(loaded: Database, stub: StubSidecar) -> Iterator[Connection]:
    """Give a session whose changes are undone."""
    with psycopg.connect(loaded.conninfo) as connection:
        connection.execute("UPDATE pgduet._setting SET value = %s WHERE key = 'sidecar_address'", (stub.address,))
        yield connection
        connection.rollback()


def one(session: Connection, query: str, *values: Any) -> Any:
    row = session.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def found(session: Connection, query: str, k: int = 10) -> list[str]:
    return [content for content, _ in session.execute(FOUND, (query, k)).fetchall()]


def test_an_identifier_finds_who_defines_and_uses_it_however_it_is_written(session: Connection) -> None:
    named = {CODE["snake"], CODE["camel"], CODE["used"]}
    meant = {row[0] for row in session.execute("SELECT content FROM pgduet.similar_code('ParseHttpDate')").fetchall()}
    assert len(meant & named) < 3, "vectors of the stub know nothing of words"
    # Rankings alternate: three of the first six are the three that have the name.
    for query in ("parse_http_date", "ParseHttpDate", "where is parseHttpDate() called?"):
        hits = found(session, query, k=6)
        assert named < set(hits), query
        assert CODE["words"] not in hits, "the words alone are not the name"


def test_plain_words_count_only_where_a_chunk_has_nearly_all(session: Connection) -> None:
    assert CODE["words"] in found(session, "the date of the http headers parsed", k=4)
    meaning = "SELECT content, similarity FROM pgduet.similar_code(%s)"
    for few in ("parse json documents into tables", "the of and"):
        assert session.execute(FOUND, (few, 10)).fetchall() == session.execute(meaning, (few,)).fetchall()


def test_a_word_that_most_chunks_have_is_not_looked_for(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'fn value ' || g FROM generate_series(1, 800) g")
    meaning = session.execute("SELECT content, similarity FROM pgduet.similar_code('value')").fetchall()
    assert session.execute(FOUND, ("value", 10)).fetchall() == meaning


def test_a_chunk_without_content_is_not_found_by_its_symbol(session: Connection) -> None:
    session.execute("INSERT INTO pgduet.code_chunks (symbol, content) VALUES ('zzqx_frob', ''), ('zzqx_frob', NULL)")
    meaning = session.execute("SELECT content, similarity FROM pgduet.similar_code('zzqx_frob')").fetchall()
    assert session.execute(FOUND, ("zzqx_frob", 10)).fetchall() == meaning


@ONCE
@pytest.mark.parametrize("k", [1, 7, 100, 100_000])
def test_there_are_as_many_rows_as_without_and_each_once(session: Connection, k: int) -> None:
    hits = found(session, "parse_http_date", k)
    assert len(hits) == len(set(hits)) == min(k, FILLER + len(CODE))
    assert CODE["snake"] in hits or k == 1


def test_filters_hold_and_fill_up(session: Connection) -> None:
    query = "SELECT path FROM pgduet.similar_code('parse_http_date', lexical => true, {})"
    for condition, paths in (
        ("repo => 'mine'", set(CODE)),
        ("path_like => 'us%%'", {"used"}),
        ("language => 'cobol'", set()),
    ):
        assert {path for (path,) in session.execute(query.format(condition).replace("%%", "%"))} == paths
    zig = session.execute(query.format("language => 'zig', k => 20")).fetchall()
    assert len(zig) == 20
    assert not {path for (path,) in zig} & set(CODE)


def test_similarity_is_the_cosine_also_of_what_only_words_found(session: Connection, stub: StubSidecar) -> None:
    stub.requests.clear()
    hits = dict(session.execute(FOUND, ("parse_http_date", 6)).fetchall())
    assert [(request.role, request.texts) for request in stub.requests] == [("query", 1)]
    for content, similarity in hits.items():
        expected = float(stub_vector(content) @ stub_vector("parse_http_date", "query"))
        assert similarity == pytest.approx(expected, abs=1e-3)
    most = hits[CODE["snake"]] + 1e-6
    cut = session.execute(FOUND.replace("k =>", "min_similarity => %s, k =>"), ("parse_http_date", most, 6)).fetchall()
    assert CODE["snake"] not in dict(cut)
    assert all(similarity >= most for _, similarity in cut)


def test_copies_are_shown_once_unless_asked_for(session: Connection) -> None:
    copy = "INSERT INTO pgduet.code_chunks (symbol, content) SELECT 's' || g, %s FROM generate_series(1, 30) g"
    session.execute(copy, (CODE["used"],))
    hits = found(session, "parse_http_date", 6)
    assert (hits.count(CODE["used"]), CODE["snake"] in hits, CODE["camel"] in hits) == (1, True, True)
    every = session.execute(
        FOUND.replace("k =>", "distinct_content => false, k =>"), ("parse_http_date", 70)
    ).fetchall()
    assert [content for content, _ in every].count(CODE["used"]) == 31


def test_a_chunk_whose_vector_is_not_current_is_not_found_by_its_words(session: Connection) -> None:
    session.execute("UPDATE pgduet._setting SET value = 'queue' WHERE key = 'trigger_mode'")
    session.execute("UPDATE pgduet.code_chunks SET content = 'zyzzyva_finder' WHERE path = 'other'")
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('call zyzzyva_finder')")
    assert not [content for content in found(session, "zyzzyva_finder", 400) if "zyzzyva" in content]


def test_row_security_hides_rows_from_words_too(session: Connection, loaded: Database) -> None:
    session.execute("CREATE ROLE lexical_reader IN ROLE pgduet_reader")
    session.execute("ALTER TABLE pgduet.code_chunks ENABLE ROW LEVEL SECURITY")
    session.execute("CREATE POLICY not_camel ON pgduet.code_chunks TO pgduet_reader USING (path <> 'camel')")
    session.execute("SET LOCAL ROLE lexical_reader")
    hits = found(session, "parse_http_date", 6)
    assert {CODE["snake"], CODE["used"]} < set(hits)
    assert CODE["camel"] not in found(session, "parse_http_date", 400)


def test_a_reader_uses_the_index_where_it_is_there(session: Connection, request: pytest.FixtureRequest) -> None:
    session.execute("LOAD 'auto_explain'; SET LOCAL auto_explain.log_min_duration = 0")
    session.execute("SET LOCAL auto_explain.log_nested_statements = on; SET LOCAL client_min_messages = log")
    told: list[str] = []
    session.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    session.execute("SET LOCAL ROLE pgduet_reader")
    assert CODE["snake"] in found(session, "parse_http_date", k=6)
    used = any("Bitmap Index Scan on code_chunks_lexical" in plan for plan in told)
    assert used == ("without index" not in request.node.name)


@ONCE
def test_a_writer_may_write_though_the_index_makes_words(session: Connection) -> None:
    session.execute("SET LOCAL ROLE pgduet_writer")
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES ('written_by_writer')")
    assert "written_by_writer" in found(session, "written_by_writer", k=2)


@ONCE
def test_a_search_leaks_no_setting_into_the_transaction(session: Connection) -> None:
    names = (
        "search_path",
        "work_mem",
        "jit",
        "enable_seqscan",
        "client_min_messages",
        "max_parallel_workers_per_gather",
    )
    before = [one(session, f"SHOW {name}") for name in names]
    found(session, "parse_http_date")
    assert [one(session, f"SHOW {name}") for name in names] == before


@ONCE
def test_the_command_line_and_its_library_pass_the_option_on(session: Connection) -> None:
    hits = search(session, "parse_http_date", k=6, lexical=True)
    assert CODE["camel"] in {hit.content for hit in hits}
    assert hits != search(session, "parse_http_date", k=6)


@ONCE
def test_identifiers_are_cut_and_kept_whole(session: Connection) -> None:
    words = one(session, WORDS, "Client.fetchURL", "self.parse_HTTPResponse(utf8, MAX_SIZE, 'URLs') / größe")
    assert {"client", "fetch", "url", "fetchurl", "pars", "http", "respons", "parsehttprespons", "utf8"} < set(words)
    assert {"max", "size", "maxsiz", "größe"} < set(words)
    assert one(session, WORDS, None, None) == []
    assert one(session, WORDS, None, "a.b/c --> <= '' \\") == ["b", "c"], "'a' is a stop word"


@ONCE
@pytest.mark.parametrize(
    "content",
    [
        "x" * 1_000_000,
        " ".join(f"word{n:07}" for n in range(200_000)),
        "".join(chr(1 + (n * 7919) % 126) for n in range(5000)),
        "\x01\x7f\ufeff🙂 שלום 👩‍👩‍👧 e\u0301 " * 100,
        "日本 " * 60_000,
        "'' \\ \\\\ & | ! <-> :* ( ) " * 1000,
    ],
    ids=["one word of a megabyte", "200,000 words", "noise", "emoji", "no ASCII", "operators"],
)
def test_no_content_and_no_query_is_too_strange(session: Connection, content: str) -> None:
    told: list[object] = []
    session.add_notice_handler(told.append)
    session.execute("INSERT INTO pgduet.code_chunks (content) VALUES (%s)", (content,))
    assert len(found(session, content + " x", 5)) == 5
    assert told == []


@ONCE
def test_recent_queries_are_exact_newest_first_and_for_workers_and_admins_only(
    session: Connection, stub: StubSidecar
) -> None:
    recent = "SELECT embedding::text, sketch::text FROM pgduet._recent_queries(%s)"
    assert session.execute(recent, (10,)).fetchall() == []
    stub.recent = ["newest", "older", "oldest"]
    rows = session.execute(recent, (2,)).fetchall()
    expected = session.execute(
        "SELECT embedding::text, sketch::text FROM pgduet._embed_rows(ARRAY['newest', 'older'], 'query', 'infinity')"
    ).fetchall()
    assert rows == expected
    assert session.execute(recent, (0,)).fetchall() == []
    for role in ("pgduet_worker", "pgduet_admin", "pgduet_writer"):
        allowed = one(session, "SELECT has_function_privilege(%s, 'pgduet._recent_queries(integer)', 'EXECUTE')", role)
        assert allowed == (role != "pgduet_writer")


@ONCE
def test_recent_queries_of_another_fingerprint_are_refused_and_an_old_sidecar_keeps_none(
    session: Connection, stub: StubSidecar
) -> None:
    stub.recent = ["newest"]
    session.execute("SAVEPOINT before")
    stub.fingerprint = "another"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="fingerprint"):
        session.execute("SELECT * FROM pgduet._recent_queries(5)")
    session.execute("ROLLBACK TO before")
    stub.status = grpc.StatusCode.UNIMPLEMENTED
    assert session.execute("SELECT * FROM pgduet._recent_queries(5)").fetchall() == []
