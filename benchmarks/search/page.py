"""Writes the tables of a run into docs/performance.md, between two marks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ratios import goals
from report import curve_table, filters_table, race_table, sketches_table, table

_AHEAD = {
    "rows": "chunks",
    "table_gb": "table GB",
    "index_gb": "index GB",
    "halfvec_index_gb": "halfvec index GB",
    "lists": "lists",
    "build_minutes": "build min",
    "build_memory_mb": "build MB",
    "search": "search, CPU ms",
}


def write_page(file: Path, name: str, result: dict[str, Any]) -> None:
    """Replace what stands between the marks that name a result; does nothing where there are none."""
    mark = f"<!-- {name}.json: written by benchmarks/search -->"
    text = file.read_text(encoding="utf-8")
    body = "\n\n".join(parts(name, result))
    pattern = re.compile(re.escape(mark) + r"\n.*?<!-- end -->", re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{mark}\n\n{body}\n\n<!-- end -->", text), encoding="utf-8")


def parts(name: str, result: dict[str, Any]) -> Iterator[str]:
    """Yield the paragraphs and tables of the parts that ran."""
    yield f"{result['rows']:,} chunks. {result['machine']}. Run: {result['run']}."
    yield f"### Sentences\n\n{race_table(result['peers']['nl'])}"
    yield f"### Bodies of functions, at the same settings\n\n{race_table(result['peers']['code'])}"
    lines = [
        {"name": name, "value": f"{value:.4g}", "goal": goal, "met": met} for name, value, goal, met in goals(result)
    ]
    yield f"### Goals\n\n{table({'name': 'what', 'value': 'measured', 'goal': 'goal', 'met': 'met'}, lines)}"
    if growth := result.get("growth"):
        yield (
            f"### Growth\n\nAn index built on the first {growth['rows_at_build']:,} rows, repo after repo, then"
            f" {growth['rows']:,} rows: recall@10 {growth['before']:.3f}; after the keeper has run by itself"
            f' {growth["after"]:.3f}. It said: "{growth["keeper"]}".'
        )
    if filters := result.get("filters"):
        yield f"### Filters\n\n{filters_table(filters)}"
    yield from _curve(name, result)
    if clients := result.get("clients"):
        yield (
            f"### {clients['clients']} clients during a rebuild\n\n{clients['searches']:,} searches and"
            f" {clients['rows_inserted']:,} inserted rows while the index was built, calibrated and swapped"
            f" ({clients['keeper_seconds']:.0f} s): {clients['errors']} errors, {clients['short_answers']} answers with"
            f" too few rows; p50 {clients['p50_ms']:.0f} ms, p95 {clients['p95_ms']:.0f} ms,"
            f" p99 {clients['p99_ms']:.0f} ms."
        )
    if overhead := result.get("overhead"):
        yield (
            f"### Own overhead\n\nOn {overhead['rows']} rows a search takes {overhead['ranked_ms']:.2f} ms, the"
            f" statement that it runs, prepared, {overhead['statement_ms']:.2f} ms."
        )
    if sketches := result.get("sketches"):
        yield f"### Sketches\n\n{sketches_table(sketches)}"
    ahead = [line | {"search": _range(line)} for line in result["extrapolation"]]
    yield f"### Extrapolated\n\n{table(_AHEAD, ahead)}"


def _curve(name: str, result: dict[str, Any]) -> Iterator[str]:
    picture = f"![Search time and recall over the number of chunks](pictures/{name}-growth.png)"
    elsewhere = "" if "smaller" in result else "\n\nThe sizes below the largest are those of the run above."
    yield f"### As the table grows\n\n{picture}\n\n{curve_table(result['curve'])}{elsewhere}"


def _range(line: dict[str, Any]) -> str:
    return f"{line['search_cpu_ms_least']:.0f} to {line['search_cpu_ms_most']:.0f}"
