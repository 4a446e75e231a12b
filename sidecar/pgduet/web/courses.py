"""The steps of fine-tuning runs as small pictures: loss, and score on held-out pairs where it is known."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from pgduet.database.overview import CurveStep

_TOP, _TALL, _BELOW = 24, 74, 12
_FOOT = 16
_MOST_DOTS = 40


class Across(NamedTuple):
    """Hold how wide a picture is, and where its curves begin and end; pixels."""

    width: int
    left: int
    right: int


ACROSS = Across(320, 46, 312)


class Panel(NamedTuple):
    """Hold one curve: what it is of, its line, its dots, and its grid of lowest and highest value (y, label)."""

    title: str
    top: float
    line: str
    dots: list[tuple[float, float]]
    grid: list[tuple[float, str]]


class Course(NamedTuple):
    """Hold a run's picture, `height` pixels high and ACROSS.width wide; `told` says in words what it shows."""

    run_id: int
    name: str
    state: str
    panels: list[Panel]
    height: int
    last: int
    told: str


def draw(steps: Sequence[CurveStep]) -> list[Course]:
    """Draw each run of a list whose runs stand together; the width is that of all the steps it has to do."""
    return [_course(list(group)) for _, group in groupby(steps, key=lambda step: step.run_id)]


def _course(steps: list[CurveStep]) -> Course:
    first, last = steps[0], max(steps[-1].step, steps[-1].steps or 0)
    losses = [(step.step, step.loss) for step in steps]
    scores = [(step.step, step.dev_score) for step in steps if step.dev_score is not None]
    panels = [_panel("loss", losses, last, 0)]
    told = f"Loss {_told(losses)}, least {_at(min(losses, key=lambda point: point[1]))}."
    if scores:
        panels.append(_panel("dev score", scores, last, 1))
        told += f" Dev score {_told(scores)}, best {_at(max(scores, key=lambda point: point[1]))}."
    height = len(panels) * (_TOP + _TALL + _BELOW) + _FOOT
    return Course(first.run_id, first.name, first.state, panels, height, last, told)


def _panel(title: str, points: list[tuple[int, float]], last: int, number: int) -> Panel:
    top = number * (_TOP + _TALL + _BELOW) + _TOP
    values = [value for _, value in points]
    low, high = min(values), max(values)
    # A line without ups and downs lies in the middle.
    span, floor = (high - low, low) if high > low else (1.0, low - 0.5)
    width = max(1, last - 1)

    def along(step: int) -> float:
        return round(ACROSS.left + (step - 1) / width * (ACROSS.right - ACROSS.left), 1)

    def height(value: float) -> float:
        return round(top + (1 - (value - floor) / span) * _TALL, 1)

    places = [(along(step), height(value)) for step, value in points]
    grid = [(height(value), f"{value:.3g}") for value in sorted({high, low}, reverse=True)]
    # Scores are few as a rule: each is seen then. Of a loss only the end is marked.
    dots = places if number and len(places) <= _MOST_DOTS else places[-1:]
    return Panel(title, top, " ".join(f"{x},{y}" for x, y in places), dots, grid)


def _told(points: list[tuple[int, float]]) -> str:
    return f"{_at(points[0])}, {_at(points[-1])}" if len(points) > 1 else _at(points[0])


def _at(point: tuple[int, float]) -> str:
    return f"{point[1]:.3g} at step {point[0]:,}"
