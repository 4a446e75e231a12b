"""The picture of a run: loss, gradient norm, learning rate and held-out score over the steps."""

import json
from pathlib import Path

_PANELS = (
    ("loss", "loss"),
    ("norm", "gradient norm before clipping"),
    ("rate", "learning rate"),
    ("score", "nDCG@10 on held-out pairs"),
)


def draw(log: Path, picture: Path) -> None:
    """Draw what the lines of a run's log say into a PNG or SVG file."""
    from matplotlib.figure import Figure

    steps = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        points = [(step["step"], step[key]) for step in steps if step[key] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o" if key == "score" else "", color="#1f77b4")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)
