"""Evaluation data: JSON lines of queries and codes, checked line by line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pgduet.training.errors import DataError

_QUERIES = 'each line of queries is {"query": "...", "code_id": 7} or {"query": "...", "code_ids": [7, 9]}'
_CODES = 'each line of codes is {"code_id": 7, "code": "..."}'

CodeId = int | str


@dataclass(frozen=True)
class Query:
    """A question and the ids of the codes that answer it; `where` is its file and line, for errors.

    `own` are the codes that it was made of, such as itself: they are no answer, and are not ranked for it.
    """

    text: str
    code_ids: tuple[CodeId, ...]
    where: str
    own: tuple[CodeId, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """The documents that are ranked: distinct texts, and which of them each id means.

    Ids with exactly the same text are one document, as in a search, which returns equal content once.
    """

    texts: list[str]
    rows: dict[CodeId, int]

    @property
    def ids(self) -> int:
        """Number of ids, equal texts counted each time."""
        return len(self.rows)


@dataclass(frozen=True)
class Benchmark:
    """Queries and the documents that are ranked for them; `source` says in a word or two where they come from."""

    source: str
    queries: list[Query]
    corpus: Corpus

    @property
    def relevant(self) -> list[list[int]]:
        """The rows of the corpus that answer each query; raises DataError for an id that no code has."""
        return relevant_rows(self.queries, self.corpus)

    @property
    def own(self) -> list[list[int]]:
        """The rows of the corpus that are not ranked for each query."""
        rows = self.corpus.rows
        return [sorted({rows[code_id] for code_id in query.own if code_id in rows}) for query in self.queries]

    def limited(self, limit: int) -> "Benchmark":
        """Return the same queries with a corpus of at most `limit` texts, see `limited`."""
        return replace(self, corpus=limited(self.queries, self.corpus, limit))


def read_codes(path: Path) -> Corpus:
    """Read the documents.

    Raises DataError naming file and line for bad JSON, a missing or ill-typed key, a blank code or an id that occurs
    twice, and for a file without a line.
    """
    rows: dict[CodeId, int] = {}
    texts: dict[str, int] = {}
    for where, line in _lines(path, _CODES):
        code_id = _code_id(line, "code_id", where, _CODES)
        if code_id in rows:
            raise DataError(f"{where}: the code_id {code_id!r} occurs twice", hint="every code needs its own id")
        rows[code_id] = texts.setdefault(_text(line, "code", where, _CODES), len(texts))
    if not rows:
        raise DataError(f"{path} holds no codes", hint=_CODES)
    return Corpus(list(texts), rows)


def read_queries(path: Path, *, judged: bool = True) -> list[Query]:
    """Read the queries; `judged` says that each must name its answer.

    Raises DataError naming file and line for bad JSON, a missing or ill-typed key, a blank query, an id that is named
    twice, or a query that occurs twice, and for a file without a line.
    """
    queries: dict[str, Query] = {}
    for where, line in _lines(path, _QUERIES):
        text = _text(line, "query", where, _QUERIES)
        if text in queries:
            raise DataError(
                f"{where}: the query {text!r} stands in {queries[text].where} already",
                hint="name all its answers in one line, as code_ids",
            )
        queries[text] = Query(text, _answers(line, where, judged), where)
    if not queries:
        raise DataError(f"{path} holds no queries", hint=_QUERIES)
    return list(queries.values())


def relevant_rows(queries: list[Query], corpus: Corpus) -> list[list[int]]:
    """Return for every query the rows of `corpus.texts` that answer it.

    Raises DataError naming file and line for an id that no code has.
    """
    result = []
    for query in queries:
        for code_id in query.code_ids:
            if code_id not in corpus.rows:
                raise DataError(
                    f"{query.where}: no code has the code_id {code_id!r}",
                    hint='ids are compared with their type: 7 and "7" are two ids',
                )
        result.append(sorted({corpus.rows[code_id] for code_id in query.code_ids}))
    return result


def limited(queries: list[Query], corpus: Corpus, limit: int) -> Corpus:
    """Return a corpus of at most `limit` texts: every answer first, then the others in the order of the file.

    Raises DataError when the answers alone are more.
    """
    wanted = dict.fromkeys(row for rows in relevant_rows(queries, corpus) for row in rows)
    if len(wanted) > limit:
        raise DataError(
            f"--limit {limit} leaves no room for the {len(wanted)} codes that answer the queries",
            hint=f"allow at least {len(wanted)} codes, or name fewer queries",
        )
    kept = [*wanted, *(row for row in range(len(corpus.texts)) if row not in wanted)][:limit]
    place = {row: number for number, row in enumerate(sorted(kept))}
    rows = {code_id: place[row] for code_id, row in corpus.rows.items() if row in place}
    return Corpus([corpus.texts[row] for row in place], rows)


def _answers(line: dict[str, Any], where: str, judged: bool) -> tuple[CodeId, ...]:
    if "code_id" in line and "code_ids" in line:
        raise DataError(f"{where} has both code_id and code_ids", hint=_QUERIES)
    if "code_ids" in line:
        named = line["code_ids"]
        if not isinstance(named, list) or not named:
            raise DataError(f"{where}: code_ids must be a list of at least one id", hint=_QUERIES)
        answers = tuple(_code_id({"code_ids": one}, "code_ids", where, _QUERIES) for one in named)
        if len(set(answers)) < len(answers):
            raise DataError(f"{where}: code_ids names an id twice", hint="name every answer once")
        return answers
    if "code_id" not in line and not judged:
        return ()
    return (_code_id(line, "code_id", where, _QUERIES),)


def _lines(path: Path, hint: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file and line number, and the object of every line that is not blank."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path}, line {number}", _object(line, f"{path}, line {number}", hint)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}", hint=hint) from error


def _object(line: str, where: str, hint: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where} is not JSON: {error}", hint=hint) from error
    except RecursionError as error:
        raise DataError(f"{where} is nested too deeply to be read", hint=hint) from error
    if not isinstance(value, dict):
        raise DataError(f"{where} is not a JSON object", hint=hint)
    return value


def _text(line: dict[str, Any], key: str, where: str, hint: str) -> str:
    value = _required(line, key, where, hint)
    if not isinstance(value, str):
        raise DataError(f"{where}: {key} must be a string", hint=hint)
    if not value.strip():
        raise DataError(f"{where}: {key} is blank", hint="a blank text has no meaning to search by")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where}: {key} holds half of a surrogate pair ({value[error.start]!a}), which is no character",
            hint="write the character itself, or both of its \\u escapes",
        ) from error
    return value


def _code_id(line: dict[str, Any], key: str, where: str, hint: str) -> CodeId:
    value = _required(line, key, where, hint)
    # True is a number to Python, and would be found as 1.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise DataError(f"{where}: {key} must be a whole number or a string, not {value!r}", hint=hint)
    return value


def _required(line: dict[str, Any], key: str, where: str, hint: str) -> Any:
    if key not in line:
        raise DataError(f"{where} has no {key}", hint=hint)
    return line[key]
