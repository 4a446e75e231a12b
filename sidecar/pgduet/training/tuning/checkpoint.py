"""Checkpoints: complete or not there at all, whenever a run is killed."""

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from pgduet.training.tuning.errors import TuningError

_NAME = re.compile(r"step-(\d{8})")
_STATE, _PROGRESS = "state.pt", "progress.json"
_KEPT = 2


@dataclass
class Progress:
    """How far a run is: steps done, scores by step, and the step with the best score."""

    step: int = 0
    scores: dict[int, float] = field(default_factory=dict)
    best: int | None = None

    def note(self, score: float) -> bool:
        """Take down the score of the steps done so far; return whether it is the best."""
        self.scores[self.step] = score
        is_best = self.best is None or score > self.scores[self.best]
        if is_best:
            self.best = self.step
        return is_best

    def stale(self) -> int:
        """Count the scores since the best one."""
        return sum(step > (self.best or 0) for step in self.scores)


class Checkpoints:
    """The checkpoints of one run, in a folder; `key` says what it trains, and that of another run is refused."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def save(self, progress: Progress, state: dict[str, Any]) -> None:
        """Write `state`, and remove all but the last two and the best; a kill at any time leaves the one before."""
        name = _name(progress.step)
        partial = self._folder / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with (partial / _STATE).open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        with (partial / _PROGRESS).open("w", encoding="utf-8") as text:
            json.dump({"key": self._key, **asdict(progress)}, text)
            text.flush()
            os.fsync(text.fileno())
        shutil.rmtree(self._folder / name, ignore_errors=True)
        partial.rename(self._folder / name)
        _sync_folder(self._folder)
        for old in self._complete()[:-_KEPT]:
            if progress.best is None or old != _name(progress.best):
                shutil.rmtree(self._folder / old, ignore_errors=True)

    def last(self) -> tuple[Progress, dict[str, Any]] | None:
        """Return the newest checkpoint; None where there is none. What a kill left is removed.

        Raises TuningError where it belongs to another run.
        """
        for left in self._folder.glob(".step-*.partial"):
            shutil.rmtree(left, ignore_errors=True)
        names = self._complete()
        if not names:
            return None
        folder = self._folder / names[-1]
        known = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
        if known.pop("key") != self._key:
            raise TuningError(
                f"the checkpoints in {self._folder} are of another run: other triplets, other weights or another plan",
                hint="name another folder, or delete this one",
            )
        scores = {int(step): score for step, score in known.pop("scores").items()}
        return Progress(**known, scores=scores), self._state(names[-1])

    def at(self, step: int) -> dict[str, Any]:
        """Return what was saved after so many steps."""
        return self._state(_name(step))

    def clear(self) -> None:
        """Remove all checkpoints."""
        for name in self._complete():
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _state(self, name: str) -> dict[str, Any]:
        # No code: a checkpoint holds tensors and numbers only.
        state: dict[str, Any] = torch.load(self._folder / name / _STATE, map_location="cpu", weights_only=True)
        return state

    def _complete(self) -> list[str]:
        return sorted(path.name for path in self._folder.glob("step-*") if _NAME.fullmatch(path.name))


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a crash of the machine."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
