"""Differences to other ways to rank, and documents that are not ranked for some queries."""

import numpy as np
import pytest

from pgduet.training.calibration import Split
from pgduet.training.data import Benchmark, Corpus, Query
from pgduet.training.evaluation import AGAINST, BM25, Other, evaluate, evaluate_calibrated, values_of
from pgduet.training.metrics import METRICS
from pgduet.training.ranking import Halves


def halves(*rows: list[float]) -> Halves:
    """Make texts whose halves are equal."""
    vectors = np.array(rows, np.float32)
    return Halves(vectors, vectors, np.ones(len(rows), bool))


def drawn(count: int, seed: int) -> Halves:
    generator = np.random.default_rng(seed)
    code, text = (generator.normal(size=(count, 4)).astype(np.float32) for _ in range(2))
    return Halves(code, text, np.ones(count, bool))


def test_differences_to_others_are_paired_query_by_query() -> None:
    queries, documents = drawn(30, 1), drawn(40, 2)
    relevant = [[row] for row in range(30)]
    (both,) = values_of(queries, documents, relevant, [(0.5, 0.5)])
    worse = np.clip(both - 0.25, 0, 1)
    others = [Other(BM25, worse), Other(AGAINST, both.copy(), (0.5, 0.5))]
    scored = evaluate(queries, documents, relevant, (0.5, 0.5), others=others)
    assert [one.part for one in scored.results] == ["both", "code", "text", "bm25", "against"]
    assert [(one.better, one.other) for one in scored.differences] == [
        ("both", other) for other in ("code", "text", "bm25", "against")
    ]
    assert (scored.of("bm25").weights, scored.of("against").weights) == (None, (0.5, 0.5))
    to_bm25, to_same = (one.scores for one in scored.differences[2:])
    for number, metric in enumerate(METRICS):
        assert scored.of("bm25").scores[metric].value == pytest.approx(worse[:, number].mean())
        assert to_bm25[metric].value == pytest.approx((both - worse)[:, number].mean())
        assert 0 <= to_bm25[metric].low <= to_bm25[metric].value <= to_bm25[metric].high <= 0.25
        assert (to_same[metric].value, to_same[metric].low, to_same[metric].high) == (0, 0, 0)


def test_calibrated_weights_are_compared_on_the_scored_queries_alone() -> None:
    queries, documents = drawn(20, 3), drawn(30, 4)
    relevant = [[row] for row in range(20)]
    own = [[29] if row in (1, 3) else [] for row in range(20)]
    other = Other(BM25, np.arange(80, dtype=np.float64).reshape(20, 4) / 80)
    chosen = Split([0, 2, 4, 6], [1, 3, 5])
    calibration, scored = evaluate_calibrated(chosen, queries, documents, relevant, (0.5, 0.5), own=own, others=[other])
    assert scored.queries == 3
    assert scored.of("bm25").scores["ndcg@10"].value == pytest.approx((4 + 12 + 20) / 80 / 3)
    (expected,) = values_of(
        queries.take([1, 3, 5]), documents, [[1], [3], [5]], [calibration.weights], own=[[29], [29], []]
    )
    assert scored.of("both").scores["mrr@10"].value == pytest.approx(expected[:, 1].mean())


def test_a_document_that_a_query_was_made_of_is_ranked_for_others_only() -> None:
    # Each query is nearest to its own document; the answer comes next.
    queries = halves([1, 0], [0, 1], [1, 0])
    documents = halves([1, 0], [0.8, 0.6], [0, 1])
    relevant = [[1], [1], [1]]
    (all_ranked,) = values_of(queries, documents, relevant, [(0.5, 0.5)])
    (without,) = values_of(queries, documents, relevant, [(0.5, 0.5)], own=[[0], [2], []])
    assert all_ranked[:, 1].tolist() == [0.5, 0.5, 0.5]
    assert without[:, 1].tolist() == [1, 1, 0.5]
    assert documents.finite.all()


def test_a_limit_forgets_what_it_leaves_out() -> None:
    corpus = Corpus(["a", "b", "c", "d"], {0: 0, 1: 1, 2: 2, 3: 3})
    benchmark = Benchmark("files", [Query("one", (2,), "here", own=(0, 3))], corpus)
    assert (benchmark.relevant, benchmark.own) == ([[2]], [[0, 3]])
    small = benchmark.limited(2)
    assert (small.corpus.texts, small.relevant, small.own) == (["a", "c"], [[1]], [[0]])
