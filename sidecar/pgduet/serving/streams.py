"""A stream of requests: read while there is room, answered as they are done."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import structlog

from pgduet.serving.calls import Calls, Context, Refusal, refuse
from pgduet.v1 import embedding_pb2 as pb

# Requests of one stream that are worked at; the next is read when one of them is answered and its answer has left.
# HTTP/2 then holds the caller back.
MOST_IN_FLIGHT = 8
# How long a stream may be silent.
IDLE_SECONDS = 300.0

_log = structlog.stdlib.get_logger("pgduet.serving.streams")

Answer = Callable[[pb.EmbedStreamRequest], Awaitable[pb.EmbedResponse]]


async def answer_stream(context: Context, calls: Calls, answer: Answer) -> None:
    """Answer the requests of one stream until the caller has sent its last or the sidecar stops.

    What was read is answered first. Cancelling drops all that is in flight.
    """
    # At once: an answer may never come, and the errors in it have no metadata of their own.
    await context.send_initial_metadata(calls.signature())
    room = asyncio.Semaphore(MOST_IN_FLIGHT)
    # Two writes at a time are an error in gRPC.
    writing = asyncio.Lock()
    tasks: set[asyncio.Task[Any]] = set()

    async def work(message: pb.EmbedStreamRequest) -> None:
        try:
            reply = await _reply(message, answer)
            async with writing:
                await context.write(reply)
        finally:
            room.release()

    stopping = asyncio.create_task(calls.stopping.wait())
    try:
        while True:
            await room.acquire()
            message = await _read(context, stopping, tasks)
            if message is None:
                break
            if isinstance(message, Refusal):
                await calls.run("embed_stream", context, {}, refuse(message))
                return
            task = asyncio.create_task(work(message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(set(tasks))
    finally:
        for task in (*tasks, stopping):
            task.cancel()
    if calls.stopping.is_set():
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the sidecar is stopping")


async def _read(
    context: Context, stopping: "asyncio.Future[Any]", tasks: "set[asyncio.Task[Any]]"
) -> pb.EmbedStreamRequest | Refusal | None:
    """Return the next request, or why it cannot be read; None after the last one and when the sidecar stops.

    None too when nothing has come, and nothing was worked at, for a while: callers open another when they need it.
    """
    reading = asyncio.ensure_future(context.read())
    try:
        while True:
            done, _ = await asyncio.wait((reading, stopping), timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                message = reading.result()
                return None if message is grpc.aio.EOF else message
            if done or not tasks:
                return None
    finally:
        reading.cancel()


async def _reply(message: pb.EmbedStreamRequest, answer: Answer) -> pb.EmbedStreamResponse:
    try:
        return pb.EmbedStreamResponse(id=message.id, response=await answer(message))
    except Refusal as refusal:
        error = pb.EmbedStreamError(
            code=refusal.code.value[0], message=str(refusal), retry_after_ms=round((refusal.retry_after or 0) * 1000)
        )
    except Exception as failure:
        # As gRPC does for a single call: the caller learns that it was this request, and the others go on.
        _log.exception("a request of a stream failed", message=message.id)
        error = pb.EmbedStreamError(code=grpc.StatusCode.UNKNOWN.value[0], message=f"failed: {type(failure).__name__}")
    return pb.EmbedStreamResponse(id=message.id, error=error)
