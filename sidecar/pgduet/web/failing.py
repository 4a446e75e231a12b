"""Errors as a person or a program reads them: what, why, what to do."""

import logging
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pgduet.database.errors import DatabaseError
from pgduet.errors import PgduetError
from pgduet.web.questions import BadRequestError

_LOG = logging.getLogger("pgduet.web")
# SQLSTATEs, the most specific first: their beginnings and the status that says the same.
_STATUSES = {
    "22": 400,
    "42501": 403,
    "57014": 504,
    "28": 502,
    "53": 503,
    "57": 503,
    "58030": 503,
    "08": 503,
}

Render = Callable[..., Response]


def status_of(error: Exception) -> int:
    """Give the HTTP status for an error."""
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, BadRequestError):
        return 400
    if isinstance(error, DatabaseError) and error.sqlstate is not None:
        return next((status for start, status in _STATUSES.items() if error.sqlstate.startswith(start)), 500)
    return 503 if isinstance(error, PgduetError) else 500


def describe(error: Exception) -> dict[str, str]:
    """Give message, hint and, from the database, SQLSTATE. What nobody foresaw stays in the log."""
    if isinstance(error, PgduetError):
        sqlstate = error.sqlstate if isinstance(error, DatabaseError) else None
        return {"error": str(error), "hint": error.hint, **({"sqlstate": sqlstate} if sqlstate else {})}
    if isinstance(error, HTTPException):
        hint = "start at /" if error.status_code == 404 else "only GET is answered here"
        return {"error": str(error.detail), "hint": hint}
    return {"error": "something went wrong that should not", "hint": "the terminal of `pgduet ui` shows what"}


def answer(request: Request, error: Exception, render: Render) -> Response:
    """Answer with the error: as JSON below /api, as a page or a part of one elsewhere."""
    status = status_of(error)
    if not isinstance(error, PgduetError | HTTPException):
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if request.url.path.startswith("/api/"):
        return JSONResponse(describe(error), status_code=status)
    return render(request, "error.html", status_code=status, failure=describe(error), page="")
