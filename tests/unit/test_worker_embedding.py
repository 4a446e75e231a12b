"""Requests take the size that suits the sidecar, and a text is blamed only for what it did itself."""

from collections import Counter
from typing import Any

import grpc
import numpy as np
import pytest

from fix_embedder import TEXTS, ChoosyStub, check_blame, embed, raised
from pgduet.client import (
    BadReplyError,
    EmbeddingClient,
    RequestRefusedError,
    SidecarBusyError,
    SidecarError,
    SidecarUnavailableError,
)
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker import embedding
from pgduet.worker.embedding import ROW_PERMANENT, ROW_TEMPORARY, Embedder, Failure, is_permanent


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count no request as quick or slow because the machine is busy."""
    monkeypatch.setattr(embedding, "_QUICK_SECONDS", 0.0)
    monkeypatch.setattr(embedding, "_SLOW_SECONDS", 60.0)


# --- size


def test_each_text_gets_its_own_vector_in_order(embedder: Embedder) -> None:
    check_blame(embed(embedder, TEXTS), TEXTS, {})
    assert embedder.size == 16


def test_the_size_doubles_up_to_the_most_while_full_requests_are_quick(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_QUICK_SECONDS", 30.0)
    sizes = []
    for _ in range(6):
        embed(embedder, ["a"] * embedder.size)
        sizes.append(embedder.size)
    assert sizes == [32, 64, 128, 256, 256, 256]


def test_requests_that_are_not_full_prove_nothing(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_QUICK_SECONDS", 30.0)
    embed(embedder, ["a"] * 15)
    assert embedder.size == 16


def test_the_size_never_exceeds_the_most_from_the_start(choosy: ChoosyStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_QUICK_SECONDS", 30.0)
    with EmbeddingClient(choosy.address) as client:
        few = Embedder(client, deadline=20, most=5)
        assert few.size == 5
        embed(few, ["a"] * 5)
        assert few.size == 5


def sizes_after(choosy: ChoosyStub, embedder: Embedder, *, seconds_a_text: float, seconds: float) -> list[int]:
    """Embed six times what the size says, against a stub of that speed; give the sizes that follow."""
    sizes = []
    for _ in range(6):
        choosy.delay = seconds + seconds_a_text * embedder.size
        embed(embedder, ["a"] * embedder.size)
        sizes.append(embedder.size)
    return sizes


def test_slow_texts_halve_the_size_down_to_one(
    choosy: ChoosyStub, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_SLOW_SECONDS", 0.02)
    assert sizes_after(choosy, embedder, seconds_a_text=0.05, seconds=0) == [8, 4, 2, 1, 1, 1]


def test_a_sidecar_that_is_slow_whatever_it_is_asked_is_not_asked_for_ever_less(
    choosy: ChoosyStub, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_SLOW_SECONDS", 0.02)
    assert sizes_after(choosy, embedder, seconds_a_text=0, seconds=0.1) == [8, 32, 16, 64, 32, 128]


def test_a_missed_deadline_halves_the_size_and_blames_no_text_of_many(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.hang = True
    embedder._deadline = 0.2
    assert raised(embedder, TEXTS[:16]).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert embedder.size == 8
    assert raised(embedder, TEXTS[:3]).code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert embedder.size == 1
    assert [len(texts) for texts in choosy.asked] == [16, 3]


def test_a_text_that_alone_misses_the_deadline_is_blamed_only_while_the_sidecar_can_work(
    choosy: ChoosyStub, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_PROBE_SECONDS", 0.3)
    choosy.stopper = "endless"
    embedder._deadline = 0.3
    check_blame(embed(embedder, ["endless"]), ["endless"], {"endless": ROW_TEMPORARY})
    choosy.hang = True
    error = raised(embedder, ["endless"])
    assert error.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not is_permanent(error)


def test_requests_are_cut_by_size_and_characters(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder.size = 3
    assert embedder.parts(["a"] * 7) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert embedder.parts(["a"]) == [slice(0, 1)]
    monkeypatch.setattr(embedding, "_REQUEST_CHARACTERS", 10)
    assert embedder.parts(["a" * 5] * 3) == [slice(0, 2), slice(2, 3)]
    # A text over the limit goes alone, and takes nobody else's place.
    long = ["a", "b" * 11, "c" * 10, "d", "e", "f", "g"]
    assert embedder.parts(long) == [slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 6), slice(6, 7)]


# --- a text at fault


@pytest.mark.parametrize("place", [0, 29, 63])
def test_one_poisoned_text_of_many_is_found_and_the_others_get_their_vectors(
    choosy: ChoosyStub, embedder: Embedder, place: int
) -> None:
    choosy.poison = TEXTS[place]
    check_blame(embed(embedder, TEXTS), TEXTS, {TEXTS[place]: ROW_TEMPORARY})
    sizes = Counter(len(texts) for texts in choosy.asked if texts != [embedding._PROBE])
    assert sizes == {64: 1, 32: 2, 16: 2, 8: 2, 4: 2, 2: 2, 1: 2}
    # Besides, the sidecar has to prove itself for each request that failed.
    assert sum(texts == [embedding._PROBE] for texts in choosy.asked) <= 7


def test_several_poisoned_texts_are_all_found(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.refused = {
        "text 3": grpc.StatusCode.INTERNAL,
        "text 4": grpc.StatusCode.INVALID_ARGUMENT,
        "text 15": grpc.StatusCode.UNKNOWN,
    }
    blamed = {"text 3": ROW_TEMPORARY, "text 4": ROW_PERMANENT, "text 15": ROW_TEMPORARY}
    check_blame(embed(embedder, TEXTS[:16]), TEXTS[:16], blamed)


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, ROW_PERMANENT),
        (grpc.StatusCode.INTERNAL, ROW_TEMPORARY),
        (grpc.StatusCode.UNKNOWN, ROW_TEMPORARY),
        (grpc.StatusCode.DATA_LOSS, ROW_TEMPORARY),
    ],
)
def test_a_text_that_is_refused_alone_is_blamed_with_the_sidecars_words(
    choosy: ChoosyStub, embedder: Embedder, status: grpc.StatusCode, error_class: str
) -> None:
    choosy.refused = {"bad": status}
    outcomes = embed(embedder, ["bad"])
    check_blame(outcomes, ["bad"], {"bad": error_class})
    assert isinstance(outcomes[0], Failure)
    assert f"{status.name}: this text is not to the stub's liking" in outcomes[0].error
    check_blame(embed(embedder, ["good", "bad"]), ["good", "bad"], {"bad": error_class})


@pytest.mark.parametrize(
    ("kind", "error_class"),
    [
        (pb.EMBED_ERROR_KIND_BLANK, ROW_PERMANENT),
        (pb.EMBED_ERROR_KIND_TOO_LONG, ROW_PERMANENT),
        (pb.EMBED_ERROR_KIND_NOT_FINITE, ROW_TEMPORARY),
        (pb.EMBED_ERROR_KIND_FAILED, ROW_TEMPORARY),
    ],
)
def test_an_error_of_one_text_is_blamed_on_it_without_another_request_for_the_rest(
    choosy: ChoosyStub, embedder: Embedder, kind: int, error_class: str
) -> None:
    choosy.errors = {"text 5": kind}
    outcomes = embed(embedder, TEXTS)
    check_blame(outcomes, TEXTS, {"text 5": error_class})
    assert outcomes[5] == Failure(error_class, "not text 5")
    assert choosy.asked[1:] == ([] if error_class == ROW_PERMANENT else [[embedding._PROBE]])
    check_blame(embed(embedder, ["text 5"]), ["text 5"], {"text 5": error_class})


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 0.0])
def test_numbers_that_are_no_vector_are_never_taken_for_one(
    choosy: ChoosyStub, embedder: Embedder, number: float
) -> None:
    choosy.odd = {"text 1": number}
    check_blame(embed(embedder, TEXTS[:4]), TEXTS[:4], {"text 1": ROW_TEMPORARY})


def test_a_text_too_large_for_any_message_is_blamed_and_is_no_overload(embedder: Embedder) -> None:
    outcomes = embed(embedder, ["x" * (64 * 1024 * 1024 + 1)])
    assert [type(one) for one in outcomes] == [Failure]


# --- the sidecar at fault

SYSTEM_FAULTS: list[tuple[dict[str, Any], type[SidecarError], grpc.StatusCode]] = [
    ({"status": grpc.StatusCode.UNAVAILABLE}, SidecarUnavailableError, grpc.StatusCode.UNAVAILABLE),
    ({"status": grpc.StatusCode.CANCELLED}, SidecarUnavailableError, grpc.StatusCode.CANCELLED),
    ({"status": grpc.StatusCode.RESOURCE_EXHAUSTED}, SidecarBusyError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ({"status": grpc.StatusCode.NOT_FOUND}, RequestRefusedError, grpc.StatusCode.NOT_FOUND),
    ({"status": grpc.StatusCode.FAILED_PRECONDITION}, RequestRefusedError, grpc.StatusCode.FAILED_PRECONDITION),
    ({"status": grpc.StatusCode.UNIMPLEMENTED}, RequestRefusedError, grpc.StatusCode.UNIMPLEMENTED),
    ({"status": grpc.StatusCode.INVALID_ARGUMENT}, RequestRefusedError, grpc.StatusCode.INVALID_ARGUMENT),
    ({"status": grpc.StatusCode.UNAUTHENTICATED}, SidecarError, grpc.StatusCode.UNAUTHENTICATED),
    ({"status": grpc.StatusCode.PERMISSION_DENIED}, SidecarError, grpc.StatusCode.PERMISSION_DENIED),
    ({"status": grpc.StatusCode.INTERNAL}, SidecarError, grpc.StatusCode.INTERNAL),
    ({"status": grpc.StatusCode.UNKNOWN}, SidecarError, grpc.StatusCode.UNKNOWN),
    ({"model": "other"}, RequestRefusedError, grpc.StatusCode.NOT_FOUND),
    ({"nan": True}, SidecarError, grpc.StatusCode.INTERNAL),
    ({"width": 128}, BadReplyError, grpc.StatusCode.INTERNAL),
    ({"drop": True}, BadReplyError, grpc.StatusCode.INTERNAL),
    ({"fingerprint": "another"}, RequestRefusedError, grpc.StatusCode.FAILED_PRECONDITION),
    ({"told": "another"}, RequestRefusedError, grpc.StatusCode.FAILED_PRECONDITION),
]


def name_fault(switches: dict[str, Any]) -> str:
    return "-".join(f"{key}-{getattr(value, 'name', value)}" for key, value in switches.items())


@pytest.mark.parametrize("texts", [["a"], TEXTS[:8]], ids=["alone", "many"])
@pytest.mark.parametrize(("switches", "kind", "code"), SYSTEM_FAULTS, ids=[name_fault(one[0]) for one in SYSTEM_FAULTS])
def test_what_fails_for_every_text_is_the_sidecars_fault(
    choosy: ChoosyStub,
    embedder: Embedder,
    switches: dict[str, Any],
    kind: type[SidecarError],
    code: grpc.StatusCode,
    texts: list[str],
) -> None:
    for name, value in switches.items():
        setattr(choosy, name, value)
    error = raised(embedder, texts)
    assert type(error) is kind
    assert error.code is code
    assert is_permanent(error) == (kind not in (SidecarUnavailableError, SidecarBusyError))
    assert embedder.size == 16
    # Whoever is down or wrong is not asked over and over: once, and the probe. One that is busy: by gRPC, four times.
    assert len(choosy.asked) <= (4 if kind is SidecarBusyError else 2)


def test_a_busy_sidecar_says_when_to_come_back(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.status = grpc.StatusCode.RESOURCE_EXHAUSTED
    assert raised(embedder, TEXTS).retry_after == 0.1


def test_an_outage_while_the_culprit_is_looked_for_blames_nobody(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.refused = {"text 0": grpc.StatusCode.INTERNAL, "text 40": grpc.StatusCode.UNAVAILABLE}
    assert raised(embedder, TEXTS).code is grpc.StatusCode.UNAVAILABLE


def test_the_first_request_of_a_generation_learns_the_fingerprint(choosy: ChoosyStub, embedder: Embedder) -> None:
    choosy.poison = "text 2"
    check_blame(embed(embedder, TEXTS[:4], ""), TEXTS[:4], {"text 2": ROW_TEMPORARY})


def test_vectors_of_two_models_never_get_one_fingerprint(choosy: ChoosyStub, embedder: Embedder) -> None:
    """The sidecar is exchanged while the first request of a generation is being halved."""
    choosy.poison = "text 0"
    # The last request, for the second half, comes after three failures, their probes and one success.
    choosy.after = {8: "another"}
    with pytest.raises(SidecarError) as caught:
        embedder.embed("small", "", TEXTS[:4])
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
