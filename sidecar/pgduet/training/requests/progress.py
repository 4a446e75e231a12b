"""How far training is, by the log that it writes a line to at each step."""

import json
import os
from pathlib import Path
from typing import NamedTuple

LOG = "steps.jsonl"
# Some hundred steps.
_READ = 64_000


class Progress(NamedTuple):
    """Hold the last step with its loss and the norm of its gradient, and the last score on held-out pairs."""

    step: int
    loss: float
    norm: float
    score: float | None


def read_progress(log: Path) -> Progress | None:
    """Read the end of a log; None where it has no step yet. A line that is just being written is left out."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.path.getsize(log) - _READ))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    steps = []
    for line in lines:
        try:
            steps.append(json.loads(line))
        except ValueError:
            continue
    if not steps:
        return None
    last = steps[-1]
    scores = [step["score"] for step in steps if step["score"] is not None]
    return Progress(last["step"], last["loss"], last["norm"], scores[-1] if scores else None)
