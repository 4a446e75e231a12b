"""Channels to sidecars: in the open on unix sockets, with TLS on TCP where the caller has a CA file."""

from collections.abc import Sequence

import grpc

from pgduet.v1 import dialing
from pgduet.v1.certificates import check_pair
from pgduet.v1.credentials import Credentials, CredentialsError, read_file

# gRPC's words for a handshake that failed, and what to do.
_HANDSHAKES = (
    ("certificate has expired", "the sidecar's certificate has expired: renew it"),
    ("Hostname Verification", "the sidecar's certificate holds another name than its address: set sidecar_server_name"),
    ("CERTIFICATE_VERIFY_FAILED", "no authority of the CA file has signed the sidecar's certificate"),
    ("WRONG_VERSION_NUMBER", "the sidecar speaks no TLS: give it a certificate, or name no CA file here"),
    ("create security handshaker", "the CA file, or certificate and key, hold nothing that can be used"),
)
_HUNG_UP = "last error: UNAVAILABLE"


def open_channel(setting: str, credentials: Credentials, options: dialing.Options) -> grpc.Channel:
    """Open a channel to all sidecars of a setting.

    Raises AddressError, and CredentialsError where files cannot be used or a token would go out in the open.
    """
    target, places = dialing.target(setting), dialing.addresses(setting)
    if all(map(dialing.is_unix, places)):
        return grpc.insecure_channel(target, options=options)
    if credentials.ca_file:
        return grpc.secure_channel(target, _tls(credentials), options=[*options, *_name(credentials, places)])
    if credentials.certificate_file or credentials.key_file:
        raise CredentialsError("a certificate of the caller's is of no use without TLS", "name a CA file too")
    if credentials.token_file and not all(map(dialing.is_loopback, places)):
        raise CredentialsError(
            f"a token is not sent to {setting}: everybody on the way could read it",
            "name the CA file of the sidecar's certificate, so that TLS is spoken",
        )
    return grpc.insecure_channel(target, options=options)


def handshake_hint(details: str, credentials: Credentials) -> str | None:
    """Say what is wrong with certificates where the details of a failed call tell of it, else None."""
    for words, hint in _HANDSHAKES:
        if words in details:
            return hint
    if _HUNG_UP not in details or "Socket closed" not in details:
        return None
    if not credentials.ca_file:
        return "the sidecar hung up: if it speaks TLS, name the CA file of its certificate"
    if not credentials.certificate_file:
        return "the sidecar hung up: if it asks for a certificate, name one of the caller's"
    try:
        check_pair(credentials.certificate_file, credentials.key_file)
    except CredentialsError as error:
        return f"{error}: {error.hint}"
    return "the sidecar hung up: it may not know the authority that signed the caller's certificate"


def _tls(credentials: Credentials) -> grpc.ChannelCredentials:
    if bool(credentials.certificate_file) != bool(credentials.key_file):
        raise CredentialsError("only one of certificate and key is named", "name both, or none")
    if not credentials.certificate_file:
        return grpc.ssl_channel_credentials(read_file(credentials.ca_file))
    return grpc.ssl_channel_credentials(
        read_file(credentials.ca_file),
        read_file(credentials.key_file, private=True),
        read_file(credentials.certificate_file),
    )


def _name(credentials: Credentials, places: Sequence[str]) -> dialing.Options:
    """Return the option that says which name certificates must hold; gRPC takes that of the address by itself."""
    if credentials.server_name:
        return [("grpc.default_authority", credentials.server_name)]
    if len(places) > 1:
        raise CredentialsError(
            "several sidecars with TLS need a name that all their certificates hold",
            "set sidecar_server_name to it; a DNS name for all of them, dns:///sidecars:50517, needs none",
        )
    return []
