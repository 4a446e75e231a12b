"""Messages from the wire, looked at before they are read: what is no message of ours, or of far too many parts."""

import re
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from pgduet.serving.calls import Calls, Context, Refusal, refuse
from pgduet.v1.dialing import SERVICE_NAME

# Fields of a message beside its texts, known ones and those of later versions.
_OTHER_FIELDS = 64
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_SIZES = {_FIXED_64: 8, _FIXED_32: 4}
# EmbedStreamRequest.request, which has the texts in it.
_NESTED = 2

# Where LoadModel becomes load_model, as calls are named in log and metrics.
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Deserializer = Callable[[bytes], Any]


class Parsing(grpc.aio.ServerInterceptor):
    """Answer INVALID_ARGUMENT where a message cannot be read; gRPC's own answer is UNKNOWN and a traceback in the log.

    A message of 64 MiB holds 32 million empty texts: reading them would take seconds, in which nobody else is
    answered, and a gigabyte. Their number is found out first, as far as the limit.
    """

    def __init__(self, most_texts: int, calls: Calls) -> None:
        self._most = most_texts
        self._calls = calls

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Give the handler of one of our own methods with a reader that raises nothing."""
        handler = await continuation(details)
        service, _, method = details.method.removeprefix("/").partition("/")
        if handler is None or service != SERVICE_NAME:
            return handler
        read = self._reader(handler.request_deserializer, nested=handler.request_streaming)
        if handler.request_streaming:
            # It reads by itself, and finds a Refusal in the place of a message.
            return grpc.stream_stream_rpc_method_handler(handler.stream_stream, read, handler.response_serializer)

        async def answer(request: Any, context: Context) -> Any:
            if isinstance(request, Refusal):
                return await self._calls.run(_CAPITAL.sub("_", method).lower(), context, {}, refuse(request))
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(answer, read, handler.response_serializer)

    def _reader(self, deserializer: Deserializer, *, nested: bool) -> Deserializer:
        def read(data: bytes) -> Any:
            if _fields(data, self._most + _OTHER_FIELDS, nested=nested) > self._most + _OTHER_FIELDS:
                message = f"the request has more than {self._most} texts, which is the limit"
                return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
            try:
                return deserializer(data)
            except DecodeError:
                return Refusal(grpc.StatusCode.INVALID_ARGUMENT, "the message cannot be read: it is none of ours")

        return read


def _fields(data: bytes | memoryview, most: int, *, nested: bool) -> int:
    """Count the fields of a message, with those of the message in it, up to `most` and one more.

    What is malformed ends the count: reading it will tell.
    """
    view, position, count = memoryview(data), 0, 0
    try:
        while position < len(view) and count <= most:
            key, position = _varint(view, position)
            count += 1
            kind = key & 7
            if kind == _VARINT:
                _, position = _varint(view, position)
            elif kind == _BYTES:
                length, position = _varint(view, position)
                if nested and key >> 3 == _NESTED:
                    count += _fields(view[position : position + length], most - count, nested=False)
                position += length
            else:
                position += _SIZES[kind]
    except (IndexError, KeyError):
        return count
    return count


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise IndexError(position)
