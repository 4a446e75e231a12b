"""Writes the table of a run into docs/performance.md, between two marks, and prints it."""

import re
from pathlib import Path
from typing import Any

_MARK = "<!-- serving.json: written by benchmarks/serving -->"


def write_page(file: Path, result: dict[str, Any]) -> None:
    """Replace what stands between the marks."""
    body = table(result)
    print(body)
    text = file.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(_MARK) + r"\n.*?<!-- end -->", re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{_MARK}\n\n{body}\n\n<!-- end -->", text), encoding="utf-8")


def table(result: dict[str, Any]) -> str:
    """Return the run as Markdown."""
    lines = [
        f"{result['texts']:,} chunks, {result['tokens'] / result['texts']:.0f} tokens each for both encoders together, "
        f"{result['threads']} threads. {result['machine']}. Run: {result['run']}.",
        "",
        "| | texts/s | tokens/s | of the ceiling | pgduet is faster by | cosines differ by |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(result["rows"], key=lambda row: -row["texts_per_second"]):
        apart = "" if row["cosines_apart"] is None else f"{1 - row['cosines_apart']:.0e}"
        lines.append(
            f"| {row['name']} | {row['texts_per_second']:.1f} | {row['tokens_per_second']:.0f} |"
            f" {100 * row['to_ceiling']:.0f} % | x {row['pgduet_to_it']:.2f} | {apart} |"
        )
    return "\n".join(lines)
