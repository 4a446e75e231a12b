"""What callers and sidecars prove themselves by: files of certificates and tokens, read again when they change.

Here because three rooms share it that may not import each other: the backend, the client and the sidecar. No message
holds anything that stood in a file.
"""

import os
import pwd
import re
import stat
from dataclasses import dataclass

# Far more than any chain of certificates; whatever is larger is another file.
_MOST_BYTES = 1024 * 1024
# What RFC 6750 lets a bearer token be, and long enough that nobody guesses it.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,1024}=*", re.ASCII)
_FORM = (
    "write one token a line, at least 16 letters, digits and -._~+/ such as `openssl rand -base64 32` gives; empty "
    "lines and those that begin with # do not count"
)

Stamp = tuple[int, ...]


class CredentialsError(ValueError):
    """A file cannot be used as it is, or files do not fit each other; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Credentials:
    """A caller's files, "" where it has none; TLS is spoken on TCP where there is a CA file.

    `server_name` is the name that sidecars' certificates must hold where it is not that of the address.
    """

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    token_file: str = ""
    server_name: str = ""

    def stamps(self) -> tuple[Stamp, ...]:
        """Return what differs once a file that a connection is made with has changed."""
        return tuple(stamp(path) for path in (self.ca_file, self.certificate_file, self.key_file) if path)

    def authorization(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata that tells a sidecar the first token of the file, as the file is now.

        Raises CredentialsError where it cannot be read, is open to others, or holds no token.
        """
        if not self.token_file:
            return ()
        return (("authorization", f"Bearer {_first_token(self.token_file)}"),)


# A backend and a worker ask before each call; the file seldom changes.
_last_token: tuple[str, Stamp, str] | None = None


def _first_token(path: str) -> str:
    global _last_token
    found = stamp(path)
    last = _last_token
    if last is None or last[:2] != (path, found):
        _last_token = last = (path, found, read_tokens(path)[0])
    return last[2]


def stamp(path: str) -> Stamp:
    """Return what differs once a file was written, replaced or given to others; raises CredentialsError."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_tokens(path: str) -> list[str]:
    """Return the tokens of a file, one a line; raises CredentialsError where it is no such file or open to others."""
    try:
        lines = [line.strip() for line in read_file(path, private=True).decode("ascii").splitlines()]
    except UnicodeDecodeError:
        raise CredentialsError(f"{path} is no file of tokens", _FORM) from None
    tokens = [line for line in lines if line and not line.startswith("#")]
    if not tokens or not all(_TOKEN.fullmatch(token) for token in tokens):
        raise CredentialsError(f"{path} holds {'a line that is no token' if tokens else 'no token'}", _FORM)
    return tokens


def read_file(path: str, *, private: bool = False) -> bytes:
    """Return what a file holds; raises CredentialsError where it cannot be read or, if private, is open to others."""
    try:
        # Nothing to wait for: a pipe without a writer would hold a session for good.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            raise CredentialsError(f"{path} is no file of certificates, keys or tokens", "name another file")
        if private and _is_open_to_others(found):
            raise CredentialsError(
                f"{path} can be read by more than its owner (mode {stat.S_IMODE(found.st_mode):04o})",
                f"chmod 600 {path} and replace what others may have read",
            )
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _is_open_to_others(found: os.stat_result) -> bool:
    """Judge as PostgreSQL does for its own key: a file of root's may be readable for a group that root chose."""
    allowed = 0o740 if found.st_uid == 0 != os.geteuid() else 0o700
    return bool(stat.S_IMODE(found.st_mode) & ~allowed)


def _unreadable(path: str, error: OSError) -> CredentialsError:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return CredentialsError(
        f"{path} cannot be read: {error.strerror}", f"it has to be there and readable for the user {user}"
    )
