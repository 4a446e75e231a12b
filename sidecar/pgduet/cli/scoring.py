"""Retrieval scores on the terminal and as JSON, and the progress of encoding for them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task
    from rich.table import Table

    from pgduet.training.calibration import Calibration
    from pgduet.training.evaluation import Evaluation
    from pgduet.training.metrics import Estimate

_SECONDS_BETWEEN_LINES = 15
_WIDEST = 200
_NAMES = {
    "both": "both halves",
    "code": "code half alone",
    "text": "text half alone",
    "before": "both, weights of the manifest",
    "bm25": "BM25 (words alone)",
}


@dataclass(frozen=True)
class Against:
    """The other duet that was scored on the same."""

    model: str
    fingerprint: str


@dataclass(frozen=True)
class Run:
    """What was scored; `unusable` texts gave no vector and are never found, scores nearer than `tie` are equal."""

    model: str
    fingerprint: str
    codes: int
    distinct_codes: int
    unusable: int
    tie: float
    source: str
    against: Against | None = None

    def name(self, part: str) -> str:
        """Return how a way to rank is called in tables and pictures."""
        return f"both halves of {self.against.model}" if part == "against" and self.against else _NAMES[part]

    def short_name(self, part: str) -> str:
        """Return how a way to rank is called in a difference."""
        return self.against.model if part == "against" and self.against else part

    @property
    def title(self) -> str:
        """The duet, and where queries and codes come from, in a line without their numbers."""
        of_what = "" if self.source == "files" else f" on {self.source}"
        return f"{self.model} {self.fingerprint}{of_what}"


def as_json(run: Run, scored: "Evaluation", calibration: "Calibration | None" = None) -> dict[str, Any]:
    """Return everything that was measured, ready for JSON; `results` starts with the pair."""
    result = asdict(run) | {
        "queries": scored.queries,
        "weights": weights_json(scored.results[0].weights),
        "results": [
            {"part": one.part, "weights": weights_json(one.weights)} | _scores_json(one.scores)
            for one in scored.results
        ],
        "differences": [
            {"part": one.better, "minus": one.other} | _scores_json(one.scores) for one in scored.differences
        ],
    }
    return result | ({"calibration": calibration_json(calibration)} if calibration else {})


def weights_json(weights: tuple[float, float] | None) -> dict[str, float] | None:
    """Name the two weights; None where a way to rank has no halves."""
    return weights and {"code": weights[0], "text": weights[1]}


def calibration_json(calibration: "Calibration") -> dict[str, Any]:
    """Return a calibration with its sample, ready for JSON."""
    return asdict(calibration) | {"weights": weights_json(calibration.weights)}


def show(run: Run, scored: "Evaluation", calibration: "Calibration | None" = None) -> None:
    """Print what was scored and two tables: the scores, and the differences between the pair and the others."""
    same = f" ({run.distinct_codes} distinct)" if run.distinct_codes < run.codes else ""
    lines = [f"{run.title}: {scored.queries} queries, {run.codes} codes{same}"]
    if run.against:
        lines.append(f"against {run.against.model} {run.against.fingerprint}")
    if run.unusable:
        lines.append(f"{run.unusable} texts gave no vector and are never found")
    if calibration:
        lines.append(calibration_line(calibration))
    print_lines(*lines)
    print_table(_scores_table(run, scored))
    print_table(_differences_table(run, scored))


def calibration_line(calibration: "Calibration") -> str:
    """Say what the weights are and where they come from."""
    code, text = calibration.weights
    return (
        f"calibrated weights: code {code:.4f}, text {text:.4f}; spread of cosines {calibration.code_std:.4f} and "
        f"{calibration.text_std:.4f} over {calibration.pairs} random pairs of {calibration.queries} queries and "
        f"{calibration.documents} codes"
    )


def print_lines(*lines: str) -> None:
    """Print lines without wrapping or markup."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False)


def print_table(table: "Table") -> None:
    """Print a table, at its full width whatever the terminal's is."""
    from rich.console import Console

    # Only as wide as the table needs; a cell that is cut would hide a number.
    Console(highlight=False, width=_WIDEST).print(table)


def new_table(*columns: str) -> "Table":
    """Return an empty table that can be pasted into Markdown."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.MARKDOWN)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _scores_table(run: Run, scored: "Evaluation") -> "Table":
    table = new_table("ranked by", "code : text", *scored.results[0].scores)
    for one in scored.results:
        weights = f"{one.weights[0]:.4g} : {one.weights[1]:.4g}" if one.weights else "-"
        table.add_row(run.name(one.part), weights, *(_percent(estimate) for estimate in one.scores.values()))
    return table


def _differences_table(run: Run, scored: "Evaluation") -> "Table":
    table = new_table("difference", *scored.differences[0].scores)
    for one in scored.differences:
        label = f"{one.better} - {run.short_name(one.other)}"
        table.add_row(label, *(_percent(estimate, "+") for estimate in one.scores.values()))
    return table


def _percent(estimate: "Estimate", sign: str = "") -> str:
    value, low, high = (100 * number for number in (estimate.value, estimate.low, estimate.high))
    return f"{value:{sign}.1f} [{low:{sign}.1f}, {high:{sign}.1f}]"


def _scores_json(scores: "dict[str, Estimate]") -> dict[str, Any]:
    values: dict[str, Any] = {name: estimate.value for name, estimate in scores.items()}
    return values | {"intervals": {name: [estimate.low, estimate.high] for name, estimate in scores.items()}}


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far long work is, on stderr: a bar with rate and time left on a terminal, else a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: "Task") -> Text:
            return Text(f"{task.speed:.1f} texts/s" if task.speed else "")

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {}
        lines = _Lines(console)

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)
            if not console.is_terminal:
                lines.report(what, done, total)

        yield report


class _Lines:
    """One line when a step begins, then one every 15 seconds."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._what = ""
        self._start = self._last = 0.0

    def report(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._what:
            self._what, self._start, self._last = what, now, now
            self._console.print(f"{what}: {total} texts", soft_wrap=True)
        elif now - self._last >= _SECONDS_BETWEEN_LINES and done:
            self._last = now
            rate = done / (now - self._start)
            left = (total - done) / rate
            self._console.print(f"{what}: {done} of {total}, {rate:.1f} texts/s, {left:.0f} s left", soft_wrap=True)
