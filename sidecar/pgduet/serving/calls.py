"""What every call has in common: a log line, an id, and a status for what was refused."""

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio
import structlog

from pgduet.serving.metrics import Metrics
from pgduet.v1.dialing import SIDECAR_KEY

PUSHBACK_KEY = "grpc-retry-pushback-ms"
REQUEST_ID_KEY = "x-request-id"
# A client's clock strikes first: its cancel overtakes the deadline that it had sent along.
DEADLINE_SLACK = 0.1
# Seconds that a call takes at the least once it is tried again; gRPC also rounds up the deadline that it sends along.
_RETRY_SECONDS = 0.01
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)

_log = structlog.stdlib.get_logger("pgduet.serving.calls")

Reply = TypeVar("Reply")
Context = grpc.aio.ServicerContext[Any, Any]


class Refusal(Exception):  # noqa: N818
    """A call is answered with a status other than OK; the message never holds a text."""

    def __init__(
        self, code: grpc.StatusCode, message: str, retry_after: float | None = None, reason: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
        self.reason = reason or code.name.lower()

    def trailing_metadata(self, remaining: float | None) -> tuple[tuple[str, str], ...]:
        """Tell gRPC's own retry policy how long to stay away, where that is known; `remaining` seconds are left."""
        if self.retry_after is None:
            return ()
        if remaining is not None and self.retry_after + _RETRY_SECONDS >= remaining:
            # Do not retry: it would only turn this answer into a missed deadline.
            return ((PUSHBACK_KEY, "-1"),)
        return ((PUSHBACK_KEY, str(round(self.retry_after * 1000))),)


class Calls:
    """Count the calls in flight and log how each of them ended."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # What answers name this sidecar by, in printable ASCII; nothing without.
        self.name = ""
        self.idle = asyncio.Event()
        self.idle.set()
        # Set when no more requests of streams are to be read.
        self.stopping = asyncio.Event()
        self._running = 0

    async def run(
        self,
        call: str,
        context: Context,
        facts: dict[str, Any],
        answer: Awaitable[Reply],
        level: str = "info",
        *,
        signed: bool = True,
    ) -> Reply:
        """Await the answer to one call and log how it went; what `facts` holds by then stands in the line.

        A Refusal becomes the call's status. A call that the client gave up is logged at info. However it ends, the
        caller learns which sidecar answered, unless it is not to be `signed`.
        """
        signature = self.signature() if signed else ()
        context.set_trailing_metadata(signature)
        try:
            return await self.watch(call, request_id(context), facts, answer, context.time_remaining, level)
        except Refusal as refusal:
            told = refusal.trailing_metadata(context.time_remaining())
            await context.abort(refusal.code, str(refusal), told + signature)

    def signature(self) -> tuple[tuple[str, str], ...]:
        """Name this sidecar in metadata."""
        return ((SIDECAR_KEY, self.name),) if self.name else ()

    async def watch(
        self,
        call: str,
        request_id: str,
        facts: dict[str, Any],
        answer: Awaitable[Reply],
        remaining: Callable[[], float | None] = lambda: None,
        level: str = "info",
    ) -> Reply:
        """Do the same for what has no status of its own, such as one request of a stream: a Refusal is raised."""
        line = _log.bind(call=call, request_id=request_id)
        started = time.perf_counter()
        self._running += 1
        self.idle.clear()
        try:
            reply = await answer
        except asyncio.CancelledError:
            left = remaining()
            expired = left is not None and left < DEADLINE_SLACK
            line.info("cancelled", **facts, ms=_since(started), reason="deadline" if expired else "client or stop")
            self._count(call, grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED)
            raise
        except Refusal as refusal:
            line.info("refused", **facts, ms=_since(started), code=refusal.code.name, reason=str(refusal))
            self._count(call, refusal.code)
            self._metrics.rejected.labels(refusal.reason).inc()
            raise
        else:
            getattr(line, level)("answered", **facts, ms=_since(started))
            self._count(call, grpc.StatusCode.OK)
            self._metrics.answer(time.perf_counter() - started, request_id, facts)
            return reply
        finally:
            self._running -= 1
            if not self._running:
                self.idle.set()

    def _count(self, call: str, status: grpc.StatusCode) -> None:
        self._metrics.requests.labels(call, status.name).inc()


async def refuse(refusal: Refusal) -> Any:
    """Answer with nothing but a refusal, for `Calls.run`."""
    raise refusal


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def request_id(context: Context) -> str:
    """Take the caller's id where it is one that may stand in a log, else make one."""
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex[:16]
