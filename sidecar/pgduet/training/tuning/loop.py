"""The loop: read a batch, measure it, change the weights."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pgduet.training.tuning.batches import Batches
from pgduet.training.tuning.checkpoint import Checkpoints, Progress
from pgduet.training.tuning.guards import Guards
from pgduet.training.tuning.objective import Measured, Objective
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import Team
from pgduet.training.tuning.trainee import Trainee

LOG = "steps.jsonl"


@dataclass(frozen=True)
class Step:
    """What is told of one step; `norm` is that of the gradient before it was clipped, `score` of held-out pairs."""

    step: int
    loss: float
    norm: float
    rate: float
    active: float
    similarity: float
    seconds: float
    score: float | None = None


Report = Callable[[Step], None]


def key_of(fingerprint: str, batches: Batches, plan: Plan) -> str:
    """Return what a run is known by: the duet it starts from, its triplets in order, and what its plan has learnt."""
    digest = hashlib.sha256(json.dumps([fingerprint, plan.learnt]).encode())
    for triplet in batches:
        for text in triplet:
            digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:16]


class Run:
    """A run that can be killed at any time and goes on from its last checkpoint to the same weights."""

    def __init__(
        self,
        trainee: Trainee,
        batches: Batches,
        plan: Plan,
        checkpoints: Checkpoints,
        *,
        team: Team | None = None,
        score: Callable[[], float] | None = None,
        log: Path | None = None,
    ) -> None:
        """Make ready; `score` rates the weights on held-out pairs, `log` gets a line of JSON a step."""
        self.progress = Progress()
        self._trainee, self._batches, self._plan, self._checkpoints = trainee, batches, plan, checkpoints
        self._team, self._score, self._log = team or Team(), score, log
        self._objective = Objective(trainee, plan)
        self._guards = Guards(plan)
        self._weights = dict(trainee.learning())
        self._optimiser = torch.optim.AdamW(self._groups(), lr=plan.rate)

    def train(self, report: Report) -> Progress:
        """Train until the plan is done or its patience ends, and leave the best weights in the trainee.

        Raises TuningError where a guard stops it; the weights are then those before the step that it stopped at.
        """
        self._resume()
        while self.progress.step < self._plan.steps and not self._is_stale():
            report(self._write(self._step()))
        if self.progress.best is not None and self.progress.best != self.progress.step:
            self._load(self._checkpoints.at(self.progress.best)["weights"])
        return self.progress

    def _step(self) -> Step:
        started, number = time.perf_counter(), self.progress.step
        rate = self._plan.rate_at(number)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad()
        measured = self._measure(number)
        norm = math.nan
        if math.isfinite(float(measured.loss)):
            # The gradients of all processes are one before they are clipped, so that all clip alike.
            self._team.average(weights.grad for weights in self._weights.values() if weights.grad is not None)
            norm = float(torch.nn.utils.clip_grad_norm_(self._weights.values(), self._plan.clip))
        self._guards.check(number, measured, norm)
        self._optimiser.step()
        self.progress.step += 1
        seconds = time.perf_counter() - started
        score = self._check() if self._is_checked() else None
        loss = float(measured.loss)
        return Step(number + 1, loss, norm, rate, measured.active, measured.similarity, seconds, score)

    def _measure(self, number: int) -> Measured:
        """Add up the gradients of the batches of a step; return their means."""
        parts = []
        for place in range(self._plan.accumulate):
            batch = number * self._plan.accumulate + place
            part = self._objective(self._batches.columns(batch, self._team.rank, self._team.size))
            if math.isfinite(float(part.loss.detach())):
                (part.loss / self._plan.accumulate).backward()  # type: ignore[no-untyped-call]
            parts.append(torch.tensor([float(part.loss.detach()), part.active, part.similarity]))
        means = torch.stack(parts).mean(dim=0)
        self._team.average([means])
        return Measured(means[0], float(means[1]), float(means[2]))

    def _is_checked(self) -> bool:
        return self.progress.step % self._plan.check_every == 0 or self.progress.step == self._plan.steps

    def _check(self) -> float | None:
        score = None
        if self._score:
            # One process rates: the weights are the same everywhere.
            value = torch.tensor([self._score() if self._team.leads else 0.0], dtype=torch.float64)
            self._team.average([value])
            score = float(value) * self._team.size
            self.progress.note(score)
        if self._team.leads:
            state = {"weights": self._state(), "optimiser": self._optimiser.state_dict()}
            self._checkpoints.save(self.progress, state)
        self._team.wait()
        return score

    def _is_stale(self) -> bool:
        return 0 < self._plan.patience <= self.progress.stale()

    def _resume(self) -> None:
        if found := self._checkpoints.last():
            self.progress, state = found
            self._load(state["weights"])
            self._optimiser.load_state_dict(state["optimiser"])
        self._cut_log()

    def _write(self, step: Step) -> Step:
        if self._log and self._team.leads:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(step)) + "\n")
        return step

    def _cut_log(self) -> None:
        """Drop the lines of steps that a killed run did after its last checkpoint: they are done again."""
        if self._log and self._team.leads and self._log.exists():
            lines = self._log.read_text(encoding="utf-8").splitlines(keepends=True)[: self.progress.step]
            self._log.write_text("".join(lines), encoding="utf-8")

    def _state(self) -> dict[str, torch.Tensor]:
        return {name: weights.detach().to("cpu", copy=True) for name, weights in self._weights.items()}

    def _load(self, state: Mapping[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, weights in self._weights.items():
                weights.copy_(state[name])

    def _groups(self) -> list[dict[str, Any]]:
        """Let only matrices decay: a bias or a scale that shrinks has no reason to."""
        matrices = [weights for weights in self._weights.values() if weights.dim() > 1]
        others = [weights for weights in self._weights.values() if weights.dim() < 2]
        return [
            {"params": matrices, "weight_decay": self._plan.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
