"""Writes the tables of a run into docs/quality.md, between two marks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MARK = "<!-- finetune.json: written by benchmarks/finetune -->"


def write_page(file: Path, result: dict[str, Any]) -> None:
    """Replace what stands between the marks."""
    text = file.read_text(encoding="utf-8")
    body = "\n".join(_lines(result))
    pattern = re.compile(re.escape(_MARK) + r"\n.*?<!-- end -->", re.DOTALL)
    file.write_text(pattern.sub(lambda _: f"{_MARK}\n\n{body}\n\n<!-- end -->", text), encoding="utf-8")


def _lines(result: dict[str, Any]) -> Iterator[str]:
    sides = "; ".join(f"{side}: {', '.join(names)}" for side, names in result["packages"].items())
    yield f"{result['triplets']:,} triplets. Packages: {sides}."
    yield ""
    yield "| nDCG@10 | questions | before | after | gain |"
    yield "|---|---:|---:|---:|---:|"
    for recipe, found in result["recipes"].items():
        gate, name = found["gate"], recipe
        yield _row(f"{name}: held out", gate)
        yield _row(f"{name}: CoSQA dev among 1,500 codes", gate["retained"])
        for half, (before, after) in gate["halves"].items():
            gain = f"{100 * (after - before):+.1f}"
            yield f"| {name}: held out, {half} half alone | | {100 * before:.1f} | {100 * after:.1f} | {gain} |"
    yield ""
    for recipe, found in result["recipes"].items():
        code, text = found["weights"]
        yield (
            f"- {recipe}: {found['plan']['steps']} steps of {found['plan']['batch']} in {found['train_seconds']} s of"
            f" training, {found['judge_seconds']} s of judging; weights code {code:g}, text {text:g};"
            f" gate {'passed' if found['gate']['passed'] else 'not passed'}"
        )


def _row(name: str, change: dict[str, Any]) -> str:
    before, after, low, high = (100 * change[key] for key in ("before", "after", "ci_low", "ci_high"))
    gain = f"{after - before:+.1f} [{low:+.1f}, {high:+.1f}]"
    return f"| {name} | {change['questions']} | {before:.1f} | {after:.1f} | {gain} |"
