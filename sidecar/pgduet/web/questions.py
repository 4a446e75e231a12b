"""What the address of a request asks for, checked."""

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from pgduet.errors import PgduetError

MOST_HITS = 100
_MOST_CHARACTERS = 20_000
_HITS = 10
_BIGINT = 2**63


class BadRequestError(PgduetError):
    """The address asks for what cannot be."""


class Question(NamedTuple):
    """Hold a search; empty filters are None."""

    query: str
    k: int = _HITS
    language: str | None = None
    repo: str | None = None
    path: str | None = None
    lexical: bool = False

    @property
    def more(self) -> str | None:
        """Give the address parameters of the same search for more hits; None where there are no more to be had."""
        k = min(MOST_HITS, self.k + _HITS)
        values = {"q": self.query, "language": self.language, "repo": self.repo, "path": self.path, "k": k}
        given = {key: value for key, value in values.items() if value is not None}
        return None if k == self.k else urlencode(given | ({"lexical": "1"} if self.lexical else {}))


def read_question(asked: QueryParams) -> Question:
    """Read a search out of `q`, `k`, `language`, `repo`, `path` and `lexical`. Raises BadRequestError."""
    query = asked.get("q", "").strip()
    if len(query) > _MOST_CHARACTERS:
        raise BadRequestError(
            f"the query has {len(query)} characters, the most are {_MOST_CHARACTERS}", hint="say it in fewer words"
        )
    if any("\0" in value for value in asked.values()):
        raise BadRequestError("a NUL character cannot be searched for", hint="take it out")
    language, repo, path = (asked.get(key, "").strip() or None for key in ("language", "repo", "path"))
    k = read_number(asked, "k", _HITS, 1, MOST_HITS)
    return Question(query, k, language, repo, path, asked.get("lexical", "") in ("1", "true", "on"))


def read_number(asked: QueryParams, name: str, default: int, least: int, most: int) -> int:
    """Read a whole number from least to most. Raises BadRequestError."""
    text = asked.get(name) or str(default)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if number is None or not least <= number <= most:
        raise BadRequestError(f"{name} is {text[:40]!r}", hint=f"ask for a whole number from {least} to {most}")
    return number


def read_chunk_id(text: str) -> int:
    """Read a chunk's number. Raises BadRequestError for what PostgreSQL's bigint cannot hold."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else _BIGINT
    if number >= _BIGINT:
        raise BadRequestError(f"{text[:40]!r} is no chunk's number", hint="chunk_id is a whole number")
    return number
