"""From gRPC statuses to SQLSTATEs, messages and hints: the one table."""

from typing import NamedTuple

import grpc

from pgduet.backend.plpy_types import Plpy
from pgduet.backend.settings import CallContext
from pgduet.v1.channels import handshake_hint
from pgduet.v1.dialing import answered_by


class _Mapping(NamedTuple):
    sqlstate: str
    hint: str


_DOCTOR = "`pgduet doctor` checks every part."

# Class 58 and not 08 for a sidecar that is away: pools drop their database connections on any 08.
_MAPPINGS = {
    grpc.StatusCode.UNAVAILABLE: _Mapping(
        "58030",
        f"Is a sidecar up and ready? Start one with `pgduet serve`; the address is in pgduet._setting. {_DOCTOR}",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: _Mapping(
        "58030", "The sidecar is busy or hangs. Raise deadline_ms or batch_deadline_ms with `pgduet db set`."
    ),
    grpc.StatusCode.INVALID_ARGUMENT: _Mapping("22023", "See the limits in the message."),
    grpc.StatusCode.NOT_FOUND: _Mapping(
        "42704", "Start the sidecar with the model of the active generation: `pgduet serve --model NAME`."
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: _Mapping("53000", "The sidecar has too much work queued: try again later."),
    grpc.StatusCode.UNAUTHENTICATED: _Mapping(
        "28000", f"The first token of sidecar_token_file has to be one of the sidecar's PGDUET_TOKEN_FILE. {_DOCTOR}"
    ),
    grpc.StatusCode.PERMISSION_DENIED: _Mapping("42501", "The sidecar refuses this server's credentials."),
    grpc.StatusCode.FAILED_PRECONDITION: _Mapping(
        "55000", f"The sidecar runs another version of the model than the active generation was made with. {_DOCTOR}"
    ),
}
_OTHER = _Mapping("58000", f"The sidecar's log says more. {_DOCTOR}")


def told_by(context: CallContext) -> str:
    """Say by which words the sidecar's log tells of a call."""
    return f"request_id {context.request_id}, which the sidecar's log has too if the call came that far"


def raise_rpc_error(plpy: Plpy, error: grpc.RpcError, context: CallContext, *, seconds: float) -> None:
    """Raise the SQL error for a failed call to the sidecar with a deadline of so many seconds."""
    address = context.address
    status, details = error.code(), error.details() or "no reason given"
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
        raise_bad_value(plpy, "the text is larger than one message to the sidecar may be", "Cut it into chunks.")
    mapping = _MAPPINGS.get(status, _OTHER)
    if status is grpc.StatusCode.UNAVAILABLE:
        what = f"the embedding sidecar at {address} cannot be reached: {details}"
    elif status is grpc.StatusCode.DEADLINE_EXCEEDED:
        what = f"the embedding sidecar at {address} did not answer within {seconds:.3g} s"
    else:
        what = f"the embedding sidecar at {address} refused: {details}"
    hint = handshake_hint(details, context.credentials) if status is grpc.StatusCode.UNAVAILABLE else None
    hint = f"{hint[0].upper()}{hint[1:]}. {_DOCTOR}" if hint else mapping.hint
    by = answered_by(error.trailing_metadata())
    detail = f"{told_by(context)}; answered by {by}" if by else told_by(context)
    plpy.error(what, sqlstate=mapping.sqlstate, detail=detail, hint=hint)


def raise_bad_value(plpy: Plpy, message: str, hint: str) -> None:
    """Raise the SQL error for an argument that cannot be used (22023)."""
    plpy.error(message, sqlstate="22023", hint=hint)
