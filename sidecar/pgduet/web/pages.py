"""The pages and their parts."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pgduet.database import browsing, overview
from pgduet.database.connection import Connection
from pgduet.database.generations import list_generations
from pgduet.database.reading import Readers
from pgduet.database.search import search
from pgduet.web import FOLDER, courses, curves, wording
from pgduet.web.highlight import as_html, stylesheet
from pgduet.web.questions import read_chunk_id, read_question

_HIT_LINES = 12
_CHUNK_LINES = 2000
_NEIGHBOURS = 6
_MOST_FAILURES = 50
_MOST_RUNS = 60
_MOST_COURSES = 6

Values = dict[str, Any]


class Pages:
    """Answer requests with pages made of what the database says."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(wording.FILTERS, code=_code)

    def routes(self) -> list[Route]:
        """List what there is."""
        return [
            Route("/", self.search),
            Route("/chunk/{number}", self.chunk),
            Route("/map", partial(self.plain, "map"), name="map"),
            Route("/status", partial(self.plain, "status"), name="status"),
            Route("/generations", partial(self.plain, "generations"), name="generations"),
            Route("/part/{name}", self.part),
            Route("/highlight.css", _stylesheet),
        ]

    def render(self, request: Request, template: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
        """Fill a template; a script that asks for a part gets it without the frame of a page."""
        frame = "part.html" if request.headers.get("x-part") else "page.html"
        html = self._environment.get_template(template).render(frame=frame, **values)
        return HTMLResponse(html, status_code=status_code)

    def search(self, request: Request) -> Response:
        """Show the search box, and what was found where something was asked for."""
        asked = read_question(request.query_params)
        values: Values = {"asked": asked, "hits": None, "milliseconds": 0.0, "page": "search"}
        if asked.query:
            with self._readers.transaction() as connection:
                started = perf_counter()
                values["hits"] = search(
                    connection,
                    asked.query,
                    k=asked.k,
                    language=asked.language,
                    repo=asked.repo,
                    path_like=asked.path,
                    lexical=asked.lexical,
                )
                values["milliseconds"] = 1000 * (perf_counter() - started)
        return self.render(request, "search.html", hit_lines=_HIT_LINES, **values)

    def chunk(self, request: Request) -> Response:
        """Show one chunk whole, and its neighbours in meaning where it has a vector."""
        number = read_chunk_id(request.path_params["number"])
        with self._readers.transaction() as connection:
            found = browsing.read_chunk(connection, number)
        if found is None:
            raise HTTPException(404, f"there is no chunk {number} here")
        return self.render(request, "chunk.html", chunk=found, page="", lines=_CHUNK_LINES)

    def plain(self, name: str, request: Request) -> Response:
        """Show a page whose parts are fetched by its script."""
        return self.render(request, f"{name}.html", page=name)

    def part(self, request: Request) -> Response:
        """Show one part of a page, read now."""
        name = request.path_params["name"]
        read = _PARTS.get(name)
        if read is None:
            raise HTTPException(404, "there is no such part")
        with self._readers.transaction() as connection:
            values = read(connection, request)
        return self.render(request, f"parts/{name}.html", **values)


def _stylesheet(_request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css")


def _code(content: str | None, language: str | None, lines: int) -> Markup:
    # What comes out of the highlighter is escaped.
    return Markup(as_html(content or "", language, lines))  # noqa: S704


def _neighbours(connection: Connection, request: Request) -> Values:
    number = read_chunk_id(request.query_params.get("chunk", ""))
    return {"hits": browsing.similar_to(connection, number, _NEIGHBOURS), "hit_lines": _HIT_LINES}


def _generations(connection: Connection, _request: Request) -> Values:
    return {"generations": list_generations(connection)[::-1]}


def _runs(connection: Connection, _request: Request) -> Values:
    runs = overview.read_runs(connection, _MOST_RUNS)
    steps = overview.read_curves(connection, _MOST_COURSES)
    return {
        "runs": runs[::-1],
        "picture": curves.draw(runs),
        "width": curves.WIDTH,
        "height": curves.HEIGHT,
        "courses": courses.draw(steps),
        "across": courses.ACROSS,
    }


_PARTS: dict[str, Callable[[Connection, Request], Values]] = {
    "neighbours": _neighbours,
    "health": lambda connection, _request: {"parts": overview.read_health(connection)},
    "queue": lambda connection, _request: {"states": overview.read_queue(connection)},
    "failures": lambda connection, _request: {"failures": overview.read_failures(connection, _MOST_FAILURES)},
    "workers": lambda connection, _request: {"workers": overview.read_workers(connection)},
    "indexes": lambda connection, _request: {
        "indexes": overview.read_indexes(connection),
        "aspects": overview.read_index_health(connection),
    },
    "generations": _generations,
    "runs": _runs,
}
