"""What mining is asked for, and what it tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from pgduet.training.errors import DataError

Kind = Literal["docstring", "symbol", "cosine"]
Side = Literal["train", "dev", "test"]
SIDES: tuple[Side, ...] = get_args(Side)

# Called with what is being done, how many chunks are done, and of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """How to mine: at most `most` chunks are looked at, `least` training triplets are needed.

    The same `seed` on the same rows gives the same triplets. Each triplet gets up to `hard` near negatives and
    `random` drawn ones. With `dry_run` nothing is written. Raises DataError for numbers that cannot be.
    """

    most: int = 20_000
    seed: int = 0
    least: int = 200
    hard: int = 2
    random: int = 1
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.most < 1 or self.least < 0 or self.hard < 0 or self.random < 0 or self.hard + self.random < 1:
            raise DataError(
                "mining needs at least one chunk to look at and one negative a triplet",
                hint="leave the numbers out for the defaults: 20,000 chunks, 2 hard negatives and 1 random one",
            )


def silent(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""
