"""One gRPC channel per backend process, and calls that the server can interrupt."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# The backend never forks, and gRPC's fork handlers cost time and threads; its logs belong to nobody here.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc

from pgduet.backend.plpy_types import Plpy
from pgduet.v1.embedding_pb2_grpc import EmbeddingServiceStub

# How long a cancel, timeout or terminate may go unnoticed, in seconds.
_SLICE = 0.05
_MESSAGE_BYTES = 128 * 1024 * 1024

_OPTIONS = [
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    # A sidecar that comes back is found within a second or two: gRPC's own back-off grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # The server's environment must not send code through a web proxy.
    ("grpc.enable_http_proxy", 0),
]

_channel: grpc.Channel | None = None
_stub: EmbeddingServiceStub | None = None
_channel_key: tuple[int, str] | None = None
_interrupt_plan: Any = None


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Keep the server's signals away from threads started inside: only the main thread may handle them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def get_stub(address: str) -> EmbeddingServiceStub:
    """Return the stub on this process's channel, made anew when the process or the address changed."""
    global _channel, _channel_key, _stub
    key = (os.getpid(), address)
    if _stub is None or _channel_key != key:
        if _channel is not None and _channel_key is not None and _channel_key[0] == key[0]:
            _channel.close()
        with _signals_blocked():
            _channel = grpc.insecure_channel(address, options=_OPTIONS)
        _stub = EmbeddingServiceStub(_channel)  # type: ignore[no-untyped-call]
        _channel_key = key
    return _stub


def call(plpy: Plpy, method: Callable[..., Any], request: object, timeout: float) -> Any:
    """Call one unary method with a deadline in seconds, in a way that the server can interrupt.

    Raises grpc.RpcError as the call ends. A cancel, timeout or terminate of the statement surfaces here within
    50 ms from the query between two waits; whatever ends the wait, the sidecar is told to drop the work.
    """
    global _interrupt_plan
    if _interrupt_plan is None:
        _interrupt_plan = plpy.prepare("SELECT 1")
    done = threading.Event()
    with _signals_blocked():
        future = method(request, timeout=timeout)
        future.add_done_callback(lambda _: done.set())
    try:
        while not done.wait(_SLICE):
            plpy.execute(_interrupt_plan)
        return future.result()
    finally:
        future.cancel()
