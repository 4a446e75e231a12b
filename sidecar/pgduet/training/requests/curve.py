"""The curve of a run: steps out of the log that training writes, a few hundred however many there are."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgduet.database.finetune import FinetuneStep

# Steps that are told at even distances, and as many that were checked.
MOST = 200


class Curve:
    """Read a log as it grows, and tell which of its steps belong to the curve of a run of `steps` steps.

    Those are the first, all multiples of the least distance that leaves MOST of them, and of the steps that were
    checked those that are as far apart. The same log gives the same curve, whenever it is looked at. Methods raise
    OSError where the log is there and cannot be read.
    """

    def __init__(self, log: Path, steps: int) -> None:
        self._log, self._distance = log, max(1, math.ceil(steps / MOST))
        self._begin()

    def look(self, *, last: bool = False) -> list[FinetuneStep]:
        """Return what is to be told and was not taken off yet, in order; `last` adds the log's last step."""
        try:
            self._read()
        except FileNotFoundError:
            self._begin()
        if last and self._last is not None:
            self._new[self._last.step] = self._last
        return [self._new[number] for number in sorted(self._new)]

    def take_off(self) -> None:
        """Tell no more what the last look returned."""
        self._new.clear()

    def _begin(self) -> None:
        self._offset, self._line = 0, b""
        self._new: dict[int, FinetuneStep] = {}
        self._last: FinetuneStep | None = None
        self._checked = -self._distance

    def _read(self) -> None:
        with self._log.open("rb") as file:
            # A run that goes on from its checkpoint cuts the log there and writes other lines after it.
            file.seek(self._offset - len(self._line))
            if file.read(len(self._line)) != self._line:
                self._begin()
                file.seek(0)
            for line in file:
                # The line that is just being written.
                if not line.endswith(b"\n"):
                    break
                self._offset, self._line = self._offset + len(line), line
                if step := _step(line):
                    self._add(step)

    def _add(self, step: FinetuneStep) -> None:
        self._last = step
        told = step.step == 1 or step.step % self._distance == 0
        if step.dev_score is not None and step.step - self._checked >= self._distance:
            told, self._checked = True, step.step
        if told:
            self._new[step.step] = step


def _step(line: bytes) -> FinetuneStep | None:
    """Read a line; None where it holds no step that has a place on a curve."""
    try:
        told = json.loads(line)
        number, loss = told["step"], _finite(told, "loss")
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(number, int) or number < 1 or loss is None:
        return None
    return FinetuneStep(number, loss, _finite(told, "norm"), _finite(told, "rate"), _finite(told, "score"))


def _finite(told: Mapping[str, Any], name: str) -> float | None:
    value = told.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
