"""Whether a tuned duet may take its parent's place."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pgduet.training.metrics import METRICS, estimate
from pgduet.training.tuning.held_out import Scores

# Between the vectors of a text that the same weights give in float32, and in eight bits or bfloat16.
LEAST_COSINE = 0.99
LEAST_COSINE_BFLOAT16 = 0.9995


@dataclass(frozen=True)
class Change:
    """The mean of nDCG@10 over `questions`, before and after, and the gain with its 95 % interval."""

    questions: int
    before: float
    after: float
    ci_low: float
    ci_high: float

    @property
    def gain(self) -> float:
        """How much higher it is after."""
        return self.after - self.before

    def __str__(self) -> str:
        return f"{self.gain:+.4f} [{self.ci_low:+.4f}, {self.ci_high:+.4f}] over {self.questions} questions"


def change(before: Scores, after: Scores) -> Change:
    """Compare the scores of the same questions."""
    (gain,) = estimate((after - before)[:, None])
    return Change(len(before), float(before.mean()), float(after.mean()), gain.low, gain.high)


@dataclass(frozen=True)
class Gate:
    """What is asked of a duet before it may take another one's place.

    Of one that was tuned, `held_out`: on the test side a gain of at least `margin` whose interval lies above zero. Of
    any, `retained`: on these questions no loss above `most_lost`. `halves` has the means before and after by each half
    alone, over the first of the two. Of one that computes with fewer bits, `least_cosines`, by half: those of a text's
    vectors before and after are not below `cosine_wanted`.
    """

    held_out: Change | None
    margin: float
    halves: dict[str, tuple[float, float]]
    retained: Change | None = None
    most_lost: float = 0.01
    least_cosines: Mapping[str, float] = field(default_factory=dict)
    cosine_wanted: float = LEAST_COSINE

    @property
    def objections(self) -> Sequence[str]:
        """What stands against the new duet, in words; nothing where it passed."""
        found = []
        if self.held_out and not (self.held_out.gain >= self.margin and self.held_out.ci_low > 0):
            found.append(f"not better by {self.margin:g} with certainty")
        if self.retained and self.retained.gain < -self.most_lost:
            found.append(f"worse by more than {self.most_lost:g} on what it had to retain")
        for slot, cosine in self.least_cosines.items():
            # What is not a number must fail too.
            if not cosine >= self.cosine_wanted:
                found.append(f"too far off: a {slot} vector has a cosine of {cosine:.4f}, not {self.cosine_wanted}")
        return found

    @property
    def passed(self) -> bool:
        """Whether nothing stands against it."""
        return not self.objections

    def as_json(self) -> dict[str, Any]:
        """Return what a generation's metrics keep."""
        looked_at = {"held out": self.held_out, "retained": self.retained}
        said = ", ".join(f"{what} {one}" for what, one in looked_at.items() if one)
        leading = self.held_out or self.retained
        return (asdict(leading) if leading else {}) | {
            "metric": METRICS[0],
            "margin": self.margin,
            "halves": {slot: list(means) for slot, means in self.halves.items()},
            "retained": asdict(self.retained) | {"most_lost": self.most_lost} if self.retained else None,
            "least_cosines": dict(self.least_cosines),
            "passed": self.passed,
            "why": "; ".join([*self.objections, said]),
        }

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> "Gate":
        """Read what `as_json` gave of a tuned duet."""
        retained = dict(known["retained"] or {})
        most_lost = retained.pop("most_lost", cls.most_lost)
        return cls(
            Change(**{name: known[name] for name in Change.__dataclass_fields__}),
            known["margin"],
            {slot: (before, after) for slot, (before, after) in known["halves"].items()},
            Change(**retained) if retained else None,
            most_lost,
        )
