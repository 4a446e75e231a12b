"""Writes the tables of a run into docs/performance.md, each between two marks, and prints them."""

import re
from pathlib import Path
from typing import Any


def write_page(file: Path, result: str, body: str) -> None:
    """Replace what stands between the marks of a file of results."""
    print(body)
    mark = f"<!-- {result}: written by benchmarks/serving -->"
    text = file.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(mark) + r"\n.*?<!-- end -->", re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{mark}\n\n{body}\n\n<!-- end -->", text), encoding="utf-8")


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


def table_of_types(result: dict[str, Any]) -> str:
    """Return a run of number_types.py as Markdown."""
    lines = [f"{result['machine']}. Run: {result['run']}."]
    for part, title in (("products", "products of a layer"), ("code", "code half"), ("text", "text half")):
        lines += ["", f"| {title} | ms | times as fast | least cosine |", "|---|---:|---:|---:|"]
        for row in result[part]:
            cosine = f"{row['least_cosine']:.4f}" if "least_cosine" in row else ""
            lines.append(f"| {row['name']} | {row['milliseconds']:.0f} | x {row['times_as_fast']:.2f} | {cosine} |")
    return "\n".join(lines)
