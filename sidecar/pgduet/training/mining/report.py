"""What a run found, and why it found no more."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from pgduet.training.errors import DataError
from pgduet.training.mining.thresholds import Threshold


class TooFewError(DataError):
    """The table does not give enough triplets to learn from."""


@dataclass
class Report:
    """What one run of mining looked at, found and turned down.

    `chunks` is the number of all chunks, `embedded` of those with a current vector, `looked_at` of those that gave
    anchors. `triplets` counts by kind and side, `negatives` by kind, `rejected` by reason. `mining_id` is None where
    nothing was written.
    """

    generation_id: int
    chunks: int
    embedded: int
    looked_at: int = 0
    thresholds: tuple[Threshold, ...] = ()
    split_by: str = "repo"
    groups: int = 0
    joined: int = 0
    left_out: int = 0
    triplets: dict[str, dict[str, int]] = field(default_factory=dict)
    negatives: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    mining_id: int | None = None

    def on_side(self, side: str) -> int:
        """Count the triplets of a side."""
        return sum(sides[side] for sides in self.triplets.values())

    def as_json(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self) | {"negatives": dict(self.negatives), "rejected": dict(self.rejected)}

    def require(self, least: int) -> None:
        """Raise TooFewError, saying what is lacking, where there are fewer training triplets than `least`."""
        found = self.on_side("train")
        if found >= least:
            return
        if self.embedded < self.chunks / 2:
            hint = "wait until the vectors are there: SELECT * FROM pgduet.coverage; is a worker running?"
        elif self.looked_at < 2:
            hint = "ingest more code: pgduet ingest PATH; chunks of nothing but comments do not count"
        else:
            kinds = ", ".join(f"{sum(sides.values())} by {kind}" for kind, sides in self.triplets.items())
            hint = (
                f"all sides together have {kinds}; ingest more code with docstrings or comments, or of more "
                "repositories, look at more of it (--most), or ask for fewer (--least)"
            )
        raise TooFewError(
            f"{found} training triplets were found, {least} are needed: the table has {self.chunks} chunks, "
            f"{self.embedded} of them with a vector, {self.looked_at} with code of their own",
            hint=hint,
        )
