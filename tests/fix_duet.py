"""The duet `small` with its real weights, loaded once per test session."""

import pytest

from pgduet.encoding import Duet, load_duet
from pgduet.encoding.engines import Runtime
from pgduet.encoding.store.pull import pull


@pytest.fixture(scope="session")
def duet() -> Duet:
    """The loaded duet; it is pulled into the default model store if it is not there."""
    pull("small")
    return load_duet("small", threads=2, runtime=Runtime())
