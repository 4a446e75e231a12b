"""The part of PL/Python's `plpy` module that this package uses."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Plpy(Protocol):
    """PL/Python's database access module, as far as it is used here."""

    def prepare(self, query: str, argtypes: Sequence[str] = ...) -> Any:
        """Plan a query for later."""

    def execute(self, plan: Any, *args: Any) -> Any:
        """Run a query or a plan; also where the server acts on cancel, timeout and terminate."""

    @property
    def error(self) -> Callable[..., Any]:
        """Raise an SQL error: error(message, sqlstate=..., detail=..., hint=...)."""
