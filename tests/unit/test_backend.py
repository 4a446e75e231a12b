"""The backend package with a stand-in for `plpy` and a real gRPC server."""

import time
from math import inf

import numpy as np
import pytest

from fix_plpy import FakePlpy, PlpyError
from pgduet import backend
from pgduet.backend.settings import CallContext
from pgduet.backend.vectors import embedding_text, is_complete, sketch_text
from pgduet.v1 import embedding_pb2 as pb
from stub_sidecar import StubSidecar, stub_vector


def as_vector(text: str) -> np.ndarray:
    return np.array([float.fromhex(number) for number in text.strip("[]").split(",")], dtype=np.float16)


@pytest.fixture
def connected(plpy: FakePlpy, stub: StubSidecar) -> FakePlpy:
    plpy.context["sidecar_address"] = stub.address
    return plpy


def test_every_half_precision_number_survives_the_text_form() -> None:
    patterns = np.arange(65536, dtype=np.uint16).view(np.float16)
    finite = patterns[np.isfinite(patterns)]
    for start in range(0, len(finite), 2560):
        row = np.resize(finite[start : start + 2560], 2560)
        response = pb.EmbedResponse(width=2560, embeddings=row.astype("<f2").tobytes())
        assert np.array_equal(as_vector(embedding_text(response, 0)), row)


def test_a_sketch_becomes_a_bit_string_with_the_first_bit_first() -> None:
    response = pb.EmbedResponse(width=16, sketches=bytes([0, 0, 0b10000000, 1]))
    assert sketch_text(response, 1) == "x8001"


def test_an_answer_with_a_missing_row_is_not_complete() -> None:
    whole = pb.EmbedResponse(width=2560, embeddings=bytes(5120), sketches=bytes(320), results=[pb.EmbedResult()])
    assert is_complete(whole, 1, pb.PART_BOTH)
    assert not is_complete(whole, 2, pb.PART_BOTH)


@pytest.mark.parametrize(("part", "width"), [(pb.PART_CODE, 1536), (pb.PART_TEXT, 1024)])
def test_a_half_is_complete_at_its_own_width_and_without_sketches(part: pb.Part, width: int) -> None:
    def answer(width: int, sketches: bytes = b"") -> pb.EmbedResponse:
        rows = bytes(width * 2)
        return pb.EmbedResponse(width=width, embeddings=rows, sketches=sketches, results=[pb.EmbedResult()])

    assert is_complete(answer(width), 1, part)
    assert not is_complete(answer(2560, bytes(320)), 1, part), "what a sidecar answers that knows no parts"
    assert not is_complete(answer(width, bytes(width // 8)), 1, part)
    assert not is_complete(answer(2560 - width), 1, part)


def test_rows_keep_the_place_of_null_and_blank_texts(connected: FakePlpy, stub: StubSidecar) -> None:
    rows = backend.embed_rows(connected, ["a", None, " ", "b"], "document", inf)
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[1] is None for row in rows] == [False, True, True, False]
    assert [row[6] for row in rows] == [None, "the text is null", "the text is blank", None]
    assert np.array_equal(as_vector(rows[3][1]), stub_vector("b").astype(np.float16))
    assert [r.texts for r in stub.requests] == [3]


def test_all_null_is_no_call(plpy: FakePlpy) -> None:
    assert [row[6] for row in backend.embed_rows(plpy, [None, None], "query", inf)] == ["the text is null"] * 2


def test_the_memo_holds_for_one_statement_only(connected: FakePlpy, stub: StubSidecar) -> None:
    for statement, calls in ((1.5, 1), (1.5, 1), (2.5, 2)):
        connected.context["statement"] = statement
        backend.embed(connected, "memo", "query", "both")
        assert len(stub.requests) == calls


def test_the_memo_tells_parts_apart(connected: FakePlpy, stub: StubSidecar) -> None:
    made = {part: backend.embed(connected, "parts", "query", part) for part in ("both", "code", "text") * 2}
    for part, text in made.items():
        assert np.array_equal(as_vector(text), stub_vector("parts", "query", part).astype(np.float16))
    assert [request.part for request in stub.requests] == ["both", "code", "text"]


def test_rows_of_a_half_have_no_sketch_and_count_its_tokens_only(connected: FakePlpy) -> None:
    (row, _) = backend.embed_rows(connected, ["a", None], "document", inf, "text")
    assert np.array_equal(as_vector(row[1]), stub_vector("a", part="text").astype(np.float16))
    assert row[2:5] == (None, 0, 3)


def test_an_interrupt_between_two_waits_cancels_the_call(connected: FakePlpy, stub: StubSidecar) -> None:
    stub.hang = True
    connected.cancel_at = 2
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        backend.embed_rows(connected, ["x"], "document", inf)
    assert time.monotonic() - started < 1
    deadline = time.monotonic() + 5
    while not (stub.requests and stub.requests[0].cancelled):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_active_generation_is_a_clear_error(plpy: FakePlpy) -> None:
    plpy.context["model"] = None
    with pytest.raises(PlpyError, match="no active generation") as caught:
        backend.embed(plpy, "x", "query", "both")
    assert caught.value.fields["sqlstate"] == "55000"


@pytest.mark.parametrize(
    ("remaining", "texts", "expected"),
    [
        (None, 1, (5.0, False)),
        (None, 2, (120.0, False)),
        (0.3, 1, (0.3, True)),
        (60.0, 1, (5.0, False)),
        (-1.0, 1, (5.0, False)),
    ],
)
def test_the_deadline_is_the_smaller_of_setting_and_time_left(
    remaining: float | None, texts: int, expected: tuple[float, bool]
) -> None:
    context = CallContext("a", 5.0, 120.0, "small", "", 1.0, remaining)
    assert context.timeout(texts) == expected


def test_a_wrong_figure_for_the_time_left_does_not_end_a_call(connected: FakePlpy, stub: StubSidecar) -> None:
    stub.delay = 0.3
    connected.context["remaining"] = 0.1
    (row,) = backend.embed_rows(connected, ["x"], "document", inf)
    assert np.array_equal(as_vector(row[1]), stub_vector("x").astype(np.float16))
    assert [request.cancelled for request in stub.requests] == [True, False]


def test_megabytes_of_text_go_in_several_requests(connected: FakePlpy, stub: StubSidecar) -> None:
    rows = backend.embed_rows(connected, [letter * 1_900_000 for letter in "abcdefghij"], "document", inf)
    assert [row[0] for row in rows] == list(range(1, 11))
    assert [request.texts for request in stub.requests] == [4, 4, 2]
    assert np.array_equal(as_vector(rows[9][1]), stub_vector("j" * 1_900_000).astype(np.float16))
