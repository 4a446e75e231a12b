"""Which steps of a log make the curve of a run, however long it is and whenever it is looked at."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pgduet.database.finetune import FinetuneStep
from pgduet.training.requests.curve import MOST, Curve


def line(step: int, *, loss: float | None = None, score: float | None = None, **other: Any) -> str:
    told = {"step": step, "loss": 1 / step if loss is None else loss, "norm": 1.5, "rate": 1e-5, "score": score}
    return json.dumps({**told, "seconds": 0.01, **other}) + "\n"


def numbers(steps: list[FinetuneStep]) -> list[int]:
    return [step.step for step in steps]


@pytest.mark.parametrize("steps", [1, 2, 150, 200, 201, 999, 5000, 20_000])
@pytest.mark.parametrize("check_every", [1, 7, 25])
def test_a_curve_has_a_few_hundred_steps_at_even_distances(tmp_path: Path, steps: int, check_every: int) -> None:
    log = tmp_path / "log"
    checked = {step for step in range(1, steps + 1) if step % check_every == 0 or step == steps}
    log.write_text("".join(line(step, score=0.5 if step in checked else None) for step in range(1, steps + 1)))
    found = Curve(log, steps).look(last=True)
    assert len(found) <= 2 * MOST + 2
    told = numbers(found)
    assert told == sorted(set(told))
    assert (told[0], told[-1]) == (1, steps)
    if steps <= MOST:
        assert told == [*range(1, steps + 1)]
    gaps = {after - before for before, after in pairwise(told)}
    assert max(gaps, default=0) <= -(-steps // MOST)
    scored = [step.step for step in found if step.dev_score is not None]
    assert len(scored) >= min(len(checked), MOST // 2)
    assert set(scored) == checked & set(told)


def test_each_step_is_told_once_and_the_same_whenever_the_log_is_looked_at(tmp_path: Path) -> None:
    log, steps = tmp_path / "log", 1000
    lines = [line(step, score=0.5 if step % 12 == 0 else None) for step in range(1, steps + 1)]
    often, told = Curve(log, steps), []
    assert often.look(last=True) == []
    for start in range(0, steps, 7):
        with log.open("a") as file:
            file.write("".join(lines[start : start + 7]))
        told += often.look()
        often.take_off()
    assert often.look() == []
    assert told == Curve(log, steps).look()


def test_what_could_not_be_kept_is_told_again(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line(1) + line(2))
    curve = Curve(tmp_path / "log", 10)
    assert numbers(curve.look()) == [1, 2]
    with (tmp_path / "log").open("a") as file:
        file.write(line(3))
    assert numbers(curve.look()) == [1, 2, 3]


def test_a_log_that_was_cut_is_read_anew_however_far_it_has_come_since(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(map(line, range(1, 7))))
    curve = Curve(log, 10)
    curve.look()
    curve.take_off()
    kept = [line(step) for step in range(1, 5)]
    for further in (0, 1, 2, 5):
        loss = 9.0 + further
        log.write_text("".join([*kept, *(line(step, loss=loss) for step in range(5, 5 + further))]))
        found = curve.look()
        curve.take_off()
        assert numbers(found)[-1] == 4 + further
        assert [step.loss for step in found if step.step > 4] == [loss] * further
    log.unlink()
    assert curve.look(last=True) == []


def test_what_has_no_place_on_a_curve_is_left_out(tmp_path: Path) -> None:
    wrong = ["[]", "7", "{}", '{"step": 3}', '{"step": Infinity, "loss": 1}', '{"step": 0, "loss": 1}', "\0", "\xff"]
    (tmp_path / "log").write_text(
        line(1)
        + "".join(f"{one}\n" for one in wrong)
        + line(2, loss=float("nan"))
        + line(4, norm=None)
        + '{"step": 5, "lo'
    )
    found = Curve(tmp_path / "log", 10).look()
    assert found == [FinetuneStep(1, 1.0, 1.5, 1e-5, None), FinetuneStep(4, 0.25, None, 1e-5, None)]
