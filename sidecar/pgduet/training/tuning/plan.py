"""What a run is asked to do."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from pgduet.encoding.manifest import Part
from pgduet.training.tuning.errors import TuningError

OBJECTIVES = ("triplet", "in-batch")
DEVICES = ("cpu", "cuda", "auto")


@dataclass(frozen=True)
class Plan:
    """How a duet is tuned; the same plan with the same triplets gives the same weights.

    `objective` triplet is max(0, margin + d(anchor, positive) - d(anchor, negative)) by cosine distance; in-batch ranks
    each positive above the positives of its whole batch, with `hard` above its mined negatives too. `part` says what
    learns: `both` trains each half by its own loss, or the fused vector where `fused` is set. A step reads `batch`
    triplets `accumulate` times; its learning rate rises to `rate` over the share `warm_up` of the steps and falls to
    zero in a straight line. With a `lora_rank` above 0 only low-rank changes of that rank, times `lora_alpha` over it,
    are learnt.
    """

    objective: str = "in-batch"
    hard: bool = False
    part: Part = Part.BOTH
    fused: bool = False
    margin: float = 0.5
    # One over the temperature: the usual one for unit vectors.
    scale: float = 20.0
    batch: int = 32
    accumulate: int = 1
    steps: int = 100
    rate: float = 5e-5
    warm_up: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    max_tokens: int = 96
    # The table of word vectors holds most of a multilingual encoder's weights, and few triplets touch few rows of it.
    words: bool = False
    lora_rank: int = 0
    # 0 stands for twice the rank.
    lora_alpha: float = 0
    bfloat16: bool = False
    seed: int = 0
    # Steps between two checkpoints, each with a score on held-out pairs.
    check_every: int = 25
    # The run ends when so many of them in a row brought nothing better; 0 never.
    patience: int = 0
    # Texts whose activations are in memory at the same time; 0 for the whole batch.
    chunk: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out."""
        for name, fits, needed in (
            ("objective", self.objective in OBJECTIVES, " or ".join(OBJECTIVES)),
            # The cosine distance of two texts lies between 0 and 2.
            ("margin", 0 < self.margin < 2, "above 0 and below 2, the largest cosine distance"),
            ("scale", self.scale > 0, "above 0"),
            ("batch", self.batch >= 2, "2 or more"),
            ("accumulate", self.accumulate >= 1, "1 or more"),
            ("steps", self.steps >= 1, "1 or more"),
            ("rate", 0 < self.rate < 1, "above 0 and below 1"),
            ("warm_up", 0 <= self.warm_up < 1, "0 or more and below 1"),
            ("weight_decay", 0 <= self.weight_decay < 1, "0 or more and below 1"),
            ("clip", self.clip > 0, "above 0"),
            ("max_tokens", self.max_tokens >= 8, "8 or more"),
            ("check_every", self.check_every >= 1, "1 or more"),
            ("patience", self.patience >= 0, "0 or more"),
            ("lora_rank", self.lora_rank >= 0, "0 or more"),
            ("lora_alpha", self.lora_alpha >= 0, "0 or more"),
            ("chunk", self.chunk >= 0, "0 or more"),
            ("device", self.device in DEVICES, ", ".join(DEVICES[:-1]) + " or " + DEVICES[-1]),
        ):
            if not fits:
                raise TuningError(f"{name} is {getattr(self, name)!r}", hint=f"{name} must be {needed}")
        if self.fused and self.part is not Part.BOTH:
            raise TuningError("the fused vector has both halves", hint="leave fused or part out")
        if self.words and self.lora_rank:
            raise TuningError("low-rank changes are for layers, not for word vectors", hint="leave words or LoRA out")

    @property
    def pairs(self) -> bool:
        """Whether a step reads no mined negatives."""
        return self.objective == "in-batch" and not self.hard

    @property
    def learnt(self) -> dict[str, Any]:
        """Return what decides which weights are learnt: all but where and in how many pieces they are computed."""
        return {name: value for name, value in asdict(self).items() if name not in ("chunk", "device")}

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warm = math.ceil(self.warm_up * self.steps)
        if step < warm:
            return self.rate * (step + 1) / warm
        return self.rate * (self.steps - step) / (self.steps - warm)
