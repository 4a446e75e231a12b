"""What can go wrong between a caller and the sidecar, as errors that a person can mend."""

from collections.abc import Callable

import grpc

from pgduet.errors import PgduetError
from pgduet.v1.channels import handshake_hint
from pgduet.v1.credentials import Credentials
from pgduet.v1.dialing import answered_by

PUSHBACK_KEY = "grpc-retry-pushback-ms"


class SidecarError(PgduetError):
    """The sidecar gave no usable answer; `code` is the gRPC status, `retry_after` seconds where it named some.

    `request_id` names the call in the sidecar's log. It is no part of the message: equal failures read alike.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def told(self) -> str:
        """Give the message, and behind it the request id in brackets."""
        return f"{self} [request_id {self.request_id}]" if self.request_id else str(self)


class SidecarUnavailableError(SidecarError):
    """Nobody listens, the model is still loading, or no answer came within the deadline: an outage, try later."""


class SidecarBusyError(SidecarError):
    """Too much work is queued: try again after `retry_after` seconds."""


class RequestRefusedError(SidecarError):
    """The request itself cannot be answered as it is: over a limit, unknown model, other fingerprint."""


class BadReplyError(SidecarError):
    """The reply contradicts the request or itself, so nothing of it may be stored."""


_OUTAGE_HINT = (
    "start it with `pgduet serve`, or set PGDUET_SIDECAR to where it listens; "
    "one that still loads its model is not asked"
)
_HINTS: dict[grpc.StatusCode, tuple[type[SidecarError], str]] = {
    grpc.StatusCode.UNAVAILABLE: (SidecarUnavailableError, _OUTAGE_HINT),
    grpc.StatusCode.DEADLINE_EXCEEDED: (SidecarUnavailableError, "send fewer or shorter texts, or allow more time"),
    grpc.StatusCode.CANCELLED: (SidecarUnavailableError, "the sidecar is stopping; try again"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (SidecarBusyError, "try again later, or start another sidecar"),
    grpc.StatusCode.INVALID_ARGUMENT: (RequestRefusedError, "send fewer or shorter texts; `list_models` tells limits"),
    grpc.StatusCode.NOT_FOUND: (RequestRefusedError, "name a model that the sidecar serves, or serve this one"),
    grpc.StatusCode.FAILED_PRECONDITION: (
        RequestRefusedError,
        "point PGDUET_SIDECAR at a sidecar with the same model version, or build a new generation",
    ),
    grpc.StatusCode.UNAUTHENTICATED: (
        SidecarError,
        "the first token of PGDUET_SIDECAR_TOKEN_FILE has to be one of those in the sidecar's PGDUET_TOKEN_FILE",
    ),
    grpc.StatusCode.UNIMPLEMENTED: (RequestRefusedError, "another program or an older sidecar answers at this address"),
}
# For calls that load and unload models: the sidecar's own words say what to do about most of these.
_MODEL_HINTS: dict[grpc.StatusCode, tuple[type[SidecarError], str]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: (SidecarUnavailableError, "it goes on: ask again, and allow more time"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (RequestRefusedError, "`pgduet doctor` tells what is served"),
    grpc.StatusCode.INVALID_ARGUMENT: (RequestRefusedError, "`pgduet models list` tells the names"),
    grpc.StatusCode.NOT_FOUND: (
        RequestRefusedError,
        "the sidecar may have another model store (PGDUET_MODELS_DIR) than this terminal; `pgduet doctor` tells what "
        "is served",
    ),
    grpc.StatusCode.FAILED_PRECONDITION: (RequestRefusedError, "the models that were served before still are"),
}


def from_rpc_error(
    error: grpc.RpcError,
    place: Callable[[str], str],
    request_id: str,
    credentials: Credentials,
    *,
    about_models: bool = False,
) -> SidecarError:
    """Translate a failed call into the error class, message and hint for its status.

    `place` says who was called, given the name that the sidecar told or none. `credentials` are those that the call was
    made with; `about_models` marks a call that loads or unloads one.
    """
    if not isinstance(error, grpc.Call):
        return SidecarError(f"the call to the sidecar {place('')} failed: {error}")
    code = error.code()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or ""):
        # gRPC's word for a message over its limit: no overload, and never any better.
        code = grpc.StatusCode.INVALID_ARGUMENT
    details = error.details() or ""
    told = answered_by(error.trailing_metadata()) or answered_by(error.initial_metadata())
    made = sidecar_error(code, details, place(told), _retry_after(error), request_id, about_models=about_models)
    if code is grpc.StatusCode.UNAVAILABLE:
        made.hint = handshake_hint(details, credentials) or made.hint
    return made


def sidecar_error(
    code: grpc.StatusCode,
    details: str,
    place: str,
    retry_after: float | None = None,
    request_id: str = "",
    *,
    about_models: bool = False,
) -> SidecarError:
    """Make the error of the class, message and hint for a status; `place` says who was called."""
    hints = _HINTS | _MODEL_HINTS if about_models else _HINTS
    kind, hint = hints.get(code, (SidecarError, "see the sidecar's log"))
    message = f"the sidecar {place} answered {code.name}: {details}"
    return kind(message, hint=hint, code=code, retry_after=retry_after, request_id=request_id)


def _retry_after(error: grpc.Call) -> float | None:
    for key, value in error.trailing_metadata() or ():
        text = value if isinstance(value, str) else value.decode("ascii", "replace")
        if key == PUSHBACK_KEY and text.isdigit():
            return int(text) / 1000
    return None
