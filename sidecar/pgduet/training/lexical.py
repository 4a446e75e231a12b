"""BM25, the yardstick that knows words and no meaning."""

import importlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pgduet.training.errors import MissingError
from pgduet.training.ranking import Ranks, ranks_of

# The usual constants, in Lucene's form of the formula.
K1, B = 1.5, 0.75

_NAME = re.compile(r"\w+")
# The same seams at which lexical search cuts (source: pgduet._lexemes).
_SEAM = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")


def words(text: str) -> list[str]:
    """Cut a text into lowercase words, identifiers into their pieces, and give identifiers of several pieces whole too.

    `parse_date`, `parseDate` and `ParseDate` all give parse, date and parsedate. Nothing is stemmed or left out.
    """
    found = []
    for name in _NAME.findall(text):
        pieces = [piece.lower() for piece in _SEAM.split(name) if piece]
        found += pieces
        if len(pieces) > 1:
            found.append("".join(pieces))
    return found


def rank_by_words(
    queries: Sequence[str],
    documents: Sequence[str],
    relevant: Sequence[Sequence[int]],
    own: Sequence[Sequence[int]] | None = None,
) -> Ranks:
    """Rank all documents for every query by BM25; return the ranks of the relevant ones.

    A word that a query says twice counts twice. A document that has no word of the query is not found; nor are the rows
    of `own`, which the query was made of. Raises MissingError where bm25s is not installed.
    """
    index = _bm25s().BM25(k1=K1, b=B, method="lucene")
    texts = [words(document) for document in documents]
    vocabulary = {word for text in texts for word in text}
    if vocabulary:
        index.index(texts, show_progress=False)
    ranks = []
    for number, query in enumerate(queries):
        known = [word for word in words(query) if word in vocabulary]
        scores = index.get_scores(known) if known else np.zeros(len(documents), np.float32)
        scores[scores <= 0] = -np.inf
        if own:
            scores[list(own[number])] = -np.inf
        ranks.append(ranks_of(scores, relevant[number]))
    return ranks


def _bm25s() -> Any:
    try:
        return importlib.import_module("bm25s")
    except ImportError as error:
        raise MissingError(
            f"BM25 needs bm25s, which cannot be imported: {error}", hint="run: pip install 'pgduet[train]'"
        ) from error
