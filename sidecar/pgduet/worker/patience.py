"""How long a single pass bears with a sidecar that has too much to do."""

import grpc

from pgduet.client import SidecarBusyError, SidecarError

# From 256 texts to one it is eight halvings, and that one may be late once more.
_MOST = 10


class Patience:
    """Tell an overload, which passes, from an outage; for one lane."""

    def __init__(self) -> None:
        self._times = 0

    def bears(self, error: SidecarError) -> bool:
        """Tell whether to go on after this error: busy or late, and not yet too often in a row."""
        if not (isinstance(error, SidecarBusyError) or error.code is grpc.StatusCode.DEADLINE_EXCEEDED):
            return False
        self._times += 1
        return self._times <= _MOST

    def renew(self) -> None:
        """Note that something was done."""
        self._times = 0
