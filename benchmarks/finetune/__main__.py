"""What learning from the table brings: `small`, tuned on docstrings of installed packages, judged on other packages.

A private PostgreSQL is filled, mined and gone at the end. The default recipe and the triplet loss start from the same
duet, learn from the same triplets and are judged by the same questions: the docstrings of packages that neither saw,
and CoSQA's dev queries among 1,500 codes. Half an hour on two cores; training and judging are timed apart.

    .venv/bin/python benchmarks/finetune [--cosqa FOLDER]
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quality_page import write_page
from table import PACKAGES, REPOSITORY, mined_table, timed

from pgduet.database.connection import connect
from pgduet.encoding.store.layout import duet_folder
from pgduet.training.tuning.curve import draw
from pgduet.training.tuning.loop import LOG, Step
from pgduet.training.tuning.material import Material, read_material, read_retained
from pgduet.training.tuning.outcome import Tuned
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.recipe import Terms, tune

RESULT = REPOSITORY / "benchmarks" / "results" / "finetune.json"
DOCS = REPOSITORY / "docs"
CODES = 1500
# Steps and tokens for two cores; all else as `pgduet finetune` has it. A triplet has three texts, a pair two.
RECIPES = {
    "in-batch": Plan(objective="in-batch", steps=45, max_tokens=64, check_every=45),
    "triplet": Plan(objective="triplet", steps=30, max_tokens=64, check_every=30),
}
DEFAULT = "in-batch"
TERMS = Terms(margin=0.03)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("PGDUET_COSQA", str(REPOSITORY.parent / "shared" / "data" / "cosqa"))
    parser.add_argument("--cosqa", type=Path, default=Path(default), help="folder with dev.jsonl and codes.jsonl")
    asked = parser.parse_args()
    retained = read_retained(asked.cosqa / "dev.jsonl", asked.cosqa / "codes.jsonl", CODES)
    with mined_table() as (conninfo, seconds), connect(conninfo, autocommit=True) as connection:
        material = read_material(connection, retained)
    print({"triplets": len(material.train), "dev": len(material.dev), "test": len(material.test)}, flush=True)
    found = {}
    with tempfile.TemporaryDirectory(prefix="pgduet-") as name:
        models = Path(name) / "models"
        models.mkdir()
        (models / "small").symlink_to(duet_folder("small"))
        for recipe, plan in RECIPES.items():
            with timed(seconds, recipe):
                found[recipe] = measure(recipe, plan, material, Path(name) / recipe, models)
            write(found, seconds, material)
            if recipe == DEFAULT:
                draw(Path(name) / recipe / LOG, DOCS / "pictures" / "finetune-curve.png")


def measure(name: str, plan: Plan, material: Material, folder: Path, models: Path) -> dict[str, Any]:
    """Tune by one recipe; return what it was and what the gate says."""

    def report(step: Step) -> None:
        if step.step % 10 == 0:
            print(f"{name}: step {step.step} of {plan.steps}, loss {step.loss:.4f}, {step.seconds:.1f} s", flush=True)

    tuned = tune("small", name, material, plan, folder, terms=TERMS, models_dir=models, report=report, say=print)
    assert isinstance(tuned, Tuned)
    print(json.dumps(tuned.gate.as_json(), indent=2), flush=True)
    return {
        "plan": asdict(plan),
        "share": TERMS.share,
        "weights": list(tuned.weights),
        "gate": tuned.gate.as_json(),
        "dev_scores": {str(step): score for step, score in tuned.progress.scores.items()},
        "train_seconds": round(tuned.train_seconds),
        "judge_seconds": round(tuned.judge_seconds),
    }


def write(found: dict[str, dict[str, Any]], seconds: dict[str, float], material: Material) -> None:
    """Write the result and its page."""
    gate = found[DEFAULT]["gate"]
    result = {
        "ndcg_before": gate["before"],
        "ndcg_after": gate["after"],
        "ci_low": gate["ci_low"],
        "ci_high": gate["ci_high"],
        "retained_before": gate["retained"]["before"],
        "retained_after": gate["retained"]["after"],
        "packages": PACKAGES,
        "triplets": len(material.train),
        "questions": {"dev": len(material.dev), "test": len(material.test)},
        "seconds": {what: round(value) for what, value in seconds.items()},
        "recipes": found,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_page(DOCS / "quality.md", result)


if __name__ == "__main__":
    main()
