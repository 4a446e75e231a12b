"""How callers reach sidecars: the addresses that one setting holds, and the options of the channel to all of them.

Here because two clients share it that may not import each other: the one in PostgreSQL's own Python, and that of worker
and command line. Balancing, health checks, retries and keepalive are gRPC's own; this only turns them on.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

SERVICE_NAME = "pgduet.v1.EmbeddingService"
# Metadata, trailing where a call is answered once and initial in a stream: which of several sidecars it came from. gRPC
# does not tell a caller in Python.
SIDECAR_KEY = "x-sidecar"
# Whatever answers, an error stays short.
_NAME_CHARACTERS = 300

# A sidecar takes no larger message, so a larger one is never worth a second attempt. gRPC would keep 256 KiB.
_RETRIED_BYTES = 64 * 1024 * 1024
_AGAIN = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
_UNIX, _IPV4, _IPV6 = "unix", "ipv4", "ipv6"

Options = list[tuple[str, str | int]]


class AddressError(ValueError):
    """The setting cannot be used as it is; `hint` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def addresses(setting: str) -> list[str]:
    """Split a setting with addresses, separated by commas or spaces, into those that can be called one by one.

    Raises AddressError where a channel to all of them cannot be made.
    """
    found = _split(setting)
    if len(found) == 1:
        return found
    target(setting)
    return [f"{kind}:{place}" for kind, place in map(_place, found)]


def target(setting: str) -> str:
    """Return what gRPC resolves to all addresses of a setting: one address as it stands, or one of gRPC's own lists.

    gRPC has lists of unix sockets and lists of numeric TCP addresses, none of both and none of host names: raises
    AddressError for those.
    """
    found = _split(setting)
    if len(found) == 1:
        return found[0]
    places = [_place(one) for one in found]
    kinds = {kind for kind, _ in places}
    if kinds == {_IPV4, _IPV6}:
        # One list is of one kind; every IPv4 address has an IPv6 form.
        places = [(_IPV6, _mapped(place) if kind == _IPV4 else place) for kind, place in places]
    elif len(kinds) > 1:
        raise AddressError(
            f"unix sockets and TCP addresses in one list: {setting}",
            "let every sidecar listen on both (`pgduet serve --listen` twice), and name one kind",
        )
    return f"{places[0][0]}:{','.join(place for _, place in places)}"


def is_unix(address: str) -> bool:
    """Tell whether one address, as `addresses` gives it, is a unix socket: the mode of its file says who may call."""
    return address.startswith(f"{_UNIX}:")


def is_loopback(address: str) -> bool:
    """Tell whether nobody but this machine can listen in on one address, as `addresses` gives it."""
    if is_unix(address):
        return True
    host, _ = host_and_port(address)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_be_several(setting: str) -> bool:
    """Tell whether a setting may lead to several sidecars: a list, or a host name, which may have several addresses."""
    found = addresses(setting)
    if len(found) > 1 or is_loopback(found[0]):
        return len(found) > 1
    try:
        ipaddress.ip_address(host_and_port(found[0])[0])
    except ValueError:
        return True
    return False


def answered_by(metadata: Iterable[Any] | None) -> str:
    """Return the name of the sidecar that metadata of a call (pairs) came from, empty where none is told."""
    for key, value in metadata or ():
        if key == SIDECAR_KEY and isinstance(value, str) and value.isprintable():
            return value[:_NAME_CHARACTERS]
    return ""


def host_and_port(address: str) -> tuple[str, str]:
    """Split one TCP address, as `addresses` gives it, into host and port."""
    place = address.removeprefix("dns:").rpartition("/")[2].removeprefix(f"{_IPV4}:").removeprefix(f"{_IPV6}:")
    host, _, port = place.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), port


def options(*, embed_again: bool = True) -> Options:
    """Return the options of a channel that is balanced over all sidecars that are well.

    A call that a sidecar cannot take is made again, up to four times in all, by gRPC. Without `embed_again` a lost
    Embed is not: for callers that find out themselves whether its texts are what ends sidecars.
    """
    return [
        ("grpc.service_config", _service_config(embed_again)),
        ("grpc.per_rpc_retry_buffer_size", _RETRIED_BYTES),
        *direct_options(),
    ]


def direct_options() -> Options:
    """Return the options of a channel to one sidecar as it is, loading or ill, without a second attempt."""
    return [
        # A sidecar is a neighbour: a proxy named in the environment must never see source code.
        ("grpc.enable_http_proxy", 0),
        # A sidecar that comes back is found within a second or two: gRPC's own back-off grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # How long one attempt to connect may take: a busy sidecar is slow to shake hands.
        ("grpc.min_reconnect_backoff_ms", 5000),
        # One that hangs is noticed within 4 s, before the deadline of a single text (5 s) has passed. Without
        # ping_timeout_ms gRPC 1.85 waits a minute for the answer, whatever keepalive_timeout_ms says.
        ("grpc.keepalive_time_ms", 2000),
        ("grpc.keepalive_timeout_ms", 2000),
        ("grpc.http2.ping_timeout_ms", 2000),
        ("grpc.http2.max_pings_without_data", 0),
        # A session that asks nothing holds no connection and sends no pings after a minute or two.
        ("grpc.client_idle_timeout_ms", 60_000),
    ]


def _service_config(embed_again: bool) -> str:
    """Write the config by hand: the server's Python would load `json` for nothing else."""
    methods = [_method(f'{{"service": "{SERVICE_NAME}"}}', _AGAIN)]
    if not embed_again:
        names = (f'{{"service": "{SERVICE_NAME}", "method": "{method}"}}' for method in ("Embed", "EmbedStream"))
        methods.append(_method(", ".join(names), _AGAIN[1:]))
    return (
        '{"loadBalancingConfig": [{"round_robin": {}}], '
        f'"healthCheckConfig": {{"serviceName": "{SERVICE_NAME}"}}, '
        f'"methodConfig": [{", ".join(methods)}], '
        # In an outage of all, attempts beyond the first end after ten failures; each success is half a failure less.
        '"retryThrottling": {"maxTokens": 20, "tokenRatio": 0.5}}'
    )


def _method(name: str, again: tuple[str, ...]) -> str:
    codes = ", ".join(f'"{code}"' for code in again)
    return (
        f'{{"name": [{name}], "retryPolicy": {{"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", '
        f'"backoffMultiplier": 2, "retryableStatusCodes": [{codes}]}}}}'
    )


def _split(setting: str) -> list[str]:
    found = list(dict.fromkeys(setting.replace(",", " ").split()))
    if not found:
        raise AddressError("no address of a sidecar", "write host:port or unix:/path, several separated by commas")
    return found


def _place(address: str) -> tuple[str, str]:
    """Tell the kind of one address of a list, and what stands for it there."""
    if address.startswith("/"):
        return _UNIX, address
    kind, _, place = address.partition(":")
    if kind == _UNIX:
        return _UNIX, place.removeprefix("//")
    place = place if kind in (_IPV4, _IPV6) else address
    host, _, port = place.rpartition(":")
    try:
        number = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        if not 0 < int(port) < 65536 or (number.version == 6) != host.startswith("["):
            raise ValueError(port)
    except ValueError:
        raise AddressError(
            f"{address!r} cannot stand in a list of sidecars",
            "write numeric addresses with ports, such as 127.0.0.1:50517, or unix:/path; a host name stands alone and "
            "may have several addresses: dns:///sidecars:50517",
        ) from None
    return (_IPV6 if number.version == 6 else _IPV4), place


def _mapped(place: str) -> str:
    host, _, port = place.rpartition(":")
    return f"[::ffff:{host}]:{port}"
