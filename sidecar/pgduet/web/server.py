"""Serving the page until somebody has had enough."""

import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import FrameType

import uvicorn

from pgduet.database.reading import Readers
from pgduet.errors import PgduetError
from pgduet.web.app import make_app
from pgduet.web.guard import bracketed


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one. Raises PgduetError where that cannot be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise PgduetError(
            f"cannot listen on {bracketed(host)}:{port}: {error.strerror}",
            hint="name another with --port, or --port 0 for any that is free",
        ) from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address_of(listening: socket.socket) -> str:
    """Give the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{bracketed(host)}:{port}/"


def serve(
    readers: Readers, listening: socket.socket, hosts: Iterable[str] = (), ready: Callable[[], None] = lambda: None
) -> None:
    """Serve until SIGINT or SIGTERM; calls in flight are cancelled, and nothing stays behind.

    `ready` is called as soon as requests are answered.
    """
    config = uvicorn.Config(
        make_app(readers, hosts),
        log_level="warning",
        # Queries are nobody's business, and say nothing about the server.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws="none",
    )
    with _no_second_end():
        _Server(config, ready).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


@contextmanager
def _no_second_end() -> Iterator[None]:
    """Ignore the signal that uvicorn raises again once it has ended: all is done by then."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        return

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
