"""The growth curve as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LINES = {
    "halfvec_exact": ("pgvector, exact scan", "#7f7f7f", "s"),
    "halfvec_ivfflat": ("pgvector, halfvec IVFFLAT as documented, recall 0.95", "#d95f02", "^"),
    "pgduet": ("pgduet, as calibrated by the keeper", "#1b6ca8", "o"),
}


def draw_curve(points: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw latency (median, band up to p95) and recall over the number of rows."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(8, 7), sharex=True, height_ratios=(3, 1.3), layout="constrained"
    )
    for key, (label, colour, marker) in _LINES.items():
        rows = [point["rows"] for point in points if key in point]
        values = [point[key] for point in points if key in point]
        median = [value["median_ms"] for value in values]
        above.plot(rows, median, marker=marker, color=colour, label=label, linewidth=2)
        above.fill_between(rows, median, [value["p95_ms"] for value in values], color=colour, alpha=0.15, linewidth=0)
        below.plot(rows, [value["recall"] for value in values], marker=marker, color=colour, linewidth=2)
        above.annotate(f"{median[-1]:.1f} ms", (rows[-1], median[-1]), (8, 0), textcoords="offset points", va="center")
    above.set(xscale="log", yscale="log", ylabel="milliseconds a search\n(line: median, band: up to p95)")
    above.set_title("Search time and recall as the table grows (2560 numbers, ten nearest, one client)")
    below.set(ylabel="recall@10", xlabel="chunks in the table", ylim=(0.88, 1.005))
    below.axhline(0.95, color="black", linewidth=0.8, linestyle=":")
    ticks = [point["rows"] for point in points]
    below.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    below.set_xlim(ticks[0] * 0.8, ticks[-1] * 1.9)
    below.minorticks_off()
    for axes in (above, below):
        axes.grid(alpha=0.3, which="both")
    above.legend(loc="upper left")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)
