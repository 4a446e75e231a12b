"""`pgduet models shrink` as a user runs it: what it shows, what it keeps, and what its gate turns down."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pgduet.cli import models_shrink
from pgduet.cli.models import models
from pgduet.encoding.store.layout import present_names
from pgduet.errors import PgduetError
from pgduet.training.errors import DataError
from pgduet.training.tuning.gate import Change, Gate

assert models_shrink  # Adds the command.


@pytest.fixture
def store(tiny_store: Path, tmp_path: Path) -> Path:
    """A copy of the store that nobody may change; its encoders have one layer."""
    import shutil

    return Path(shutil.copytree(tiny_store, tmp_path / "models"))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Thirty questions that are pieces of the codes that answer them."""
    rng = np.random.default_rng(3)
    codes = ["".join(rng.choice(list("abcdefghijklmnop(=+ "), 40)) for _ in range(30)]
    for name, rows in (
        ("q.jsonl", [{"query": code[:20], "code_id": row} for row, code in enumerate(codes)]),
        ("c.jsonl", [{"code_id": row, "code": code} for row, code in enumerate(codes)]),
    ):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return ["--queries", str(tmp_path / "q.jsonl"), "--codes", str(tmp_path / "c.jsonl")]


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(models, ["shrink", *arguments], env={"PGDUET_MODELS_DIR": str(store)})


def test_it_shows_size_speed_and_score_and_keeps_the_duet(store: Path, files: list[str]) -> None:
    done = run(store, "tiny", "smaller", "--int8", "--most-lost", "0.5", *files, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["model"], said["made_of"]) == ("smaller", "tiny")
    assert (said["gate"]["passed"], said["gate"]["questions"]) == (True, 30)
    # Their matrices are too small for eight bits: same weights, same vectors, same scores.
    assert said["gate"]["before"] == said["gate"]["after"] > 0.1
    assert all(rate > 0 for rate in said["texts_per_second"])
    assert present_names(store) == ["smaller", "tiny"]


def test_one_that_lost_too_much_is_kept_by_force_only(
    store: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = Gate(None, 0.0, {}, Change(30, 0.8, 0.7, -0.2, -0.05), 0.01)
    monkeypatch.setattr("pgduet.training.shrinking.Gate", lambda *_: worse)
    done = run(store, "tiny", "smaller", "--int8", *files)
    assert isinstance(done.exception, PgduetError)
    assert "smaller is worse by more than 0.01" in str(done.exception)
    assert "-0.1000 [-0.2000" in str(done.exception)
    assert "--force" in (done.exception.hint or "")
    assert "0.8000" in done.stdout
    assert "0.7000" in done.stdout
    assert present_names(store) == ["tiny"]
    assert run(store, "tiny", "smaller", "--int8", "--force", *files).exit_code == 0
    assert present_names(store) == ["smaller", "tiny"]


@pytest.mark.parametrize(("found", "told"), [(0.9871, "0.9871"), (float("nan"), "nan")])
def test_eight_bits_that_move_a_vector_too_far_are_turned_down(
    store: Path, files: list[str], monkeypatch: pytest.MonkeyPatch, found: float, told: str
) -> None:
    monkeypatch.setattr("pgduet.training.shrinking._least_cosine", lambda _, __, slot: 1.0 if slot == "text" else found)
    done = run(store, "tiny", "smaller", "--int8", *files)
    assert isinstance(done.exception, PgduetError)
    assert f"too far off: a code vector has a cosine of {told}, not 0.99" in str(done.exception)
    assert "a text vector" not in str(done.exception)
    assert present_names(store) == ["tiny"]


@pytest.mark.parametrize(
    ("arguments", "kept"), [(["--bfloat16"], False), (["--bfloat16", "--int8"], True), (["--int8"], True)]
)
def test_bfloat16_has_to_stay_nearer_than_eight_bits(
    store: Path, files: list[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], kept: bool
) -> None:
    monkeypatch.setattr("pgduet.training.shrinking._least_cosine", lambda *_: 0.9991)
    done = run(store, "tiny", "smaller", *arguments, "--most-lost", "0.5", *files)
    assert (done.exit_code == 0) == kept, done.output
    if not kept:
        assert "a code vector has a cosine of 0.9991, not 0.9995" in str(done.exception)
    assert present_names(store) == (["smaller", "tiny"] if kept else ["tiny"])


def test_only_halves_with_all_their_layers_have_to_be_near_to_what_they_were(store: Path, files: list[str]) -> None:
    done = run(store, "tiny", "smaller", "--int8", "--code-layers", "1", *files, "--json")
    assert done.exit_code == 0, done.output
    (cosine,) = json.loads(done.stdout)["gate"]["least_cosines"].items()
    assert cosine == ("text", pytest.approx(1, abs=1e-5))


@pytest.mark.parametrize(
    ("arguments", "error", "what"),
    [
        (["tiny", "smaller"], PgduetError, "nothing was asked for"),
        (["tiny", "smaller", "--int8"], DataError, "no place to take queries"),
        (["tiny", "smaller", "--bfloat16", "--int8-activations"], PgduetError, "leave nothing to compute in bfloat16"),
        (["tiny", "tiny", "--int8", "FILES"], PgduetError, "the name 'tiny' is taken"),
        (["none", "smaller", "--int8", "FILES"], PgduetError, "'none' is not in the model store"),
        (["tiny", "smaller", "--code-layers", "2", "FILES"], PgduetError, "2 layers are wanted"),
        (["tiny", "../up", "--int8", "FILES"], PgduetError, "up"),
    ],
)
def test_a_wrong_request_is_told_before_anything_is_computed(
    store: Path, files: list[str], arguments: list[str], error: type[Exception], what: str
) -> None:
    given = [word for part in arguments for word in (files if part == "FILES" else [part])]
    done = run(store, *given)
    assert isinstance(done.exception, error), done.output
    assert what in str(done.exception)
    assert present_names(store) == ["tiny"]
