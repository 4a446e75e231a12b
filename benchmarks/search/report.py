"""Tables to read and the file to keep."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_RACE = {
    "peer": "",
    "target": "target",
    "recall": "recall",
    "median_ms": "median ms",
    "p95_ms": "p95 ms",
    "cpu_ms": "CPU ms",
    "lists": "lists",
    "probes_or_ef": "probes/ef",
    "candidates": "candidates",
    "build_seconds": "build s",
    "index_mb": "index MB",
    "build_memory_mb": "memory MB",
}
_FILTERS = {
    "filter": "filter",
    "value": "value",
    "share": "share",
    "matching": "rows",
    "full": "all rows",
    "recall": "recall",
    "median_ms": "median ms",
    "p95_ms": "p95 ms",
    "cpu_ms": "CPU ms",
}


def rounded(value: Any) -> Any:
    """Round every number in nested values: four decimals below one, else four digits."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        return round(value, 4) if abs(value) < 1 else float(f"{value:.4g}")
    return value


def write(result: dict[str, Any], file: Path) -> None:
    """Write the result as JSON."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(rounded(result), indent=2) + "\n")


def table(columns: dict[str, str], lines: Sequence[dict[str, Any]]) -> str:
    """Return lines as a Markdown table, which also reads well in a terminal."""
    cells = [list(columns.values()), *([_cell(line.get(key)) for key in columns] for line in lines)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 2 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def race_table(lines: Sequence[dict[str, Any]]) -> str:
    """Return the table of all peers; a recall that was not reached says so."""
    return table(_RACE, [line | ({} if line["reached"] else {"target": "not reached"}) for line in lines])


def filters_table(lines: Sequence[dict[str, Any]]) -> str:
    """Return the table of filtered searches; a value that is nearest to two shares stands there once."""
    unique = {(line["filter"], line["value"]): line for line in lines}
    return table(_FILTERS, [line | {"share": f"{line['share']:.1%}"} for line in unique.values()])


def curve_table(points: Sequence[dict[str, Any]]) -> str:
    """Return the growth curve's numbers, a line for each size and way."""
    columns = ("median_ms", "p95_ms", "cpu_ms", "recall")
    names = {"pgduet": "pgduet", "halfvec_ivfflat": "halfvec IVFFLAT, documented", "halfvec_exact": "halfvec exact"}
    lines = [
        {"rows": point["rows"], "way": name} | {column: point[key][column] for column in columns}
        for point in points
        for key, name in names.items()
        if key in point
    ]
    return table({"rows": "chunks", "way": ""} | {column: _RACE[column] for column in columns}, lines)


def sketches_table(lines: Sequence[dict[str, Any]]) -> str:
    """Return the share of the ten nearest among the first candidates, by weights and centring."""
    depths = {depth: f"first {depth}" for depth in lines[0]["recall"]}
    columns = {"code_weight": "weight of the code half", "sketch": "signs of the vector"} | depths
    return table(columns, [line | line["recall"] for line in lines])
