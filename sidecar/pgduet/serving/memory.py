"""What the weights of the loaded duets take, and which of them was used longest ago."""

from collections.abc import Iterator


class Memory:
    """Bytes of weights by duet. Not thread-safe: the event loop owns it.

    Without a limit (`most` of 0) no duet leaves by itself.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        # Whose last use is longest ago stands first.
        self._taken: dict[str, int] = {}

    def hold(self, name: str, size: int) -> None:
        """Count a duet's weights, from when it begins to load."""
        self._taken[name] = size

    def free(self, name: str) -> None:
        """Count them no more."""
        self._taken.pop(name, None)

    def use(self, name: str) -> None:
        """Note that a duet is used now."""
        if name in self._taken:
            self._taken[name] = self._taken.pop(name)

    def lacks(self, size: int) -> bool:
        """Tell whether so many bytes more would be too many."""
        return bool(self.most) and sum(self._taken.values()) + size > self.most

    def longest_unused(self) -> Iterator[str]:
        """Give the duets, that used longest ago first."""
        yield from tuple(self._taken)

    def __str__(self) -> str:
        """Say what is taken, in MB."""
        return ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in self._taken.items()) or "nothing"
