"""Checks of certificates: whoever lets one end loses searches and vectors at that minute."""

import os
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pgduet.cli.checks.finding import Finding

if TYPE_CHECKING:
    from pgduet.v1.credentials import Credentials

_SECONDS = 5
_DAY = 24 * 3600
_HINT = "put a new one there at one stroke, the key first: it is read again; docs/security.md"
_SERVED = ("PGDUET_TLS_CERTIFICATE_FILE", "PGDUET_TLS_CLIENT_CA_FILE")


def check_certificates() -> Iterator[Finding]:
    """Check the certificates that this terminal's environment names, and those that its sidecars show."""
    from pgduet.client.embedding import sidecar_address, sidecar_credentials

    credentials = sidecar_credentials()
    certificate, authorities = (os.environ.get(name, "") for name in _SERVED)
    yield from check_files([certificate, credentials.certificate_file], [authorities, credentials.ca_file])
    yield from check_shown(sidecar_address(), credentials)


def check_files(certificates: Iterable[str], authorities: Iterable[str]) -> Iterator[Finding]:
    """Check files by what they are; those that cannot be read from here are left to whoever uses them.

    Of a file with certificates the first counts, of one with authorities that which lasts longest.
    """
    from pgduet.v1.certificates import validities, validity
    from pgduet.v1.credentials import CredentialsError

    named = [(path, False) for path in certificates] + [(path, True) for path in authorities]
    for path, is_authority in dict.fromkeys(named):
        if path and os.access(path, os.R_OK):
            try:
                ends = max(end for _, end in validities(path)) if is_authority else validity(path)[1]
                yield _judge(f"the {'authority' if is_authority else 'certificate'} in {path}", ends)
            except CredentialsError as error:
                yield Finding("certificate", "fail", str(error), error.hint)


def check_shown(setting: str, credentials: "Credentials") -> Iterator[Finding]:
    """Check the certificate that each sidecar of a setting shows, where TLS is spoken; who does not answer is left out.

    Nothing is sent but the handshake, so that nobody has to be trusted for it.
    """
    from pgduet.v1 import dialing
    from pgduet.v1.certificates import read_validity

    if not credentials.ca_file:
        return
    try:
        places = dialing.addresses(setting)
    except dialing.AddressError:
        return
    for address in places:
        if not dialing.is_unix(address):
            try:
                yield _judge(f"the certificate of the sidecar at {address}", read_validity(_shown(address))[1])
            except (OSError, ValueError, IndexError):
                continue


def _shown(address: str) -> bytes:
    """Return the certificate in DER that a sidecar shows."""
    from pgduet.v1.dialing import host_and_port

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Also one that nobody should trust any more has an end worth telling.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(host_and_port(address), _SECONDS) as line, context.wrap_socket(line) as secured:
        return secured.getpeercert(binary_form=True) or b""


def _judge(what: str, ends: float) -> Finding:
    from pgduet.v1.certificates import SOON, told

    left = ends - time.time()
    if left < 0:
        return Finding("certificate", "fail", f"{what} has ended at {told(ends)}", _HINT)
    detail = f"{what} ends at {told(ends)}, in {left / _DAY:.1f} days"
    return Finding("certificate", "warn" if left < SOON else "ok", detail, _HINT)
