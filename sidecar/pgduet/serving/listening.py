"""Where the sidecar listens: unix sockets with mode and group, or TCP."""

import grp
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc.aio
import structlog

from pgduet.errors import PgduetError
from pgduet.serving.securing import server_credentials
from pgduet.serving.settings import Settings
from pgduet.v1.dialing import is_loopback

# sun_path has 108 bytes, one of them for the end of the string (unix(7)).
MAX_PATH_BYTES = 107

_log = structlog.stdlib.get_logger("pgduet.serving.listening")


def bind(server: grpc.aio.Server, settings: Settings) -> list[str]:
    """Bind every address before the server starts; return them as bound (with the port where 0 was asked).

    Raises PgduetError where an address is taken, malformed or forbidden.
    """
    credentials = server_credentials(settings)
    return [_bind_one(server, address, settings, credentials) for address in settings.listen]


def name(addresses: Sequence[str]) -> str:
    """Name a sidecar by its machine and where it listens, in printable ASCII as metadata of gRPC has to be."""
    told = f"{socket.gethostname()} at {', '.join(addresses)}"
    return "".join(letter if " " <= letter <= "~" else "?" for letter in told)


def _bind_one(
    server: grpc.aio.Server, address: str, settings: Settings, credentials: grpc.ServerCredentials | None
) -> str:
    path = socket_path(address)
    if path is None:
        _refuse_openness(address, settings)
        port = _add(server, address, credentials)
        return f"{address.rpartition(':')[0]}:{port}"
    _make_room(path)
    # gRPC accepts only once the server starts; until then nobody but the owner can even queue up.
    with _umask(0o177):
        _add(server, f"unix:{path}")
    _hand_over(path, settings)
    return f"unix:{path}"


def socket_path(address: str) -> Path | None:
    """Return the path of a `unix:` address, None for `host:port`; raises PgduetError for anything else."""
    if address.startswith("unix:"):
        path = Path(
            address.removeprefix("unix:").replace("//", "", 1) if address.startswith("unix://") else address[5:]
        )
        if len(os.fsencode(path.absolute())) > MAX_PATH_BYTES:
            raise PgduetError(
                f"the socket path {path} is longer than {MAX_PATH_BYTES} bytes",
                hint="choose a shorter path, such as /run/pgduet/sidecar.sock",
            )
        return path
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise PgduetError(
            f"{address!r} is no address to listen on",
            hint="write unix:/path/to/socket or host:port, such as 127.0.0.1:50517",
        )
    return None


def _refuse_openness(address: str, settings: Settings) -> None:
    """Let other machines in only where they are known and nobody on the way can read, or where that was asked for.

    Refused and not only warned of: source code goes over this line, and nobody reads the log of what works.
    """
    is_private = settings.tls_certificate_file is not None
    is_known = settings.token_file is not None or settings.tls_client_ca_file is not None
    if is_loopback(address) or (is_private and is_known):
        return
    lacks = "reads along or calls" if not is_private and not is_known else "calls" if is_private else "reads along"
    if not settings.insecure:
        raise PgduetError(
            f"{address} is open to other machines, and nothing keeps away who {lacks}",
            hint="set PGDUET_TLS_CERTIFICATE_FILE, PGDUET_TLS_KEY_FILE and PGDUET_TOKEN_FILE (or "
            "PGDUET_TLS_CLIENT_CA_FILE); --insecure where a network or proxy of yours keeps them away",
        )
    _log.warning(f"nothing keeps away who {lacks}, and may embed, load and unload", address=address)


def _add(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
    try:
        if credentials is not None:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise PgduetError(
            f"cannot listen on {address}: it is in use, or this machine has no such address",
            hint="see who listens there (ss -lntp), end that process, or choose another --listen",
        ) from error


def _make_room(path: Path) -> None:
    """Remove the socket file of a process that is gone; gRPC itself would push a live one aside."""
    if not path.parent.is_dir():
        raise PgduetError(f"the folder {path.parent} for the socket does not exist", hint=f"mkdir -p {path.parent}")
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise PgduetError(f"{path} is there already and is not a socket", hint="choose another --listen")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PgduetError(
                f"cannot tell whether the socket {path} is in use: {error.strerror or error}",
                hint="run as the user who owns it, or choose another --listen",
            ) from error
        else:
            raise PgduetError(
                f"another server is listening on {path}", hint="end that process, or choose another --listen"
            )


def _hand_over(path: Path, settings: Settings) -> None:
    try:
        if settings.socket_group:
            os.chown(path, -1, grp.getgrnam(settings.socket_group).gr_gid)
        path.chmod(settings.socket_mode)
    except KeyError:
        raise PgduetError(
            f"there is no group {settings.socket_group!r}", hint="set PGDUET_SOCKET_GROUP to a group of this machine"
        ) from None
    except PermissionError as error:
        raise PgduetError(
            f"cannot give {path} to the group {settings.socket_group}: {error.strerror}",
            hint="run as a member of that group",
        ) from error


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
