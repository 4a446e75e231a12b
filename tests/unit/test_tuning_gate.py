"""What is asked of a tuned duet, how its halves are weighed, and a run that is given again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fix_tuning import triplets
from pgduet.encoding import load_duet
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Role
from pgduet.encoding.store.layout import checked_manifest
from pgduet.training.errors import DataError
from pgduet.training.ranking import Halves
from pgduet.training.tuning.errors import TooLittleDataError, TuningError
from pgduet.training.tuning.gate import Change, Gate, change
from pgduet.training.tuning.held_out import Encoded, HeldOut
from pgduet.training.tuning.material import Material, Retained, read_retained
from pgduet.training.tuning.outcome import Tuned
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.recipe import Terms, tune
from pgduet.training.tuning.weighing import weigh

BETTER = Change(100, 0.70, 0.75, 0.01, 0.09)
PLAN = Plan(batch=8, steps=4, check_every=2, rate=1e-3)


def copy_of(tiny_store: Path, folder: Path) -> Path:
    """Copy the store that nobody may change."""
    shutil.copytree(tiny_store, folder / "models")
    return folder / "models"


def gate(held_out: Change = BETTER, retained: Change | None = None, margin: float = 0.03) -> Gate:
    return Gate(held_out, margin, {"code": (0.6, 0.7), "text": (0.5, 0.6)}, retained, 0.01)


@pytest.mark.parametrize(
    ("judged", "objections"),
    [
        (gate(), []),
        (gate(margin=0.06), ["not better by 0.06 with certainty"]),
        (gate(replace(BETTER, ci_low=-0.01)), ["not better by 0.03 with certainty"]),
        (gate(retained=Change(50, 0.80, 0.791, -0.03, 0.01)), []),
        (gate(retained=Change(50, 0.80, 0.78, -0.03, -0.01)), ["worse by more than 0.01 on what it had to retain"]),
    ],
)
def test_the_gate_wants_a_certain_gain_and_no_loss_elsewhere(judged: Gate, objections: list[str]) -> None:
    assert list(judged.objections) == objections
    said = json.loads(json.dumps(judged.as_json()))
    assert (said["passed"], said["metric"], said["after"]) == (not objections, "ndcg@10", 0.75)
    assert all(each in said["why"] for each in objections)
    assert Gate.from_json(said) == judged


def test_a_change_is_measured_question_by_question() -> None:
    before = np.array([0.0, 0.5, 1.0, 0.5])
    found = change(before, before + 0.25)
    assert (found.questions, found.before, found.after) == (4, 0.5, 0.75)
    # Every question gained the same: nothing is left to chance.
    assert (found.ci_low, found.ci_high) == pytest.approx((0.25, 0.25))


def halves(code: list[list[float]], text: list[list[float]]) -> Halves:
    rows = [np.array(half, np.float32) for half in (code, text)]
    return Halves(rows[0], rows[1], np.ones(len(code), bool))


def planted(store: Path, count: int, wrong: int) -> tuple[HeldOut, Encoded]:
    """Make questions that the text half answers and whose code half is mistaken for the first `wrong` of them."""
    pairs = [(f"question {number}", f"answer {number}") for number in range(count)]
    held_out = HeldOut(load_duet("tiny", store), pairs)
    unit = np.eye(count).tolist()
    mistaken = [unit[(number + 1) % count] if number < wrong else unit[number] for number in range(count)]
    return held_out, Encoded(halves(mistaken, unit), halves(unit, unit))


@pytest.mark.parametrize(("wrong", "code"), [(0, 0.5), (1, 0.5), (30, 0.45)])
def test_weights_move_no_further_than_what_is_certainly_better(tiny_store: Path, wrong: int, code: float) -> None:
    held_out, encoded = planted(tiny_store, 40, wrong)
    # At equal weights a mistaken half is level with the other, and a tie counts against the answer.
    assert weigh(held_out, encoded, (0.5, 0.5)) == (code, round(1 - code, 4))


def test_a_document_that_answers_nothing_is_ranked_too(tiny_store: Path) -> None:
    held_out = HeldOut(load_duet("tiny", tiny_store), [("q", "a"), ("q", "b")], ["c"])
    documents = halves([[0.6, 0.8], [0, 1], [1, 0]], [[0.6, 0.8], [0, 1], [1, 0]])
    (found,) = held_out.values(Encoded(halves([[1, 0]], [[1, 0]]), documents), [(0.5, 0.5)])
    # c, a, b: the answers stand at 2 and 3.
    best = 1 + 1 / np.log2(3)
    assert found[0] == pytest.approx((1 / np.log2(3) + 1 / np.log2(4)) / best)


def test_a_side_with_few_questions_is_refused() -> None:
    pairs = [(f"q{number}", "a") for number in range(20)]
    Material([], pairs, pairs).require_questions()
    with pytest.raises(TooLittleDataError, match="the test side has 1 questions"):
        Material([], pairs, [("q", "a"), ("q", "b")]).require_questions()


def test_what_is_to_be_retained_is_read_from_files(tmp_path: Path) -> None:
    queries, codes = tmp_path / "q.jsonl", tmp_path / "c.jsonl"
    queries.write_text('{"query": "add", "code_id": 2}\n')
    codes.write_text("".join(f'{{"code_id": {number}, "code": "def f{number}(): pass"}}\n' for number in range(4)))
    found = read_retained(queries, codes, 3)
    assert found is not None
    assert list(found.pairs) == [("add", "def f2(): pass")]
    assert sorted(found.others) == ["def f0(): pass", "def f1(): pass", "def f2(): pass"]
    assert read_retained(None, None, 3) is None
    with pytest.raises(DataError, match="belong together"):
        read_retained(queries, None, 3)


def test_a_run_that_is_given_again_gives_what_it_gave(tiny_store: Path, tmp_path: Path) -> None:
    store = copy_of(tiny_store, tmp_path)
    held_out = [row[:2] for row in triplets(40, seed=1)]
    material = Material(triplets(), held_out, held_out, Retained(held_out[:20], ["def other(): pass"]))
    said: list[str] = []

    def run(name: str = "tuned", plan: Plan = PLAN, terms: Terms | None = None) -> Tuned:
        folder = tmp_path / name
        found = tune(
            "tiny",
            name,
            material,
            plan,
            folder,
            terms=terms,
            models_dir=store,
            report=lambda _: None,
            say=said.append,
        )
        assert found is not None
        return found

    first = run()
    assert "training" in said
    said.clear()
    second = run()
    assert "training" not in said
    assert replace(second, again=False) == first
    # Other terms or another plan make another duet, which needs another name.
    for other in ({"terms": Terms(share=0.7)}, {"plan": replace(PLAN, seed=1)}):
        with pytest.raises(StoreError, match="'tuned' is taken"):
            run(**other)
    with pytest.raises(TuningError, match="the share is 0"):
        Terms(share=0)


def test_the_tuned_duet_has_the_weights_it_was_judged_with(tiny_store: Path, tmp_path: Path) -> None:
    store = copy_of(tiny_store, tmp_path)
    held_out = [row[:2] for row in triplets(40, seed=1)]
    material = Material(triplets(), held_out, held_out)
    found = tune(
        "tiny", "weighed", material, PLAN, tmp_path, models_dir=store, report=lambda _: None, say=lambda _: None
    )
    assert found is not None
    assert found.gate.held_out is not None
    manifest = checked_manifest(found.folder)
    assert (manifest.code.weight, manifest.text.weight) == found.weights
    served = load_duet("weighed", store)
    judge = HeldOut(served, held_out)
    assert judge.score() == pytest.approx(found.gate.held_out.after, abs=1e-6)
    assert served.tokenise(["x"], Role.QUERY)
