"""BM25 against values worked out by hand, and how identifiers are cut into words."""

import sys
from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt
import pytest

from pgduet.training.errors import MissingError
from pgduet.training.lexical import K1, B, rank_by_words, words
from pgduet.training.metrics import score
from pgduet.training.ranking import NOT_FOUND, Floats, ranks_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parse_date", "parse date parsedate"),
        ("parseDate", "parse date parsedate"),
        ("ParseDate", "parse date parsedate"),
        ("__init__", "init"),
        ("HTTPServer", "http server httpserver"),
        ("userIDs", "user ids userids"),
        ("sha256Sum", "sha256 sum sha256sum"),
        ("MAX_SIZE", "max size maxsize"),
        ("self.stream.write(x)", "self stream write x"),
        ("How do I sort a list?", "how do i sort a list"),
        ("größe_ändern", "größe ändern größeändern"),
        ("_ -> () == '...'", ""),
    ],
)
def test_identifiers_are_cut_where_underscores_and_capitals_are(text: str, expected: str) -> None:
    assert words(text) == expected.split()


def test_scores_are_those_of_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = ["open file read file close", "open socket", "sort list of numbers in place"]
    seen: list[Floats] = []

    def keep(scores: Floats, relevant: Sequence[int]) -> npt.NDArray[np.int64]:
        seen.append(scores.copy())
        return ranks_of(scores, relevant)

    monkeypatch.setattr("pgduet.training.lexical.ranks_of", keep)
    ranks = rank_by_words(["open a file", "file file"], documents, [[1], [0]])
    mean = (5 + 2 + 6) / 3

    def weight(among: int) -> float:
        return log(1 + (3 - among + 0.5) / (among + 0.5))

    def count(times: int, length: int) -> float:
        return times / (times + K1 * (1 - B + B * length / mean))

    # `open` is in two of the documents, `file` in one; nobody has `a`.
    first = weight(2) * count(1, 5) + weight(1) * count(2, 5)
    assert seen[0][0] == pytest.approx(first, rel=1e-6)
    assert seen[0][1] == pytest.approx(weight(2) * count(1, 2), rel=1e-6)
    assert seen[0][2] == float("-inf")
    assert seen[1][0] == pytest.approx(2 * weight(1) * count(2, 5), rel=1e-6)
    assert [list(one) for one in ranks] == [[2], [1]]


def test_a_shorter_document_with_the_same_words_stands_before_a_longer_one() -> None:
    documents = ["sort numbers " + "and other words " * 5, "sort numbers", "unrelated"]
    assert [list(one) for one in rank_by_words(["sort numbers"], documents, [[0, 1]])] == [[1, 2]]
    assert [list(one) for one in rank_by_words(["sort numbers"], documents, [[0]])] == [[2]]


def test_equal_documents_count_against_the_answer() -> None:
    documents = ["read_line(file)", "readLine(file)", "write"]
    assert [list(one) for one in rank_by_words(["read line"], documents, [[0]])] == [[2]]


def test_a_document_without_a_word_of_the_query_is_not_found() -> None:
    ranks = rank_by_words(["sort", "unheard of", "..."], ["sort()", "()", "..."], [[0], [1], [2]])
    assert [list(one) for one in ranks] == [[1], [NOT_FOUND], [NOT_FOUND]]
    assert score(ranks)[1:].tolist() == [[0] * 4] * 2
    # Nothing has a word at all.
    assert [list(one) for one in rank_by_words(["sort"], ["()", "..."], [[0]])] == [[NOT_FOUND]]


def test_what_a_query_was_made_of_is_not_ranked_for_it() -> None:
    documents = ["sort a list", "sort a list well"]
    assert [list(one) for one in rank_by_words(["sort a list"] * 2, documents, [[1], [1]], [[], [0]])] == [[2], [1]]


def test_without_bm25s_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(MissingError, match="bm25s, which cannot be imported") as caught:
        rank_by_words(["a"], ["a"], [[0]])
    assert caught.value.hint == "run: pip install 'pgduet[train]'"
