"""The same as JSON, for scripts."""

from time import monotonic

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pgduet.database import browsing
from pgduet.database.reading import Readers
from pgduet.database.search import search
from pgduet.web.questions import BadRequestError, read_number, read_question
from pgduet.web.wording import place

_MOST_POINTS = 20_000
_FACETS_SECONDS = 60


class Api:
    """Answer requests below /api."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._facets: tuple[float, browsing.Facets] | None = None

    def routes(self) -> list[Route]:
        """List what there is."""
        return [
            Route("/api/search", self.search),
            Route("/api/facets", self.facets),
            Route("/api/map", self.map),
        ]

    def search(self, request: Request) -> Response:
        """Give hits as `pgduet search --json` does, best first."""
        asked = read_question(request.query_params)
        if not asked.query:
            raise BadRequestError("nothing was asked", hint="/api/search?q=retry+with+backoff&k=5")
        with self._readers.transaction() as connection:
            hits = search(
                connection,
                asked.query,
                k=asked.k,
                language=asked.language,
                repo=asked.repo,
                path_like=asked.path,
                lexical=asked.lexical,
            )
        return JSONResponse([hit._asdict() for hit in hits])

    def facets(self, _request: Request) -> Response:
        """Give languages and repositories with their numbers of chunks; at most a minute old."""
        if self._facets is None or monotonic() - self._facets[0] > _FACETS_SECONDS:
            with self._readers.transaction() as connection:
                self._facets = monotonic(), browsing.read_facets(connection)
        return JSONResponse(self._facets[1]._asdict())

    def map(self, request: Request) -> Response:
        """Give the points of the code map, each as [chunk_id, x, y, cluster, language, label]."""
        most = read_number(request.query_params, "most", _MOST_POINTS, 1, _MOST_POINTS)
        with self._readers.transaction() as connection:
            found = browsing.read_map(connection, most)
        points = [
            (one.chunk_id, one.x, one.y, one.cluster, one.language or "", f"{place(one)} {one.symbol or ''}".rstrip())
            for one in found.points
        ]
        head = {"generation": found.generation, "computed_at": found.computed_at.isoformat(), "total": found.total}
        return JSONResponse(head | {"points": points})
