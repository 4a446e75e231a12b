"""From SQL to the real model and back: what users write, with the real sidecar and the real weights."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fix_database import Connection, Database

ADD = "def add(a,b): return a+b"


@pytest.fixture
def session(live_database: Database) -> Iterator[Connection]:
    live_database.set("trigger_mode", "sync")
    with live_database.connect() as connection:
        yield connection


def test_a_search_by_meaning_finds_the_right_function_first(session: Connection) -> None:
    functions = {
        "read_config": "def load(path):\n    with open(path) as file:\n        return json.load(file)",
        "retry": "def call(url):\n    for wait in (1, 2, 4):\n        try:\n            return http_get(url)\n"
        "        except ConnectionError:\n            time.sleep(wait)",
        "mean": "def mean(numbers):\n    return sum(numbers) / len(numbers)",
        "reverse": "def reverse(node):\n    previous = None\n    while node:\n        node.next, previous, node ="
        " previous, node, node.next\n    return previous",
    }
    for symbol, content in functions.items():
        session.execute("INSERT INTO pgduet.code_chunks (symbol, content) VALUES (%s, %s)", (symbol, content))
    for query, expected in {
        "try an http request again after a pause": "retry",
        "parse a json settings file": "read_config",
        "average of a list": "mean",
        "turn a linked list around": "reverse",
    }.items():
        row = session.execute("SELECT symbol, similarity FROM pgduet.similar_code(%s, k => 1)", (query,)).fetchone()
        assert row is not None
        assert row[0] == expected
        assert 0 < row[1] <= 1


def test_blank_rows_beside_a_good_one(session: Connection) -> None:
    rows = [(1, None), (2, ""), (3, " \t\r\n "), (4, "\ufeff"), (5, "def f(x): return x + 1")]
    for base in (0, 100):
        with session.cursor() as cursor:
            values = [(number + base, content) for number, content in rows]
            cursor.executemany("INSERT INTO pgduet.code_chunks (chunk_id, content) VALUES (%s, %s)", values)
    embedded = session.execute("SELECT chunk_id FROM pgduet.code_embeddings ORDER BY 1").fetchall()
    assert embedded == [(5,), (105,)]
    assert session.execute("SELECT blank, pending FROM pgduet.coverage").fetchone() == (8, 0)
    session.execute("UPDATE pgduet.code_chunks SET content = NULL WHERE chunk_id = 5")
    found = session.execute("SELECT chunk_id FROM pgduet.similar_code('add one to x')").fetchall()
    assert found == [(105,)]


def test_query_and_document_are_different_sides_of_the_model(session: Connection) -> None:
    (distance,) = session.execute(
        "SELECT pgduet.embed('sort a list', 'query') <=> pgduet.embed('sort a list')"
    ).fetchone() or (0,)
    assert 0.0001 < distance < 0.5


STRANGE = {
    "a line of one megabyte": "x = 1; " * 150_000,
    "noise without NUL": "".join(chr(1 + (i * 7919) % 126) for i in range(5000)),
    "emoji and right-to-left text": "# 🙂 שלום עולם مرحبا 👩‍👩‍👧\nprint('é')",
    "CRLF with a byte order mark": "\ufeffdef f():\r\n    return 1\r\n",
    "special tokens of the tokenisers": "[SEP] </s> <s> [MASK] <|endoftext|> [PAD]",
}


def _by_itself(name: str, text: str) -> Any:
    """Mark a text that takes two seconds to read: beside other tests it would miss the 5 s that a query may take."""
    return pytest.param(text, id=name, marks=[pytest.mark.alone] if len(text) > 1_000_000 else [])


@pytest.mark.parametrize("text", [_by_itself(name, text) for name, text in STRANGE.items()])
def test_strange_text_has_a_unit_vector(session: Connection, text: str) -> None:
    (norm,) = session.execute("SELECT l2_norm(pgduet.embed(%s))", (text,)).fetchone() or (0,)
    assert norm == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_strange_text_is_chunked_and_nothing_is_lost(session: Connection, text: str) -> None:
    chunks = session.execute("SELECT start_line, end_line, content FROM pgduet.chunk_code(%s)", (text,)).fetchall()
    assert chunks
    kept = sum(len(content) for _, _, content in chunks)
    assert kept >= 0.9 * len(text.replace("\r\n", "\n").strip())


def test_chunk_code_gives_symbols_kinds_and_lines(session: Connection) -> None:
    source = "import os\n\nclass A:\n    '''Doc.'''\n    def m(self):\n        return 1\n\ndef f():\n    return 2\n"
    rows = session.execute(
        "SELECT symbol, kind, language, start_line, end_line FROM pgduet.chunk_code(%s, path => 'a.py')", (source,)
    ).fetchall()
    assert ("A.m", "method", "python", 5, 6) in rows
    assert ("f", "function", "python", 8, 9) in rows
    assert session.execute("SELECT * FROM pgduet.chunk_code(NULL)").fetchall() == []
    assert session.execute("SELECT * FROM pgduet.chunk_code('')").fetchall() == []
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="klingon"):
        session.execute("SELECT * FROM pgduet.chunk_code('x', 'klingon')")


def test_blank_text_is_the_same_error_each_time(session: Connection) -> None:
    for text in ("", "  \n", "\ufeff"):
        for _ in range(2):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="blank"):
                session.execute("SELECT pgduet.embed(%s)", (text,))


def test_health_is_green(session: Connection) -> None:
    session.execute("SELECT pgduet.embed('x')")
    rows = session.execute("SELECT component, status FROM pgduet.health()").fetchall()
    assert {status for component, status in rows if component != "worker"} == {"ok"}
    assert {component for component, _ in rows} >= {"postgresql", "pgvector", "backend", "sidecar", "model", "index"}
