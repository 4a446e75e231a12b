"""The scores of fine-tuning runs as points of a picture."""

from collections.abc import Sequence
from typing import NamedTuple

from pgduet.database.overview import Run

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 14, 34


class Mark(NamedTuple):
    """Hold one run's place: x, y of the score before and after, and of the ends of the gain's interval."""

    run: Run
    x: float
    before: float
    after: float
    low: float | None
    high: float | None


class Picture(NamedTuple):
    """Hold what is drawn: marks, lines of the grid (y, label), the line that goes through the scores."""

    marks: list[Mark]
    grid: list[tuple[float, str]]
    line: str


def draw(runs: Sequence[Run]) -> Picture | None:
    """Place all runs that were judged, in their order; None where none was. Units are pixels of a 640 x 220 picture."""
    judged = [run for run in runs if run.score is not None and run.score_before is not None]
    if not judged:
        return None
    values = [value for run in judged for value in _values(run)]
    low, high = min(values), max(values)
    margin = max(0.005, (high - low) * 0.1)
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    step = (WIDTH - _LEFT - _RIGHT) / len(judged)
    marks = []
    for number, run in enumerate(judged):
        before, after = run.score_before or 0.0, run.score or 0.0
        ends = [None if gain is None else place(before + gain) for gain in (run.gain_low, run.gain_high)]
        marks.append(Mark(run, round(_LEFT + step * (number + 0.5), 1), place(before), place(after), *ends))
    levels = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
    line = " ".join(f"{mark.x},{mark.after}" for mark in marks)
    return Picture(marks, [(place(level), f"{level:.3f}") for level in levels], line)


def _values(run: Run) -> list[float]:
    before = run.score_before or 0.0
    ends = [before + gain for gain in (run.gain_low, run.gain_high) if gain is not None]
    return [before, run.score or 0.0, *ends]
