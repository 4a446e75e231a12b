"""Whether a certificate and its key can be used now: what a failed handshake does not tell the side at fault."""

import time
from base64 import b64decode
from calendar import timegm
from collections.abc import Iterator

from pgduet.v1.credentials import CredentialsError, read_file

# One that ends within so many seconds is told of: renewing takes people who have other things to do.
SOON = 30 * 24 * 3600

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_SEQUENCE, _UTC_TIME = 0x30, 0x17
# [0] version, serial number, signature algorithm, issuer: they stand before the validity (RFC 5280, 4.1).
_VERSION_TAG, _BEFORE_VALIDITY = 0xA0, 3


def check_pair(certificate_file: str, key_file: str) -> float:
    """Return the time until which a certificate is valid, in seconds since 1970.

    Raises CredentialsError where it is expired or not valid yet, the key is another one's or open to others, or a file
    is none of either.
    """
    import ssl

    begins, ends = validity(certificate_file)
    read_file(key_file, private=True)
    try:
        # An empty password: a key that needs one must not be asked for on a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise CredentialsError(
            f"the certificate {certificate_file} and the key {key_file} cannot be used together: {reason}",
            "both are PEM files, the key without a password, and made for each other",
        ) from None
    now = time.time()
    if not begins <= now <= ends:
        state = f"has expired at {told(ends)}" if now > ends else f"is not valid before {told(begins)}"
        raise CredentialsError(f"the certificate {certificate_file} {state}", "put a valid one there; it is read anew")
    return ends


def validity(certificate_file: str) -> tuple[float, float]:
    """Return when the first certificate of a PEM file begins and ends to be valid, in seconds since 1970."""
    return next(validities(certificate_file))


def validities(certificate_file: str) -> Iterator[tuple[float, float]]:
    """Yield the same for every certificate of a PEM file, one at least; raises CredentialsError where it is no such."""
    bodies = read_file(certificate_file).split(_BEGIN)[1:] or [b""]
    for body in bodies:
        try:
            text, closed, _ = body.partition(_END)
            if not closed:
                raise ValueError("no certificate")
            yield read_validity(b64decode(text))
        except (ValueError, IndexError):
            raise CredentialsError(
                f"{certificate_file} is no certificate", "name a PEM file that begins with the certificate itself"
            ) from None


def read_validity(certificate: bytes) -> tuple[float, float]:
    """Return when a certificate in DER begins and ends to be valid; raises ValueError or IndexError for other bytes."""
    fields = _elements(_inside(_inside(certificate, _SEQUENCE), _SEQUENCE))
    dates = _elements(fields[_BEFORE_VALIDITY + (fields[0][0] == _VERSION_TAG)][1])
    begins, ends = (_seconds(tag, value) for tag, value in dates)
    return begins, ends


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """Split DER into tags and values, one level deep (X.690, 8.1)."""
    found = []
    while data:
        tag, length, start = data[0], data[1], 2
        if length > 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start])
        found.append((tag, data[start : start + length]))
        data = data[start + length :]
    return found


def _inside(data: bytes, tag: int) -> bytes:
    found, value = _elements(data)[0]
    if found != tag:
        raise ValueError(found)
    return value


def _seconds(tag: int, value: bytes) -> float:
    """Read a UTCTime or GeneralizedTime; the first has years from 1950 to 2049 in two digits."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = f"{'20' if text < '50' else '19'}{text}"
    return timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def told(seconds: float) -> str:
    """Write a time in seconds since 1970 for people."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
