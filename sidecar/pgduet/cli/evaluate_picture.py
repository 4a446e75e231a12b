"""The picture of an evaluation: each way to rank as a point with its 95 % interval, one panel for each metric."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pgduet.cli.scoring import Run
    from pgduet.training.evaluation import Evaluation

FORMATS = (".png", ".svg", ".pdf")
_COLOURS = {"both": "#1f77b4", "against": "#d62728", "bm25": "#7f7f7f"}
_OTHER_COLOUR = "#2ca02c"


def require_picture(path: Path) -> None:
    """Raise where the picture could not be drawn or written: encoding, which comes before, may take hours.

    Raises MissingError without matplotlib, and DataError for a folder that is not there or a format that is unknown.
    """
    from pgduet.training.errors import DataError, MissingError

    if path.suffix.lower() not in FORMATS:
        raise DataError(f"cannot draw a picture into {path}", hint=f"name a file that ends in {', '.join(FORMATS)}")
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        raise DataError(f"cannot write the picture to {path}", hint="name a file in a writable folder")
    if find_spec("matplotlib") is None:
        raise MissingError(
            "a picture needs matplotlib, which is not installed", hint="run: pip install 'pgduet[bench]'"
        )


def draw(run: "Run", scored: "Evaluation", path: Path) -> None:
    """Draw an evaluation into a file; its suffix says which format. Raises DataError where it cannot be written."""
    from pgduet.training.errors import DataError

    try:
        figure(run, scored).savefig(path, dpi=110)
    except OSError as error:
        raise DataError(
            f"cannot write the picture to {path}: {error}", hint="name a file in a writable folder"
        ) from error


def figure(run: "Run", scored: "Evaluation") -> "Figure":
    """Return the picture of an evaluation, scores in percent; the pair stands on top."""
    from matplotlib.figure import Figure

    metrics = list(scored.results[0].scores)
    places = range(len(scored.results))
    drawn = Figure(figsize=(3 * len(metrics) + 2.5, 0.45 * len(places) + 1.6), layout="constrained")
    for axes, metric in zip(drawn.subplots(1, len(metrics), sharey=True), metrics, strict=True):
        for place, one in zip(places, scored.results, strict=True):
            estimate = one.scores[metric]
            value, low, high = (100 * number for number in (estimate.value, estimate.low, estimate.high))
            # Rounding may put a bound on the wrong side of the mean by a hair.
            bounds = [[max(0.0, value - low)], [max(0.0, high - value)]]
            colour = _COLOURS.get(one.part, _OTHER_COLOUR)
            axes.errorbar([value], [place], xerr=bounds, fmt="o", color=colour, capsize=3)
        axes.set_title(metric, fontsize=10)
        axes.set_xlabel("percent, with 95 % interval", fontsize=8)
        axes.grid(axis="x", alpha=0.3)
        axes.set_yticks(places, [run.name(one.part) for one in scored.results])
        axes.set_ylim(len(places) - 0.5, -0.5)
    drawn.suptitle(f"{run.title}: {scored.queries} queries, {run.codes} codes", fontsize=10)
    return drawn
