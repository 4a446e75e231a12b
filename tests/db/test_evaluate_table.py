"""The held-out triplets of the table as queries and codes."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from fix_database import Connection, Database
from fix_mining import ONE, Planted, body, near, repos_on, rows, unit
from pgduet.cli.evaluate import register
from pgduet.database.errors import DatabaseError
from pgduet.training.data import Benchmark
from pgduet.training.errors import DataError
from pgduet.training.held_out import read_held_out
from pgduet.training.mining import mine, read_triplets

# What chunk a triplet's texts come from: (text, chunk).
Text = tuple[str, int]


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, list(arguments))


def write(connection: Connection, *triplets: tuple[str, Text, Text, Text], split: str = "test") -> None:
    """Write triplets of a run in the order (kind, anchor, positive, negative)."""
    connection.execute("INSERT INTO pgduet._mining (generation_id, settings, report) VALUES (1, '{}', '{}')")
    for number, (kind, anchor, positive, negative) in enumerate(triplets):
        values = (number, split, kind, *(one[0] for one in (anchor, positive, negative)))
        chunks = tuple(one[1] for one in (anchor, positive, negative))
        connection.execute(
            "INSERT INTO pgduet._triplet (mining_id, triplet_id, negative_number, split, kind, anchor, positive,"
            " negative, negative_kind, anchor_chunk, positive_chunk, negative_chunk, negative_similarity)"
            " SELECT max(mining_id), %s, 1, %s, %s, %s, %s, %s, 'hard', %s, %s, %s, 0.5 FROM pgduet._mining",
            values + chunks,
        )


def store(connection: Connection, count: int) -> None:
    """Store chunks 1 to `count`."""
    planted = Planted()
    for number in range(1, count + 1):
        planted.add("repo", f"content {number}", unit(number))
    planted.store(connection)


def mined(connection: Connection) -> None:
    """Mine after two held-out repositories got functions of the same names, and descriptions that name them."""
    planted = Planted()
    # The second moves to another side with its fork.
    one, _, two = repos_on("test", 3)
    for number in range(6):
        name = f"task{number}"
        said = f"Run {name} on the rows and the cart of the user."
        planted.add(one, body(7_000 + number, name=name, docstring=said), unit(7_000 + number), name)
        planted.add(two, body(8_000 + number, name=name), near(unit(7_000 + number), 0.9, number), name)
    planted.store(connection)
    mine(connection, ONE)


def answers(benchmark: Benchmark) -> dict[str, tuple[set[str], set[str]]]:
    """Give the texts that answer each query, and those that are not ranked for it."""
    texts = benchmark.corpus.texts
    found: dict[str, tuple[set[str], set[str]]] = {}
    for query, relevant, own in zip(benchmark.queries, benchmark.relevant, benchmark.own, strict=True):
        found[query.text] = ({texts[row] for row in relevant}, {texts[row] for row in own})
    return found


def test_every_form_of_the_right_chunk_answers_and_a_chunk_is_not_ranked_for_itself(database: Database) -> None:
    with database.connect() as connection:
        store(connection, 4)
        write(
            connection,
            ("docstring", ("says what", 1), ("code 1", 1), ("code 2", 2)),
            ("docstring", ("says what", 3), ("code 3", 3), ("code 4", 4)),
            # Alike: 1 and 2, with their descriptions; 2 is a question here and a document above.
            ("symbol", ("whole 2", 2), ("whole 1", 1), ("whole 3", 3)),
            ("cosine", ("whole 3", 3), ("whole 2", 2), ("whole 4", 4)),
        )
        connection.execute(
            "INSERT INTO pgduet._triplet SELECT mining_id, 99, 1, 'train', kind, 'of training', 'code 9', 'code 8',"
            " negative_kind, 4, 4, 3, NULL, NULL, NULL, 0.5, NULL, NULL FROM pgduet._triplet WHERE triplet_id = 0"
        )
        benchmark = read_held_out(connection)
    assert benchmark.corpus.texts == [
        "code 1",
        "code 2",
        "code 3",
        "code 4",
        "whole 1",
        "whole 3",
        "whole 2",
        "whole 4",
    ]
    assert answers(benchmark) == {
        # One docstring of two functions: both answer, each with and without it.
        "says what": ({"code 1", "whole 1", "code 3", "whole 3"}, set()),
        "whole 2": ({"code 1", "whole 1"}, {"code 2", "whole 2"}),
        "whole 3": ({"code 2", "whole 2"}, {"code 3", "whole 3"}),
    }


def test_a_copy_of_the_question_is_not_ranked_for_it_either(database: Database) -> None:
    with database.connect() as connection:
        store(connection, 4)
        write(
            connection,
            ("symbol", ("same", 1), ("alike", 2), ("unlike", 3)),
            ("symbol", ("unlike", 3), ("alike", 2), ("same", 4)),
        )
        assert answers(read_held_out(connection)) == {
            "same": ({"alike"}, {"same"}),
            "unlike": ({"alike"}, {"unlike"}),
        }


def test_mined_triplets_are_read_whole(forked: Database) -> None:
    with forked.connect() as connection:
        mined(connection)
        benchmark = read_held_out(connection)
        triplets = list(read_triplets(connection, "test"))
        stored = [one for one in rows(connection) if one["split"] == "test"]
    assert len(triplets) > 20
    assert {query.text for query in benchmark.queries} == {one.anchor for one in triplets}
    texts = {text for one in triplets for text in (one.positive, *one.negatives)}
    assert set(benchmark.corpus.texts) == texts
    assert len(benchmark.corpus.texts) == len(texts)
    found = answers(benchmark)
    kinds = set()
    for one in stored:
        relevant, own = found[one["anchor"]]
        kinds.add(one["kind"])
        assert one["positive"] in relevant
        assert one["negative"] not in relevant
        assert one["anchor"] not in relevant
        assert one["anchor"] not in benchmark.corpus.texts or one["anchor"] in own
    assert {"docstring", "symbol"} <= kinds
    assert any(own for _, own in found.values())


def test_an_empty_side_is_told(database: Database, tiny_store: Path) -> None:
    with database.connect() as connection:
        with pytest.raises(DataError, match="no triplet is held out for testing") as caught:
            read_held_out(connection)
        store(connection, 2)
        write(connection, ("docstring", ("says", 1), ("code 1", 1), ("code 2", 2)), split="dev")
    assert "pgduet mine" in caught.value.hint
    result = run("--table", "--dsn", database.conninfo, "--model", "tiny", "--models-dir", str(tiny_store))
    assert isinstance(result.exception, DataError)
    assert result.stdout == ""


def test_a_database_without_pgduet_is_told(empty_database: Database) -> None:
    with empty_database.connect() as connection, pytest.raises(DatabaseError) as caught:
        read_held_out(connection)
    assert "pgduet db migrate" in caught.value.hint


def test_the_command_judges_the_active_duet_on_the_table(forked: Database, tiny_store: Path, tmp_path: Path) -> None:
    with forked.connect() as connection:
        mined(connection)
        questions = len(read_held_out(connection).queries)
        connection.execute("UPDATE pgduet.generations SET model = 'tiny' WHERE state = 'active'")
        connection.execute("CREATE ROLE evaluating LOGIN IN ROLE pgduet_reader")
    try:
        # Whoever may read may judge.
        dsn = f"{forked.conninfo} user=evaluating"
        source = ["--table", "--dsn", dsn, "--models-dir", str(tiny_store), "--vectors", str(tmp_path / "v.npz")]
        result = run(*source, "--model", "active", "--against", "active", "--bm25", "--json")
        assert result.exit_code == 0, result.exception
        limited = run(*source, "--model", "tiny", "--limit", "1")
    finally:
        with forked.connect() as connection:
            connection.execute("DROP ROLE evaluating")
    read: dict[str, Any] = json.loads(result.stdout)
    assert (read["source"], read["model"], read["queries"]) == ("held-out triplets", "tiny", questions)
    assert read["against"] == {"model": "tiny", "fingerprint": read["fingerprint"]}
    same = next(one for one in read["differences"] if one["minus"] == "against")
    assert (same["ndcg@10"], same["intervals"]["ndcg@10"]) == (0, [0, 0])
    (by_words,) = (one for one in read["results"] if one["part"] == "bm25")
    assert 0 < by_words["ndcg@10"] < 1
    assert isinstance(limited.exception, DataError)
    assert "no room for the" in str(limited.exception)
