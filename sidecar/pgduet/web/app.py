"""The application: pages, JSON, files, and what to do with errors."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pgduet.database.reading import Readers
from pgduet.errors import PgduetError
from pgduet.web import FOLDER
from pgduet.web.api import Api
from pgduet.web.failing import answer
from pgduet.web.guard import Guard
from pgduet.web.pages import Pages


def make_app(readers: Readers, hosts: Iterable[str] = ()) -> Starlette:
    """Make the ASGI application that answers to loopback names and `hosts`; it closes `readers` when it ends."""
    pages, api = Pages(readers), Api(readers)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        readers.close()

    def refuse(request: Request, error: Exception) -> Response:
        return answer(request, error, pages.render)

    files = Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    return Starlette(
        routes=[*pages.routes(), *api.routes(), files],
        middleware=[Middleware(Guard, hosts=tuple(hosts))],
        exception_handlers={PgduetError: refuse, HTTPException: refuse, Exception: refuse},
        lifespan=lifespan,
    )
