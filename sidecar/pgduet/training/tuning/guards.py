"""Stops a run that can bring nothing good any more."""

import math

from pgduet.training.tuning.errors import CollapseError, NotFiniteError, NothingToLearnError
from pgduet.training.tuning.objective import Measured
from pgduet.training.tuning.plan import Plan

# A run is judged by so many steps in a row: a single batch may look like anything.
_STEPS = 20
_ALIKE = 0.99
_NEAR_MARGIN = 0.02


class Guards:
    """Look at every step of one run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._collapsed = self._idle = 0

    def check(self, step: int, measured: Measured, norm: float) -> None:
        """Raise NotFiniteError at once, CollapseError or NothingToLearnError after 20 steps in a row that look so."""
        loss = float(measured.loss.detach())
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise NotFiniteError(
                f"step {step + 1}: the loss is {loss}, the norm of its gradient {norm}; the weights were not changed",
                hint="lower the learning rate, or train without bfloat16",
            )
        # Where all texts are alike, both distances are the same and the loss is the margin.
        at_margin = self._plan.objective != "triplet" or abs(loss - self._plan.margin) < _NEAR_MARGIN
        self._collapsed = self._collapsed + 1 if at_margin and measured.similarity > _ALIKE else 0
        if self._collapsed == _STEPS:
            raise CollapseError(
                f"for {_STEPS} steps anchors and negatives had a mean cosine of {measured.similarity:.4f}: all texts"
                " get the same vector",
                hint="lower the learning rate, or mine negatives that are less alike",
            )
        idle = self._plan.objective == "triplet" and measured.active == 0
        self._idle = self._idle + 1 if idle else 0
        if self._idle == _STEPS:
            raise NothingToLearnError(
                f"for {_STEPS} steps no triplet was within the margin of {self._plan.margin}: nothing is left to learn",
                hint="raise the margin, or mine harder negatives",
            )
