"""Weights from the spread of cosines."""

from dataclasses import astuple

import numpy as np
import pytest

from pgduet.training.calibration import PAIRS, calibrate, inverse_spread, split
from pgduet.training.errors import CalibrationError
from pgduet.training.evaluation import evaluate, evaluate_calibrated
from pgduet.training.ranking import Halves


def spread(rows: int, std: float, generator: np.random.Generator) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Make documents whose cosine to the query (1, 0) has this spread."""
    cosines = generator.normal(0.3, std, rows).clip(-1, 1)
    return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)


def corpus(code_std: float, text_std: float, rows: int = 3_000) -> tuple[Halves, Halves]:
    generator = np.random.default_rng(9)
    one = np.tile(np.array([[1, 0]], np.float32), (40, 1))
    documents = Halves(spread(rows, code_std, generator), spread(rows, text_std, generator), np.ones(rows, bool))
    return Halves(one, one, np.ones(40, bool)), documents


def test_weights_are_inverse_to_the_spread_and_sum_to_one() -> None:
    assert inverse_spread(0.1, 0.02) == pytest.approx((1 / 6, 5 / 6))
    assert inverse_spread(0.3, 0.3) == pytest.approx((0.5, 0.5))


def test_a_half_that_spreads_five_times_as_much_weighs_a_fifth() -> None:
    queries, documents = corpus(0.1, 0.02)
    calibration = calibrate(queries, documents)
    assert calibration.weights == pytest.approx((1 / 6, 5 / 6), abs=0.01)
    assert (calibration.code_std, calibration.text_std) == pytest.approx((0.1, 0.02), rel=0.05)
    assert sum(calibration.weights) == 1
    assert (calibration.pairs, calibration.queries, calibration.documents) == (PAIRS, 40, 3_000)
    assert astuple(calibrate(queries, documents)) == astuple(calibration)


def test_a_small_corpus_is_calibrated_on_all_its_pairs() -> None:
    queries, documents = corpus(0.1, 0.02, rows=50)
    assert calibrate(queries, documents).pairs == 40 * 50


def test_texts_without_a_vector_do_not_count() -> None:
    queries, documents = corpus(0.1, 0.02, rows=200)
    broken = documents.take(range(200))
    broken.code[:50] = broken.text[:50] = 0
    broken.finite[:50] = False
    expected = calibrate(queries, documents.take(range(50, 200)))
    assert calibrate(queries, broken) == expected


def test_too_few_pairs_are_refused() -> None:
    queries, documents = corpus(0.1, 0.02, rows=2)
    with pytest.raises(CalibrationError, match="80 pairs: too few"):
        calibrate(queries, documents)


def test_a_half_that_cannot_tell_texts_apart_is_named() -> None:
    queries, documents = corpus(0.1, 0.0)
    with pytest.raises(CalibrationError, match="the text half gives the same cosine"):
        calibrate(queries, documents)


def test_the_split_takes_every_query_once_whatever_the_order_of_the_file() -> None:
    texts = [f"query {number}" for number in range(101)]
    chosen = split(texts)
    first, second = chosen.calibrating, chosen.scored
    assert sorted(first + second) == list(range(101))
    assert (len(first), len(second)) == (50, 51)
    turned = texts[::-1]
    assert {texts[row] for row in first} == {turned[row] for row in split(turned).calibrating}
    assert first != list(range(50))


def test_one_query_cannot_be_split() -> None:
    with pytest.raises(CalibrationError, match="one query"):
        split(["alone"])


def test_the_queries_that_are_scored_are_not_those_that_were_calibrated_on() -> None:
    texts = [f"query {number}" for number in range(40)]
    queries, documents = corpus(0.1, 0.02)
    # Only the queries that are scored have an answer that can be found.
    chosen = split(texts)
    best = int(documents.text[:, 0].argmax())
    worst = int(documents.text[:, 0].argmin())
    relevant = [[best] if row in chosen.scored else [worst] for row in range(40)]
    calibration, evaluation = evaluate_calibrated(chosen, queries, documents, relevant, (0.5, 0.5))
    assert evaluation.queries == len(chosen.scored) == 20
    assert evaluation.of("text").scores["recall@10"].value == 1
    assert calibration.queries == len(chosen.calibrating)
    assert evaluation.of("both").weights == calibration.weights
    assert evaluation.of("before").weights == (0.5, 0.5)


def test_differences_are_those_of_the_pair_to_every_other_way() -> None:
    queries, documents = corpus(0.1, 0.02, rows=30)
    relevant = [[int(documents.code[:, 0].argmax())]] * 40
    scored = evaluate(queries, documents, relevant, (0.9, 0.1))
    assert [result.part for result in scored.results] == ["both", "code", "text"]
    assert [(one.better, one.other) for one in scored.differences] == [("both", "code"), ("both", "text")]
    gain = scored.differences[1].scores["mrr@10"].value
    assert gain == pytest.approx(scored.of("both").scores["mrr@10"].value - scored.of("text").scores["mrr@10"].value)
    assert scored.of("code").scores["mrr@10"].value == 1
