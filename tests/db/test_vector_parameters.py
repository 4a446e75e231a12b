"""Vectors and sketches as binary parameters mean to PostgreSQL what their text forms mean."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from fix_database import Connection, Database
from pgduet.database.vectors import Bits, Halfs, register_vectors
from pgduet.errors import PgduetError
from stub_sidecar import stub_vector

# Zeros of both signs, the largest, the smallest normal and subnormal numbers, and one that is rounded.
ODD_NUMBERS = [0.0, -0.0, 1.0, -2.5, 65504.0, -65504.0, 6.104e-05, 5.96e-08, 1 / 3]


@pytest.fixture
def session(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        register_vectors(connection)
        yield connection


def halfs(numbers: "Sequence[float] | np.ndarray[Any, Any]") -> Halfs:
    return Halfs(np.asarray(numbers, dtype=np.float16).astype(">f2").tobytes())


def halfs_text(numbers: "Sequence[float] | np.ndarray[Any, Any]") -> str:
    return "[" + ",".join(f"{number:.9g}" for number in np.asarray(numbers, dtype=np.float16).tolist()) + "]"


def bits_text(bits: Bits) -> str:
    return "".join(f"{byte:08b}" for byte in bits)


def one(connection: Connection, query: str, *parameters: Any) -> tuple[Any, ...]:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize("numbers", [ODD_NUMBERS, stub_vector("a"), [0.25]], ids=["odd", "whole", "single"])
def test_a_vector_equals_its_text_form(session: Connection, numbers: Sequence[float]) -> None:
    query = "SELECT pg_typeof(%b)::text, %b = %t::halfvec, (%b)::text = (%t::halfvec)::text, vector_dims(%b)"
    sent, text = halfs(numbers), halfs_text(numbers)
    assert one(session, query, sent, sent, text, sent, text, sent) == ("halfvec", True, True, len(numbers))


def test_a_vector_comes_back_number_for_number(session: Connection) -> None:
    numbers = np.asarray(stub_vector("a"), dtype=np.float16)
    (array,) = one(session, "SELECT (%b::vector)::real[]", halfs(numbers))
    assert np.array_equal(np.asarray(array, dtype=np.float16), numbers)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_as_in_text(session: Connection, number: float) -> None:
    for query, parameter in (("SELECT %b", halfs([1.0, number])), ("SELECT %t::halfvec", f"[1,{number}]")):
        with pytest.raises(psycopg.DataError, match=r"not allowed in halfvec"):
            session.execute(query, [parameter])


@pytest.mark.parametrize("sent", [Bits(b"\x80"), Bits(b"\x01\xfe\x00"), Bits(np.packbits(stub_vector("a") > 0))])
def test_a_sketch_equals_its_text_form(session: Connection, sent: Bits) -> None:
    query = "SELECT pg_typeof(%b)::text, (%b)::text, %b = %t::varbit, bit_length(%b), get_bit(%b, 0)"
    first = sent[0] >> 7
    text = bits_text(sent)
    assert one(session, query, sent, sent, sent, text, sent, sent) == ("bit", text, True, len(sent) * 8, first)


def test_a_vector_and_its_signs_agree_with_what_pgvector_makes_of_it(session: Connection) -> None:
    numbers = stub_vector("a")
    sketch = Bits(np.packbits(np.asarray(numbers, dtype=np.float16) > 0).tobytes())
    assert one(session, "SELECT binary_quantize(%b) = %b", halfs(numbers), sketch) == (True,)


def test_arrays_keep_order_and_type(session: Connection) -> None:
    vectors = [stub_vector(text) for text in "abc"]
    sketches = [Bits(np.packbits(vector > 0).tobytes()) for vector in vectors]
    types = "SELECT pg_typeof(%b)::text, pg_typeof(%b)::text"
    assert one(session, types, [halfs(vector) for vector in vectors], sketches) == ("halfvec[]", "bit[]")
    rows = session.execute(
        "SELECT v::text, s::text FROM unnest(%b, %b) WITH ORDINALITY AS u (v, s, place) ORDER BY place",
        ([halfs(vector) for vector in vectors], sketches),
    ).fetchall()
    for (vector_text, sketch_text), vector, sketch in zip(rows, vectors, sketches, strict=True):
        assert one(session, "SELECT (%t::halfvec)::text", halfs_text(vector)) == (vector_text,)
        assert sketch_text == bits_text(sketch)


def test_arrays_equal_their_text_forms(session: Connection) -> None:
    vectors = [halfs(ODD_NUMBERS), halfs([1.0])]
    text = "{" + ",".join(f'"{halfs_text(numbers)}"' for numbers in (ODD_NUMBERS, [1.0])) + "}"
    assert one(session, "SELECT %b = %t::halfvec[]", vectors, text) == (True,)
    sketches = [Bits(b"\x0f"), Bits(b"\xf0")]
    assert one(session, "SELECT %b = %t::bit(8)[]", sketches, "{00001111,11110000}") == (True,)


def test_alone_they_need_no_mark_of_their_form(session: Connection) -> None:
    assert one(session, "SELECT pg_typeof(%s)::text, pg_typeof(%s)::text", halfs([1.0]), Bits(b"\x01")) == (
        "halfvec",
        "bit",
    )


def test_bytes_stay_bytes(session: Connection) -> None:
    assert one(session, "SELECT pg_typeof(%b)::text, %b", b"\x01", b"\x01") == ("bytea", b"\x01")


def test_pgvector_may_live_in_another_schema(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute('CREATE SCHEMA "Ext ra"; CREATE EXTENSION vector SCHEMA "Ext ra"')
        # A type of that name that is not pgvector's is no match for it.
        connection.execute("CREATE DOMAIN public.halfvec AS text")
        register_vectors(connection)
        types = "SELECT pg_typeof(%b)::text, pg_typeof(%b)::text"
        array = [halfs(ODD_NUMBERS), halfs([1.0])]
        assert one(connection, types, halfs([1.0]), array) == ('"Ext ra".halfvec', '"Ext ra".halfvec[]')
        alone = 'SELECT %b OPERATOR("Ext ra".=) %t::"Ext ra".halfvec'
        assert one(connection, alone, halfs(ODD_NUMBERS), halfs_text(ODD_NUMBERS)) == (True,)
        text = "{" + ",".join(f'"{halfs_text(numbers)}"' for numbers in (ODD_NUMBERS, [1.0])) + "}"
        assert one(connection, 'SELECT (%b)::text = (%t::"Ext ra".halfvec[])::text', array, text) == (True,)


def test_each_connection_knows_the_types_of_its_own_database(database: Database, empty_database: Database) -> None:
    with database.connect() as first, empty_database.connect() as second:
        second.execute("CREATE EXTENSION vector")
        (there,) = one(second, "SELECT 'halfvec'::regtype::oid")
        assert one(first, "SELECT 'halfvec'::regtype::oid") != (there,)
        register_vectors(first)
        register_vectors(second)
        for connection in (first, second, first):
            types = "SELECT pg_typeof(%b)::text, pg_typeof(%b)::text"
            assert one(connection, types, halfs([1.0]), [halfs([1.0])]) == ("halfvec", "halfvec[]")


def test_a_database_without_pgvector_is_told_so(empty_database: Database) -> None:
    with empty_database.connect() as connection, pytest.raises(PgduetError, match="no pgvector") as caught:
        register_vectors(connection)
    assert "pgduet db migrate" in caught.value.hint
