"""The search page over a real database, as a browser or a script asks it; the stub makes the vectors."""

import re
from contextlib import closing

import psycopg
import pytest
from starlette.testclient import TestClient

from fix_database import Database
from fix_web import BACKOFF, FAILED, MAP, RUNS, STEPS, client_of, fill
from pgduet.database.errors import DatabaseError
from pgduet.database.reading import Readers
from stub_sidecar import StubSidecar

PART = {"x-part": "1"}


def test_a_page_shows_hits_with_their_code_in_colours(page: TestClient) -> None:
    shown = page.get("/", params={"q": BACKOFF, "k": 3}).text
    assert shown.count('<li class="hit"') == 3
    assert "shop/web/retry.py:1-9" in shown
    assert '<span class="nf">call_again</span>' in shown
    assert "<title>def call_again" in shown


def test_a_script_gets_the_hits_without_the_frame(page: TestClient) -> None:
    part = page.get("/", params={"q": BACKOFF}, headers=PART).text
    assert 'class="hit"' in part
    assert "<html" not in part
    assert "<form" not in part


def test_stored_code_is_never_markup(page: TestClient) -> None:
    for address in ("/?q=quoted&k=5", "/chunk/2", "/part/neighbours?chunk=1"):
        shown = page.get(address).text
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "<b>bold</b>" not in shown
        assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    asked = page.get("/", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in asked


def test_filters_narrow_and_say_so_where_nothing_is_left(page: TestClient) -> None:
    assert page.get("/", params={"q": "x", "language": "go"}).text.count('<li class="hit"') == 1
    assert page.get("/", params={"q": "x", "repo": "tools"}).text.count('<li class="hit"') == 2
    assert page.get("/", params={"q": "x", "path": "web/%"}).text.count('<li class="hit"') == 2
    nothing = page.get("/", params={"q": "x", "language": "cobol"}).text
    assert "the filters leave nothing" in nothing
    assert 'href="/?q=x"' in nothing


def test_more_hits_are_offered_while_there_are_more(page: TestClient) -> None:
    assert "k=12" in page.get("/", params={"q": "x", "k": 2, "repo": "shop"}).text
    assert 'class="more"' not in page.get("/", params={"q": "x", "k": 50}).text


def test_the_json_is_that_of_the_command_line(page: TestClient) -> None:
    hits = page.get("/api/search", params={"q": BACKOFF, "k": 2, "language": "python"}).json()
    assert [hit["symbol"] for hit in hits] == ["call_again"]
    assert set(hits[0]) == {
        *("chunk_id", "repo", "path", "symbol", "kind", "language", "start_line", "end_line", "content", "similarity")
    }
    assert page.get("/api/facets").json() == {
        "languages": [["go", 1], ["javascript", 1], ["klingon", 1], ["python", 1], ["rust", 1]],
        "repos": [["shop", 3], ["tools", 2]],
    }


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/api/search", 400, "nothing was asked"),
        ("/api/search?q=x&k=0", 400, "k is '0'"),
        ("/api/search?q=x&k=ten", 400, "whole number from 1 to 100"),
        ("/api/search?q=a%00b", 400, "NUL"),
        ("/api/search?q=x&path=a%5C", 400, "path_like ends in a backslash"),
        (f"/api/search?q={'x' * 20001}", 400, "20001 characters"),
        ("/chunk/99", 404, "there is no chunk 99"),
        ("/chunk/9223372036854775808", 400, "no chunk&#39;s number"),
        ("/chunk/x", 400, "no chunk&#39;s number"),
        ("/part/neighbours?chunk=99", 400, "chunk 99 has no vector"),
        ("/part/nothing", 404, "no such part"),
        ("/nowhere", 404, "start at /"),
        ("/static/../app.py", 404, ""),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(page: TestClient, address: str, status: int, words: str) -> None:
    answer = page.get(address)
    assert answer.status_code == status
    assert words in answer.text


def test_nothing_but_reading_is_answered(page: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert page.request(method, "/").status_code == 405


def test_every_answer_keeps_the_page_to_itself(page: TestClient) -> None:
    for address in ("/", "/nowhere", "/api/facets", "/static/search.js", "/highlight.css", "/part/queue"):
        answer = page.get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        # What the policy forbids would be blocked silently.
        assert " style=" not in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org/", "")


def test_other_host_names_and_other_sites_are_refused(page: TestClient) -> None:
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8517", ""):
        answer = page.get("/api/search?q=x", headers={"host": host})
        assert answer.status_code == 421
        assert "--allow-host" in answer.text
    for host in ("localhost:8517", "127.0.0.1", "[::1]:8517", "LOCALHOST"):
        assert page.get("/api/facets", headers={"host": host}).status_code == 200
    foreign = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert page.get("/api/facets", headers=foreign).status_code == 403


def test_status_and_models_show_what_the_views_say(stub_database: Database) -> None:
    with stub_database.connect() as session:
        fill(session)
        session.execute(FAILED)
        session.execute(RUNS)
    with client_of(stub_database) as page:
        shows_what_the_views_say(page)


def shows_what_the_views_say(page: TestClient) -> None:
    assert "1</strong> failed" in page.get("/part/queue").text
    failures = page.get("/part/failures").text
    assert "the model failed on &lt;this&gt; text" in failures
    assert "tools/long.txt" in failures
    assert "No worker was heard of" in page.get("/part/workers").text
    assert "none yet for 5 vectors" in page.get("/part/indexes").text
    health = page.get("/part/health").text
    assert "sidecar" in health
    assert "1 chunks given up" in health
    assert "small" in page.get("/part/generations").text
    runs = page.get("/part/runs").text
    assert runs.count('<circle class="after"') == 3
    assert runs.count('class="passed"') == 2
    assert "ndcg@10 0.620 to 0.650" in runs
    for address in ("/map", "/status", "/generations"):
        assert page.get(address).status_code == 200


def test_the_newest_runs_are_drawn_and_told_in_words(database: Database) -> None:
    with database.connect() as session, client_of(database) as page:
        assert "<svg" not in page.get("/part/runs").text
        session.execute(RUNS)
        assert 'class="course"' not in page.get("/part/runs").text
        session.execute(STEPS)
        session.execute("UPDATE pgduet.finetune_runs SET name = '<b>run</b>', state = 'running' WHERE name = 'run-3'")
        shown = page.get("/part/runs").text
        session.execute(
            "INSERT INTO pgduet.finetune_runs (name, options, requested_by) SELECT 'n' || i, '{}', 'ada'"
            " FROM generate_series(1, 20) i"
        )
        session.execute(
            "INSERT INTO pgduet.finetune_steps (run_id, step, loss) SELECT run_id, 7, 1 FROM pgduet.finetune_runs"
            " WHERE name LIKE 'n%' AND run_id % 2 = 0"
        )
        newest = re.findall(r"Run (\d+), n\d+: its course", page.get("/part/runs").text)
    drawn = re.findall(r'<svg class="course".*?</svg>', shown, re.DOTALL)
    assert [len(re.findall("<polyline", one)) for one in drawn] == [1, 1, 2]
    assert all(one.index("<title") < one.index("<desc") < one.index("<polyline") for one in drawn)
    third, second, first = (one.group(1) for one in re.finditer("<desc[^>]*>(.*?)</desc>", shown))
    assert third == "Loss 0.759 at step 1, least 0.759 at step 1."
    assert re.fullmatch(r"Loss 0\.759 at step 1, 0\.\d+ at step 100, least 0\.26\d* at step \d+\.", second)
    assert first.startswith(second)
    assert first.endswith(". Dev score 0.58 at step 10, 0.685 at step 100, best 0.685 at step 100.")
    assert "<b>run" not in shown
    assert "&lt;b&gt;run&lt;/b&gt;" in shown
    assert newest == ["22", "20", "18", "16", "14", "12"]


def test_the_map_comes_as_points_and_tells_what_to_do_without_one(stub_database: Database) -> None:
    with stub_database.connect() as session, client_of(stub_database) as page:
        fill(session)
        session.execute("DROP VIEW IF EXISTS pgduet.code_map CASCADE")
        missing = page.get("/api/map")
        assert (missing.status_code, "pgduet db migrate" in missing.json()["hint"]) == (500, True)
        session.execute(MAP.encode())
        found = page.get("/api/map").json()
        assert (found["generation"], found["total"], len(found["points"])) == ("small", 5, 5)
        assert found["points"][0][3:] == [1, "python", "shop/web/retry.py call_again"]
        session.execute("SET pgduet.trigger_mode = 'queue'")
        session.execute("INSERT INTO pgduet.code_chunks (content) SELECT 'text ' || g FROM generate_series(1, 200) g")
        thinned = page.get("/api/map?most=50").json()
        assert thinned["total"] == 205
        assert 20 < len(thinned["points"]) < 80
        session.execute("TRUNCATE pgduet.code_chunks")
        empty = page.get("/api/map")
        assert (empty.status_code, "worker" in empty.json()["hint"]) == (503, True)


def test_a_reader_in_a_read_only_transaction_is_all_that_asks(database: Database) -> None:
    readers = Readers(database.conninfo, seconds=3, size=1)
    with readers.transaction() as connection:
        shown = connection.execute(
            "SELECT current_user::text, current_setting('transaction_read_only'), current_setting('statement_timeout')"
        ).fetchone()
        assert shown == ("pgduet_reader", "on", "3s")
    with pytest.raises(DatabaseError, match="read-only transaction"), readers.transaction() as connection:
        connection.execute("DELETE FROM pgduet.code_chunks")
    with readers.transaction() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    readers.close()


def test_a_role_that_cannot_be_taken_is_one_error_with_a_hint(database: Database) -> None:
    with client_of(database, role="nobody_of_that_name") as page:
        assert "nobody_of_that_name" in page.get("/api/facets").json()["error"]
    outsider = psycopg.conninfo.make_conninfo(database.conninfo, user="page_outsider", password="x")
    with database.connect() as session:
        session.execute("DROP ROLE IF EXISTS page_outsider")
        session.execute("CREATE ROLE page_outsider LOGIN PASSWORD 'x'")
        try:
            with (
                closing(Readers(outsider)) as readers,
                pytest.raises(DatabaseError) as caught,
                readers.transaction(),
            ):
                pass
        finally:
            session.execute("DROP ROLE page_outsider")
    assert caught.value.sqlstate == "42501"
    assert "GRANT pgduet_reader TO" in caught.value.hint


def test_a_slow_model_ends_at_the_time_limit(stub_database: Database, stub: StubSidecar) -> None:
    stub.hang = True
    with client_of(stub_database, seconds=0.5) as page:
        late = page.get("/api/search?q=x")
    assert late.status_code == 504
    assert "timeout" in late.json()["error"]


def test_a_sidecar_that_is_away_is_an_error_and_the_rest_goes_on(stub_database: Database, stub: StubSidecar) -> None:
    stub.stop()
    with client_of(stub_database) as page:
        away = page.get("/?q=x", headers=PART)
        assert away.status_code == 503
        assert 'role="alert"' in away.text
        assert "sidecar" in away.text
        assert page.get("/part/queue").status_code == 200


def test_connections_come_back_after_the_server_ended_them(database: Database) -> None:
    with client_of(database) as page, database.connect() as session:
        assert page.get("/part/queue").status_code == 200
        ended = session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'pgduet ui' AND datname = current_database()"
        ).fetchall()
        assert ended == [(True,)]
        assert page.get("/part/queue").status_code == 200


def test_a_caller_waits_for_a_connection_no_longer_than_the_limit(database: Database) -> None:
    readers = Readers(database.conninfo, seconds=0.2, size=1)
    with (
        readers.transaction(),
        pytest.raises(DatabaseError, match=r"in use for 0\.2 seconds"),
        readers.transaction(),
    ):
        pass
    readers.close()
