"""Files of queries and codes."""

from pathlib import Path

import pytest

from pgduet.training.data import limited, read_codes, read_queries, relevant_rows
from pgduet.training.errors import DataError


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_ids_are_numbers_or_strings_and_one_query_may_have_several_answers(tmp_path: Path) -> None:
    codes = read_codes(
        write(
            tmp_path / "c",
            '{"code_id": 7, "code": "a"}',
            "",
            '{"code_id": "x", "code": "b"}',
            '{"code_id": "7", "code": "c"}',
        )
    )
    queries = read_queries(
        write(tmp_path / "q", '{"query": "one", "code_id": "7"}', '{"query": "two", "code_ids": [7, "x"], "more": 1}')
    )
    assert codes.texts == ["a", "b", "c"]
    assert relevant_rows(queries, codes) == [[2], [0, 1]]


def test_equal_codes_are_one_document_under_all_their_ids(tmp_path: Path) -> None:
    codes = read_codes(
        write(
            tmp_path / "c", '{"code_id": 1, "code": "a"}', '{"code_id": 2, "code": "b"}', '{"code_id": 3, "code": "a"}'
        )
    )
    queries = read_queries(
        write(tmp_path / "q", '{"query": "one", "code_ids": [1, 3]}', '{"query": "two", "code_id": 3}')
    )
    assert (codes.texts, codes.ids) == (["a", "b"], 3)
    assert relevant_rows(queries, codes) == [[0], [0]]


def test_a_limit_keeps_every_answer_and_then_the_first_others(tmp_path: Path) -> None:
    codes = read_codes(write(tmp_path / "c", *(f'{{"code_id": {n}, "code": "code {n}"}}' for n in range(6))))
    queries = read_queries(write(tmp_path / "q", '{"query": "one", "code_id": 4}', '{"query": "two", "code_id": 1}'))
    small = limited(queries, codes, 4)
    assert small.texts == ["code 0", "code 1", "code 2", "code 4"]
    assert [small.texts[rows[0]] for rows in relevant_rows(queries, small)] == ["code 4", "code 1"]
    assert limited(queries, codes, 100).texts == codes.texts
    with pytest.raises(DataError, match="no room for the 2 codes"):
        limited(queries, codes, 1)


def test_queries_without_answers_are_read_where_no_score_is_wanted(tmp_path: Path) -> None:
    path = write(tmp_path / "q", '{"query": "one"}', '{"query": "two", "code_id": 1}')
    assert [query.code_ids for query in read_queries(path, judged=False)] == [(), (1,)]
    with pytest.raises(DataError, match="line 1 has no code_id"):
        read_queries(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"query": "a", "code_id": 1}', '{"query": '], "line 2 is not JSON"),
        (["[1]"], "line 1 is not a JSON object"),
        (['{"code_id": 1}'], "line 1 has no query"),
        (['{"query": 3, "code_id": 1}'], "line 1: query must be a string"),
        (['{"query": " \\n", "code_id": 1}'], "line 1: query is blank"),
        (['{"query": "a", "code_id": 1.5}'], "line 1: code_id must be a whole number or a string, not 1.5"),
        (['{"query": "a", "code_id": true}'], "line 1: code_id must be"),
        (['{"query": "a", "code_ids": []}'], "line 1: code_ids must be a list"),
        (['{"query": "a", "code_ids": 1}'], "line 1: code_ids must be a list"),
        (['{"query": "a", "code_ids": [1, 1]}'], "line 1: code_ids names an id twice"),
        (['{"query": "a", "code_ids": [1], "code_id": 1}'], "line 1 has both"),
        (
            ['{"query": "a", "code_id": 1}', "", '{"query": "a", "code_id": 2}'],
            "line 3: the query 'a' stands in .*line 1",
        ),
        (["", " "], "holds no queries"),
        (['{"query": "a", "code_id": 1}', '{"query": "x\\ud800y", "code_id": 1}'], r"line 2: query holds .*'\\ud800'"),
        (['{"query": ' + "[" * 100_000 + "]" * 100_000 + "}"], "line 1 is nested too deeply"),
    ],
)
def test_a_bad_line_of_queries_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        read_queries(write(tmp_path / "q.jsonl", *lines))
    assert "q.jsonl" in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"code_id": 1, "code": "a"}', '{"code_id": 1, "code": "b"}'], "line 2: the code_id 1 occurs twice"),
        (['{"code_id": 1, "code": ""}'], "line 1: code is blank"),
        (['{"code": "a"}'], "line 1 has no code_id"),
        (['{"code_id": 1, "code": "\\udc80"}'], "line 1: code holds half of a surrogate pair"),
        (['{"code_id": 1}'], "line 1 has no code"),
        ([], "holds no codes"),
    ],
)
def test_a_bad_line_of_codes_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_codes(write(tmp_path / "c.jsonl", *lines))


def test_an_unknown_id_is_named_with_the_line_that_asks_for_it(tmp_path: Path) -> None:
    codes = read_codes(write(tmp_path / "c", '{"code_id": 7, "code": "a"}'))
    queries = read_queries(
        write(tmp_path / "q.jsonl", '{"query": "a", "code_id": 7}', '{"query": "b", "code_id": "7"}')
    )
    with pytest.raises(DataError, match=r"q\.jsonl, line 2: no code has the code_id '7'"):
        relevant_rows(queries, codes)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*absent\.jsonl"):
        read_codes(tmp_path / "absent.jsonl")
    (tmp_path / "latin").write_bytes(b'{"code_id": 1, "code": "\xe9"}')
    with pytest.raises(DataError, match="cannot read"):
        read_codes(tmp_path / "latin")
