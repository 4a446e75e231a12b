"""What one check found."""

from dataclasses import dataclass
from typing import Literal

from pgduet.errors import PgduetError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """The state of one part, in one line, and how to mend it where it is not ok."""

    part: str
    state: State
    detail: str
    hint: str = ""


def failed(part: str, error: PgduetError) -> Finding:
    """Turn an error with a hint into a finding."""
    return Finding(part, "fail", str(error), error.hint)
