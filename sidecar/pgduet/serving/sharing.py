"""Equal texts in flight: computed once, however many requests want them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pgduet.encoding import Part, Role
from pgduet.serving.work import Work

# Of one duet: its fingerprint need not stand here.
TextKey = tuple[Role, Part, str]


class Sharing:
    """Know the works that requests of one duet wait for. Not thread-safe: the event loop owns it."""

    def __init__(self) -> None:
        self._works: dict[TextKey, Work] = {}
        self._users: dict[TextKey, int] = {}

    def __len__(self) -> int:
        return len(self._works)

    def find(self, key: TextKey) -> Work | None:
        """Return the work of a text that some request waits for."""
        return self._works.get(key)

    @contextmanager
    def using(self, works: Mapping[TextKey, Work]) -> Iterator[None]:
        """Let others find these works until the last request that uses one has ended."""
        for key, work in works.items():
            self._works.setdefault(key, work)
            self._users[key] = self._users.get(key, 0) + 1
        try:
            yield
        finally:
            for key in works:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._works[key], self._users[key]
