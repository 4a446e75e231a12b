"""Search as the command line asks for it."""

from typing import NamedTuple

from pgduet.database.asking import ask
from pgduet.database.connection import Connection
from pgduet.database.queries import load_queries


class Hit(NamedTuple):
    """Hold one chunk found; `similarity` is the cosine, 1 for the same meaning."""

    chunk_id: int
    repo: str | None
    path: str | None
    symbol: str | None
    kind: str | None
    language: str | None
    start_line: int | None
    end_line: int | None
    content: str
    similarity: float


def search(
    connection: Connection,
    query: str,
    *,
    k: int = 10,
    language: str | None = None,
    repo: str | None = None,
    path_like: str | None = None,
    min_similarity: float | None = None,
    lexical: bool = False,
) -> list[Hit]:
    """Find the `k` chunks nearest in meaning to `query`, best first, by `pgduet.similar_code`.

    `lexical` ranks by the words of the query too; the best first is then not always the most similar.

    Raises PgduetError with the server's message and hint for what it refuses.
    """
    values = {
        "query": query,
        "k": k,
        "language": language,
        "repo": repo,
        "path_like": path_like,
        "min_similarity": min_similarity,
        "lexical": lexical,
    }
    return [Hit(*row) for row in ask(connection, load_queries("search")["search"], values)]
