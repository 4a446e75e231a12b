"""One gRPC channel per backend process, and calls that the server can interrupt."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

# The backend never forks, and gRPC's fork handlers cost time and threads; its logs belong to nobody here.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from pgduet.backend.plpy_types import Plpy
from pgduet.backend.settings import CallContext
from pgduet.v1 import dialing
from pgduet.v1.channels import open_channel
from pgduet.v1.credentials import Credentials, CredentialsError
from pgduet.v1.embedding_pb2_grpc import EmbeddingServiceStub

# How long a cancel, timeout or terminate may go unnoticed, in seconds.
_SLICE = 0.05
_MESSAGE_BYTES = 128 * 1024 * 1024

Metadata = tuple[tuple[str, str], ...]

_OPTIONS: dialing.Options = [
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
]


class _Call:
    """One blocking call, made by the caller thread; `finished` is released when there is an outcome."""

    def __init__(self, method: Callable[..., Any], request: object, timeout: float, metadata: Metadata) -> None:
        self._method, self._request, self._timeout, self._metadata = method, request, timeout, metadata
        self._result: Any = None
        self._error: BaseException | None = None
        self.finished = threading.Lock()
        self.finished.acquire()

    def make(self) -> None:
        try:
            self._result = self._method(self._request, timeout=self._timeout, metadata=self._metadata)
        except BaseException as error:  # raised again in the main thread, which waits for it
            self._error = error
        finally:
            self.finished.release()

    def outcome(self) -> Any:
        """Return the reply, or raise what the call ended with."""
        if self._error is not None:
            raise self._error
        return self._result


class _Connection:
    """A channel to all sidecars of a setting, and the thread that makes the blocking calls on it.

    A thread kept for the connection's life: gRPC's own futures start one for every call, which takes longer than the
    call. No signal may reach a thread that is started here: only the main thread runs PostgreSQL's handlers.
    """

    def __init__(self, address: str, credentials: Credentials, options: dialing.Options) -> None:
        self.key = _key(address, credentials)
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        with _signals_blocked():
            self._channel = open_channel(address, credentials, [*_OPTIONS, *options])
            threading.Thread(target=self._make_calls, name="pgduet calls", daemon=True).start()
        self.stub = EmbeddingServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def start(self, call: _Call) -> None:
        self._calls.put(call)

    def close(self) -> None:
        """Close the channel, which cancels a call in flight and tells the sidecar, and end the thread."""
        with _signals_blocked():
            self._calls.put(None)
            self._channel.close()

    def _make_calls(self) -> None:
        while (call := self._calls.get()) is not None:
            call.make()


_connection: _Connection | None = None
_interrupt_plan: Any = None


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _key(address: str, credentials: Credentials) -> tuple[Any, ...]:
    return os.getpid(), address, credentials, credentials.stamps()


def _connect(context: CallContext) -> _Connection:
    """Return this process's connection, made anew when the process, the settings or the files they name changed."""
    global _connection
    if _connection is None or _connection.key != _key(context.address, context.credentials):
        if _connection is not None and _connection.key[0] == os.getpid():
            _disconnect()
        _connection = _Connection(context.address, context.credentials, dialing.options())
    return _connection


def _disconnect() -> None:
    global _connection
    if _connection is not None:
        _connection.close()
        _connection = None


def let_interrupts_act(plpy: Plpy, seconds: float) -> None:
    """Give PostgreSQL time to act on a cancel or timeout that is due: it does so inside this call, or it has none."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        plpy.execute("SELECT 1")
        time.sleep(0.005)


def call(plpy: Plpy, context: CallContext, method: str, request: object, timeout: float) -> Any:
    """Call one method of one of the sidecars with a deadline in seconds, in a way that the server can interrupt.

    Raises grpc.RpcError as the call ends. A cancel, timeout or terminate of the statement surfaces here within
    50 ms from the query between two waits; whatever ends the wait, the sidecar is told to drop the work. Attempts that
    gRPC makes beyond the first share the deadline.
    """
    with _bad_settings_told(plpy):
        connection, metadata = _connect(context), _metadata(context)
    started = _Call(getattr(connection.stub, method), request, timeout, metadata)
    answered = False
    try:
        _make(plpy, connection, started)
        answered = True
    finally:
        if not answered:
            _disconnect()
    return started.outcome()


def ask_one(plpy: Plpy, context: CallContext, address: str, method: str, request: object, timeout: float) -> Any:
    """Call one method of one sidecar as `call` does, on a connection for this call alone: loading or ill, it is asked.

    Raises grpc.RpcError as the call ends, and CredentialsError where files cannot be used.
    """
    metadata = _metadata(context)
    connection = _Connection(address, context.credentials, dialing.direct_options())
    started = _Call(getattr(connection.stub, method), request, timeout, metadata)
    try:
        _make(plpy, connection, started)
    finally:
        connection.close()
    return started.outcome()


def addresses(plpy: Plpy, setting: str) -> list[str]:
    """Split the setting into the addresses of single sidecars; raises 22023 where it cannot be used."""
    with _bad_settings_told(plpy):
        return dialing.addresses(setting)


def _metadata(context: CallContext) -> Metadata:
    return (*context.metadata, *context.credentials.authorization())


@contextmanager
def _bad_settings_told(plpy: Plpy) -> Iterator[None]:
    try:
        yield
    except CredentialsError as error:
        hint = f"{error.hint[0].upper()}{error.hint[1:]}. The settings sidecar_ca_file, sidecar_certificate_file, "
        hint += "sidecar_key_file, sidecar_token_file and sidecar_server_name are changed by `pgduet db set`."
        plpy.error(f"the embedding sidecar is not called: {error}", sqlstate="58030", hint=hint)
    except dialing.AddressError as error:
        message = f"the setting sidecar_address cannot be used: {error}"
        hint = f"{error.hint[0].upper()}{error.hint[1:]}. Change it by `pgduet db set sidecar_address ADDRESS`."
        plpy.error(message, sqlstate="22023", hint=hint)


def _make(plpy: Plpy, connection: _Connection, started: _Call) -> None:
    """Wait until the call has ended; a cancel, timeout or terminate of the statement surfaces from the query."""
    global _interrupt_plan
    if _interrupt_plan is None:
        _interrupt_plan = plpy.prepare("SELECT 1")
    connection.start(started)
    while not started.finished.acquire(timeout=_SLICE):
        plpy.execute(_interrupt_plan)
