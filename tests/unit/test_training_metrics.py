"""Scores against values worked out by hand."""

from math import log2

import numpy as np
import pytest

from pgduet.training.metrics import estimate, ndcg, recall, reciprocal_rank, score
from pgduet.training.ranking import NOT_FOUND, TIES, Halves, rank_all, ranks_of


def halves(code: list[list[float]], text: list[list[float]], finite: list[bool] | None = None) -> Halves:
    usable = np.array(finite or [True] * len(code))
    return Halves(np.array(code, np.float32), np.array(text, np.float32), usable)


def scores(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_one_relevant_document_scores_by_its_rank() -> None:
    assert ndcg([1]) == 1
    assert ndcg([3]) == pytest.approx(0.5)  # 1 / log2(4)
    assert ndcg([10]) == pytest.approx(1 / log2(11))
    assert ndcg([11]) == 0
    assert reciprocal_rank([4]) == 0.25
    assert reciprocal_rank([11]) == 0
    assert (recall([10]), recall([11])) == (1, 0)


def test_several_relevant_documents_are_measured_against_the_best_possible_order() -> None:
    # Ranks 1 and 4 of three relevant: (1 + 1/log2 5) of the ideal 1 + 1/log2 3 + 1/2.
    ranks = [1, 4, 12]
    assert ndcg(ranks) == pytest.approx((1 + 1 / log2(5)) / (1 + 1 / log2(3) + 0.5))
    assert reciprocal_rank(ranks) == 1
    assert recall(ranks) == pytest.approx(2 / 3)


def test_more_relevant_documents_than_the_cut_can_still_score_one() -> None:
    assert ndcg(list(range(1, 13))) == pytest.approx(1)
    assert recall(list(range(1, 13))) == pytest.approx(10 / 12)


def test_a_corpus_smaller_than_the_cut_is_scored_by_its_few_ranks() -> None:
    ranks = ranks_of(scores(0.1, 0.9, 0.5), [2])
    assert list(ranks) == [2]
    assert score([ranks]).tolist() == [pytest.approx([1 / log2(3), 0.5, 1, 0])]


def test_equal_scores_count_against_the_relevant_document() -> None:
    assert list(ranks_of(scores(0.5, 0.5, 0.5, 0.4), [0])) == [3]
    # Rounding apart is equal: batches move a cosine by so much.
    assert list(ranks_of(scores(0.5, 0.5 - 4e-7, 0.4), [0])) == [2]
    assert list(ranks_of(scores(0.5, 0.5 - 1e-5, 0.4), [0])) == [1]
    # In bfloat16 they move it further.
    assert list(ranks_of(scores(0.5, 0.5 - 5e-4, 0.5 - 2e-3), [0], TIES["bfloat16"])) == [2]


def test_relevant_documents_do_not_stand_before_each_other_twice() -> None:
    assert list(ranks_of(scores(0.9, 0.9, 0.8, 0.7), [0, 1])) == [1, 2]
    assert list(ranks_of(scores(0.9, 0.8, 0.7, 0.6), [2, 0])) == [1, 3]
    # A tie with another document puts both relevant ones behind it.
    assert list(ranks_of(scores(0.9, 0.9, 0.9, 0.6), [0, 1])) == [2, 3]


def test_each_way_to_weigh_the_halves_has_its_own_ranking() -> None:
    queries = halves([[1, 0]], [[1, 0]])
    documents = halves([[1, 0], [0, 1], [0.6, 0.8]], [[0, 1], [1, 0], [0.8, 0.6]])
    code, text, both = rank_all(queries, documents, [[0]], [(1, 0), (0, 1), (0.5, 0.5)])
    assert [list(ranks[0]) for ranks in (code, text, both)] == [[1], [3], [3]]


def test_the_ranking_does_not_depend_on_how_queries_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    queries, documents = (
        Halves(generator.normal(size=(n, 4)).astype(np.float32), np.zeros((n, 2), np.float32), np.ones(n, bool))
        for n in (7, 20)
    )
    relevant = [[row, row + 1] for row in range(7)]
    whole = rank_all(queries, documents, relevant, [(1, 0)])[0]
    monkeypatch.setattr("pgduet.training.ranking._SCORES_AT_ONCE", 41)
    cut = rank_all(queries, documents, relevant, [(1, 0)])[0]
    assert [list(ranks) for ranks in cut] == [list(ranks) for ranks in whole]
    assert len({tuple(ranks) for ranks in whole}) > 1


def test_a_text_without_a_vector_is_never_found_and_finds_nothing() -> None:
    queries = halves([[1, 0], [0, 0]], [[1, 0], [0, 0]], [True, False])
    documents = halves([[0, 0], [-1, 0]], [[0, 0], [-1, 0]], [False, True])
    ranks = rank_all(queries, documents, [[0, 1], [1]], [(0.5, 0.5)])[0]
    assert list(ranks[0]) == [1, NOT_FOUND]
    assert list(ranks[1]) == [NOT_FOUND]
    assert score(ranks)[1].tolist() == [0, 0, 0, 0]


def test_intervals_are_the_same_every_time_and_hold_the_mean() -> None:
    values = np.random.default_rng(3).random((80, 2))
    first, second = estimate(values), estimate(values)
    assert first == second
    for column, one in enumerate(first):
        assert one.value == pytest.approx(values[:, column].mean())
        # The normal approximation of the same interval.
        width = 1.96 * values[:, column].std() / 80**0.5
        assert [one.low, one.high] == pytest.approx([one.value - width, one.value + width], abs=0.01)
    assert estimate(values, seed=1) != first


def test_more_queries_than_are_drawn_at_once_give_all_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgduet.training.metrics._DRAWN_AT_ONCE", 70)
    (one,) = estimate(np.array([[0.0], [1.0]] * 10), resamples=500)
    assert 0.2 <= one.low < 0.5 < one.high <= 0.8
    (same,) = estimate(np.ones((20, 1)), resamples=500)
    assert (same.value, same.low, same.high) == (1, 1, 1)


def test_a_difference_is_paired_query_by_query() -> None:
    better = np.linspace(0, 0.9, 50)[:, None]
    (difference,) = estimate((better + 0.01) - better)
    assert difference.low == pytest.approx(0.01)
    assert difference.high == pytest.approx(0.01)
