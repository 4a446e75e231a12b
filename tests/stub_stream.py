"""What the stub of the sidecar answers a message of a stream with, as if it were a call of its own."""

import threading
import time
from collections.abc import Callable
from typing import Any

import grpc


class AbortedError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code


class MessageContext:
    """One request of a stream, as a call of its own looks to `Embed`."""

    def __init__(self, stream: grpc.ServicerContext, number: int, seconds: float) -> None:
        self.retry_after_ms = 0
        self._number = number
        self._stream = stream
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(code, details)

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Name the request as the sidecar does."""
        found = {key: str(value) for key, value in self._stream.invocation_metadata()}
        return (("x-request-id", f"{found.get('x-request-id', '')}.{self._number}"),)

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.retry_after_ms = int(dict(metadata).get("grpc-retry-pushback-ms", 0))

    def is_active(self) -> bool:
        return self._stream.is_active() and time.monotonic() < self._ends

    def add_callback(self, callback: Callable[[], None]) -> bool:
        timer = threading.Timer(self._seconds, callback)
        timer.daemon = True
        timer.start()
        return self._stream.add_callback(callback)
