"""Who may call: TLS with certificates that are read anew when they change, and tokens in a file."""

import time
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME

from pgduet.errors import PgduetError
from pgduet.serving.calls import Calls, Context, Refusal, refuse
from pgduet.serving.settings import Settings
from pgduet.v1.certificates import SOON, check_pair
from pgduet.v1.credentials import CredentialsError, Stamp, read_file, read_tokens, stamp

_DAY = 24 * 3600

_log = structlog.stdlib.get_logger("pgduet.serving.securing")

Reader = Callable[[], Any]


class Watched:
    """What was read from files, read again when one of them has changed; kept while that cannot be used."""

    def __init__(self, paths: tuple[str, ...], read: Reader) -> None:
        self._paths, self._read = paths, read
        try:
            self._stamps = self._look()
            self.value = read()
        except CredentialsError as error:
            raise PgduetError(str(error), hint=error.hint) from error

    def current(self) -> Any:
        """Return what the files hold now, or held last; a fault is logged once."""
        try:
            stamps: tuple[Stamp, ...] | None = self._look()
        except CredentialsError:
            stamps = None
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self.value = self._read()
                _log.info("read anew", files=self._paths)
            except CredentialsError as error:
                _log.error("what was read before is kept", reason=str(error), hint=error.hint, files=self._paths)
        return self.value

    def _look(self) -> tuple[Stamp, ...] | None:
        return tuple(stamp(path) for path in self._paths)


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Return what TLS is spoken with, None where no certificate is named.

    gRPC asks for the certificate with every connection: a new one holds for those that come then. Raises PgduetError
    where files cannot be used.
    """
    certificate, key, authority = (
        str(path or "") for path in (settings.tls_certificate_file, settings.tls_key_file, settings.tls_client_ca_file)
    )
    if not certificate and not key and not authority:
        return None
    if not certificate or not key:
        raise PgduetError(
            "TLS needs a certificate and its key", hint="set PGDUET_TLS_CERTIFICATE_FILE and PGDUET_TLS_KEY_FILE"
        )

    def read() -> grpc.ServerCertificateConfiguration:
        days = (check_pair(certificate, key) - time.time()) / _DAY
        tell = _log.warning if days * _DAY < SOON else _log.info
        tell("certificate", file=certificate, valid_days=round(days, 1))
        return grpc.ssl_server_certificate_configuration(
            [(read_file(key, private=True), read_file(certificate))],
            root_certificates=read_file(authority) if authority else None,
        )

    watched = Watched(tuple(path for path in (certificate, key, authority) if path), read)
    return grpc.dynamic_ssl_server_credentials(watched.value, watched.current, bool(authority))


class TokenCheck(grpc.aio.ServerInterceptor):
    """Let no call through without one of the tokens in a file, but health checks; several tokens hold at a time."""

    def __init__(self, path: Path, calls: Calls) -> None:
        self._watched = Watched((str(path),), lambda: [_digest(token) for token in read_tokens(str(path))])
        self._calls = calls

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Give the handler of a call, or one that refuses it before anything of it is read."""
        if details.method.startswith(f"/{HEALTH_NAME}/"):
            return await continuation(details)
        token = _token(details.invocation_metadata)
        if token is not None and self._is_known(token):
            return await continuation(details)
        known = "missing" if token is None else "none of the sidecar's"
        refusal = Refusal(grpc.StatusCode.UNAUTHENTICATED, f"the bearer token is {known}")

        async def turn_away(_: object, context: Context) -> None:
            # Who is not known learns nothing.
            await self._calls.run("unauthenticated", context, {"peer": context.peer()}, refuse(refusal), signed=False)

        # Whatever the method is: this kind does not wait for a message.
        return grpc.stream_stream_rpc_method_handler(turn_away)

    def _is_known(self, token: str) -> bool:
        digest = _digest(token)
        # All are compared, whichever it is: how long that takes tells nothing.
        return sum(compare_digest(digest, one) for one in self._watched.current()) > 0


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _token(metadata: Any) -> str | None:
    """Return the bearer token of a call (RFC 6750, 2.1)."""
    for key, value in metadata or ():
        if key == "authorization" and isinstance(value, str) and value[:7].lower() == "bearer ":
            return value[7:].strip()
    return None
