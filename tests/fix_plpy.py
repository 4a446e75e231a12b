"""A stand-in for PL/Python's `plpy`, so that the backend package is tested without a server."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest


class PlpyError(Exception):
    """What `plpy.error` raises, with the fields it was given."""

    def __init__(self, message: str, **fields: str) -> None:
        super().__init__(message)
        self.fields = fields


@dataclass
class FakePlpy:
    """Answers the context query with `context`; counts the interrupt checks; raises at the one in `cancel_at`."""

    context: dict[str, Any]
    checks: int = 0
    cancel_at: int | None = None
    plans: list[str] = field(default_factory=list)

    def prepare(self, query: str, argtypes: Any = ()) -> str:
        self.plans.append(query)
        return query

    def execute(self, plan: str, *_: Any) -> list[dict[str, Any]]:
        if "_call_context" in plan:
            return [self.context]
        self.checks += 1
        if self.checks == self.cancel_at:
            raise KeyboardInterrupt
        return [{"?column?": 1}]

    def error(self, message: str, **fields: str) -> NoReturn:
        raise PlpyError(message, **fields)


@pytest.fixture
def plpy() -> FakePlpy:
    return FakePlpy(
        {
            "sidecar_address": "unix:/nonexistent/sidecar.sock",
            "deadline_ms": 5000,
            "batch_deadline_ms": 120000,
            "model": "small",
            "fingerprint": None,
            "statement": 1.0,
            "remaining": None,
        }
    )
