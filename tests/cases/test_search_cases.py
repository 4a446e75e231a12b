"""Cases of group D: an index that is there and used, as many results as asked for, and each of them a real one."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import psycopg
import pytest

from fix_cases import Case
from fix_database import Connection, new_database
from fix_search import built_index, plans, search_plan
from fix_sidecar import open_directory
from fix_vectors import load_vectors, structured
from pgduet.local.cluster import Cluster
from pgduet.migrations.keeper import keep_index
from stub_sidecar import StubSidecar, stub_vector

QUERIES = [f"query {number}" for number in range(20)]
IDS = "SELECT chunk_id, similarity FROM pgduet.similar_code"


@pytest.fixture(scope="module")
def filled(cluster: Cluster, template: str) -> Iterator[Case]:
    """Give a case with 6,000 rows, 30 of them in zig, and an index in which a search looks through one list.

    Its queries are such as the rows answer: every row is near to one of them.
    """
    wanted = np.stack([stub_vector(query, "query") for query in QUERIES])
    vectors = structured(6000, seed=1) + wanted[np.random.default_rng(1).integers(0, len(QUERIES), 6000)]
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        stub = stack.enter_context(StubSidecar(f"unix:{directory}/stub.sock"))
        database = stack.enter_context(new_database(cluster, template))
        database.set("sidecar_address", stub.address)
        session = stack.enter_context(database.connect())
        load_vectors(
            session,
            vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
            languages=["zig" if row % 200 == 0 else "c" if row % 10 == 1 else "python" for row in range(6000)],
            repos=[f"repo{row % 17}" for row in range(6000)],
            paths=[f"{'lib' if row % 2 else 'tests'}/part{row % 50}/file{row}.py" for row in range(6000)],
        )
        # The stub takes the signs as they are, without a rotation.
        session.execute("UPDATE pgduet.code_embeddings SET sketch = binary_quantize(embedding)::bit(2560)")
        stack.enter_context(built_index(session, "sketch", probes=1, depth=100))
        yield Case(database, session, stub)


def test_c23_the_index_is_valid_and_the_search_uses_that_very_index(case: Case) -> None:
    load_vectors(case.session, structured(5000, seed=1))
    assert keep_index(case.session).startswith("built ")
    ((name, valid, operator_class),) = case.run(
        "SELECT c.relname, i.indisvalid, o.opcname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_am a ON a.oid = c.relam JOIN pg_opclass o ON o.oid = i.indclass[0] WHERE a.amname = 'ivfflat'"
    )
    assert valid
    assert operator_class == "bit_hamming_ops"
    case.run("SET pgduet.search_mode = 'index'")
    for call in ("similar_code('parse json')", "similar_code('parse json', language => 'python')", "similar_to(7)"):
        with plans(case.session) as collected:
            assert len(case.run(f"SELECT * FROM pgduet.{call}")) == 10
        plan = search_plan(collected)
        assert f"Index Scan using {name} " in plan
        (operator,) = {
            text
            for text in ("<~>", "<=>", "<->", "<#>")
            if f"Order By: (sketch OPERATOR(public.{text})" in plan or f"Order By: (sketch {text}" in plan
        }
        assert case.run(
            "SELECT DISTINCT f.amopopr::regoperator::text ~ '<~>' FROM pg_amop f JOIN pg_opclass o"
            " ON o.opcfamily = f.amopfamily WHERE o.opcname = %s AND f.amoppurpose = 'o'",
            operator_class,
        ) == [(operator == "<~>",)]


def test_c23_a_vector_of_the_wrong_width_is_refused_with_both_numbers(case: Case) -> None:
    load_vectors(case.session, structured(40, seed=1))
    with pytest.raises(psycopg.DataError, match="expected 2560 dimensions, not 1024"):
        case.run("UPDATE pgduet.code_embeddings SET embedding = array_fill(0.5::real, ARRAY[1024])::halfvec")
    with pytest.raises(psycopg.DataError, match=r"2560.*3"):
        case.run(
            "SELECT pgduet._ranked('[1,2,3]', repeat('0', 2560)::bit(2560), 5, NULL, NULL, NULL, true, NULL, NULL)"
        )
    case.stub.width = 1024
    with pytest.raises(psycopg.Error, match="width 1024"):
        case.run(f"{IDS}('parse json')")


@pytest.mark.parametrize("mode", ["auto", "index"])
def test_c25_a_narrow_filter_and_a_large_k_are_served_in_full(filled: Case, mode: str) -> None:
    filled.run(f"SET pgduet.search_mode = '{mode}'")
    assert len(filled.run(f"{IDS}('parse json', k => 10, language => 'zig')")) == 10
    assert len(filled.run(f"{IDS}('parse json', k => 100, language => 'zig')")) == 30
    for k in (497, 498, 500, 5999, 6000, 6001, 1_000_000):
        found = [similarity for _, similarity in filled.run(f"{IDS}('parse json', k => %s)", k)]
        assert len(found) == min(k, 6000)
        assert found == sorted(found, reverse=True)
    assert filled.run(f"{IDS}('parse json', k => 0)") == []
    for refused in (-1, None):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="k must be a number of rows") as caught:
            filled.run(f"{IDS}('parse json', k => %s)", refused)
        assert caught.value.diag.message_hint
    assert filled.scalar("SELECT 1") == 1


@pytest.mark.parametrize("mode", ["auto", "index"])
def test_c25_twenty_random_filters_give_as_many_as_an_exact_query_and_the_same(filled: Case, mode: str) -> None:
    filled.run(f"SET pgduet.search_mode = '{mode}'")
    draw, overlaps = random.Random(mode), []
    for query in QUERIES:
        by: list[Any] = [
            draw.choice([None, "zig", "c", "python", "cobol"]),
            draw.choice([None, None, f"repo{draw.randrange(17)}"]),
            draw.choice([None, "lib/%", f"%/part{draw.randrange(50)}/%", "%9.py"]),
        ]
        found = [row[0] for row in filled.run(f"{IDS}(%s, 10, %s, %s, %s)", query, *by)]
        exact = exact_ids(filled.session, query, by)
        assert len(found) == min(10, len(exact)), by
        overlaps.append(len(set(found) & set(exact[:10])) / len(found) if found else 1.0)
    assert sum(overlaps) / len(overlaps) >= 0.9


def exact_ids(session: Connection, query: str, by: list[Any]) -> list[int]:
    with session.transaction():
        session.execute("SET LOCAL enable_indexscan = off")
        rows = session.execute(
            "SELECT e.chunk_id FROM pgduet.code_embeddings e"
            " WHERE (%(language)s::text IS NULL OR e.language = %(language)s)"
            " AND (%(repo)s::text IS NULL OR e.repo = %(repo)s) AND (%(path)s::text IS NULL OR e.path LIKE %(path)s)"
            " ORDER BY e.embedding <=> (SELECT pgduet.embed(%(query)s, 'query')), e.chunk_id LIMIT 11",
            {"query": query, **dict(zip(("language", "repo", "path"), by, strict=True))},
        )
        return [row[0] for row in rows.fetchall()]


@pytest.fixture
def vendored(case: Case) -> Case:
    """Give a case with 300 copies of a function, 5 others, 10 that have no vector yet, and what nobody asks for."""
    case.database.set("trigger_mode", "sync")
    case.run("INSERT INTO pgduet.code_chunks (content) SELECT 'int other'||g||'();' FROM generate_series(1, 5) g")
    case.run(
        "INSERT INTO pgduet.code_chunks (path, content)"
        " SELECT 'vendor'||g||'/md5.c', 'void md5();' FROM generate_series(1, 300) g"
    )
    case.database.set("trigger_mode", "queue")
    case.run("INSERT INTO pgduet.code_chunks (content) SELECT 'not yet '||g FROM generate_series(1, 10) g")
    return case


@pytest.mark.parametrize("mode", ["exact", "index"])
def test_c27_copies_are_one_result_and_what_has_no_vector_is_none(vendored: Case, mode: str) -> None:
    case = vendored
    with built_index(case.session, "sketch"):
        case.run(f"SET pgduet.search_mode = '{mode}'")
        calls = [
            case.run("SELECT chunk_id, content, similarity FROM pgduet.similar_code('md5', k => 5)") for _ in range(20)
        ]
        assert all(call == calls[0] for call in calls)
        assert len({content for _, content, _ in calls[0]}) == 5
        every = case.run("SELECT content FROM pgduet.similar_code('md5', k => 400)")
        assert sorted(every) == [*((f"int other{number}();",) for number in range(1, 6)), ("void md5();",)]
        all_copies = "SELECT chunk_id, content FROM pgduet.similar_code('md5', k => 400, distinct_content => false)"
        found = case.run(all_copies)
        assert len(found) == 305
        copies = [chunk_id for chunk_id, content in found if content == "void md5();"]
        assert copies == sorted(copies), "at the same distance in the order of their numbers"
        assert case.run(all_copies) == found
        assert case.run(
            "SELECT bool_and(similarity BETWEEN -1 AND 1), count(*) FROM pgduet.similar_code('md5', k => 400)"
        ) == [(True, 6)]


def test_c27_a_zero_vector_is_refused_by_the_table_and_from_the_sidecar(vendored: Case) -> None:
    zero = "array_fill(0::real, ARRAY[2560])::halfvec"
    with pytest.raises(psycopg.errors.CheckViolation):
        vendored.run(f"UPDATE pgduet.code_embeddings SET embedding = {zero} WHERE chunk_id = 1")
    with pytest.raises(psycopg.errors.CheckViolation):
        vendored.run(
            "INSERT INTO pgduet.code_embeddings (chunk_id, generation_id, content_hash, embedding, sketch)"
            f" SELECT 999, 1, content_hash, {zero}, sketch FROM pgduet.code_embeddings WHERE chunk_id = 1"
        )
    with pytest.raises(psycopg.DataError, match="NaN not allowed"):
        vendored.run("UPDATE pgduet.code_embeddings SET embedding = array_fill('NaN'::real, ARRAY[2560])::halfvec")
    vendored.stub.nan = True
    with pytest.raises(psycopg.Error, match=r"(?i)nan|finite"):
        vendored.run(f"{IDS}('md5')")
