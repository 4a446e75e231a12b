"""What one call needs to know: where the sidecar is, which vectors are wanted, and how long it may take."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pgduet.backend.plpy_types import Plpy
from pgduet.v1.credentials import Credentials

# One round trip for everything. Addresses and paths come from an admin-owned table and never from a session setting:
# any role can SET one. `statement` tells two statements of one session apart.
_QUERY = "SELECT * FROM pgduet._call_context"

# W3C Trace Context, version 00. What is not of this form is ignored, as the standard asks for.
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_plan: object = None


@dataclass(frozen=True, slots=True)
class CallContext:
    """Settings and state that hold for one call.

    `deadline` and `batch_deadline` are seconds for a call with one text and with many; `remaining` is what is
    left of the caller's statement_timeout in seconds, None without one. `request_id` names the calls made with this
    context in the sidecar's log; `traceparent` is the trace that the session asks them to be part of.
    """

    address: str
    deadline: float
    batch_deadline: float
    model: str
    fingerprint: str
    statement: float
    remaining: float | None
    traceparent: str | None = None
    credentials: Credentials = field(default_factory=Credentials)
    request_id: str = field(default_factory=lambda: os.urandom(8).hex())

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent along with every call."""
        named = (("x-request-id", self.request_id),)
        if self.traceparent is None or not _TRACEPARENT.fullmatch(self.traceparent):
            return named
        return (*named, ("traceparent", self.traceparent))

    def timeout(self, texts: int) -> tuple[float, bool]:
        """Return the seconds a call with so many texts may take, and whether statement_timeout set them."""
        limit = self.deadline if texts == 1 else self.batch_deadline
        # Nothing left means that the figure is wrong: PostgreSQL would have ended the statement.
        if self.remaining is not None and 0 < self.remaining < limit:
            return self.remaining, True
        return limit, False

    def within(self, seconds: float) -> "CallContext":
        """Return the same for a caller that waits so many seconds at most."""
        return replace(self, deadline=min(self.deadline, seconds), batch_deadline=min(self.batch_deadline, seconds))


def read_context(plpy: Plpy) -> CallContext:
    """Read the settings, the active generation and the time left, in one query."""
    global _plan
    if _plan is None:
        _plan = plpy.prepare(_QUERY)
    row = plpy.execute(_plan)[0]
    if row["model"] is None:
        plpy.error(
            "there is no active generation", sqlstate="55000", hint="Install one with `pgduet db migrate --model NAME`."
        )
    return CallContext(
        address=row["sidecar_address"],
        deadline=row["deadline_ms"] / 1000,
        batch_deadline=row["batch_deadline_ms"] / 1000,
        model=row["model"],
        fingerprint=row["fingerprint"] or "",
        statement=row["statement"],
        remaining=row["remaining"],
        # A schema that is not migrated yet knows none.
        traceparent=row.get("traceparent"),
        credentials=_credentials(row.get("sidecar_credentials") or ()),
    )


def _credentials(entries: Sequence[str]) -> Credentials:
    """Read the settings sidecar_ca_file and so on, which come as key=value."""
    found = dict(entry.removeprefix("sidecar_").split("=", 1) for entry in entries)
    return Credentials(**found) if found else Credentials()
