"""`pgduet evaluate`, `pgduet models calibrate` and `pgduet models probe`."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from pgduet.cli.evaluate import register as register_evaluate
from pgduet.cli.models import models
from pgduet.cli.models_quality import calibrate, probe
from pgduet.encoding import Duet, Role, load_duet
from pgduet.encoding.manifest import parse_manifest, ready_made
from pgduet.encoding.store.layout import store_folder
from pgduet.training.errors import CalibrationError, DataError
from pgduet.training.probe import pairs
from pgduet.training.vectors import halves_key, vectors_of

METRICS = ("ndcg@10", "mrr@10", "recall@10")


@dataclass(frozen=True)
class Files:
    queries: Path
    codes: Path
    vectors: Path

    @property
    def options(self) -> list[str]:
        return ["--queries", str(self.queries), "--codes", str(self.codes), "--vectors", str(self.vectors)]


def lines(path: Path, *objects: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(duet: Duet, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The pairs of the probe as files, with their vectors, so that no command has to load the encoders."""
    folder = tmp_path_factory.mktemp("evaluate")
    queries, codes = zip(*pairs(), strict=True)
    made = Files(
        lines(folder / "q.jsonl", *({"query": query, "code_id": row} for row, query in enumerate(queries))),
        lines(folder / "c.jsonl", *({"code_id": row, "code": code} for row, code in enumerate(codes))),
        folder / "v.npz",
    )
    key = halves_key(parse_manifest(ready_made()["small"], "small"))
    vectors_of({Role.QUERY: queries, Role.DOCUMENT: codes}, key, lambda: duet, made.vectors, lambda *_: None)
    return made


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register_evaluate(app)
    app.add_typer(models, name="models")
    assert {calibrate, probe} <= {command.callback for command in models.registered_commands}
    return CliRunner().invoke(app, list(arguments))


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_the_json_holds_every_part_with_its_intervals(files: Files, duet: Duet) -> None:
    found = json.loads(printed("evaluate", *files.options, "--json"))
    assert (found["model"], found["fingerprint"]) == ("small", duet.fingerprint)
    assert (found["queries"], found["codes"], found["distinct_codes"], found["unusable"]) == (20, 20, 20, 0)
    assert (found["weights"]["code"], found["weights"]["text"]) == duet.weights
    assert [result["part"] for result in found["results"]] == ["both", "code", "text"]
    for result in found["results"]:
        for metric in METRICS:
            low, high = result["intervals"][metric]
            assert 0.5 < low <= result[metric] <= high <= 1
    assert [(one["part"], one["minus"]) for one in found["differences"]] == [("both", "code"), ("both", "text")]
    assert found["differences"][0]["ndcg@10"] == pytest.approx(
        found["results"][0]["ndcg@10"] - found["results"][1]["ndcg@10"]
    )
    assert found == json.loads(printed("evaluate", *files.options, "--json"))


def test_the_ranking_is_that_of_the_fused_vectors(files: Files, duet: Duet) -> None:
    found = json.loads(printed("evaluate", *files.options, "--json"))
    queries, codes = zip(*pairs(), strict=True)
    asked, stored = (
        duet.encode(duet.tokenise(texts, role)).embeddings
        for texts, role in ((queries, Role.QUERY), (codes, Role.DOCUMENT))
    )
    scores = asked @ stored.T
    ranks = (scores >= np.diag(scores)[:, None]).sum(axis=1)
    assert found["results"][0]["mrr@10"] == pytest.approx(np.where(ranks <= 10, 1 / ranks, 0).mean())


def test_the_table_says_what_was_scored_in_percent(files: Files) -> None:
    shown = printed("evaluate", *files.options)
    assert "20 queries, 20 codes" in shown
    for row in ("both halves", "code half alone", "text half alone"):
        assert re.search(rf"\| {row} +\|.*\d\d\.\d \[\d\d\.\d, \d+\.\d\]", shown), row
    assert re.search(r"both - code +\| +[+-]\d+\.\d \[[+-]\d", shown)


def test_calibrated_weights_are_scored_on_the_other_queries_beside_those_of_the_manifest(files: Files) -> None:
    found = json.loads(printed("evaluate", *files.options, "--calibrate", "--json"))
    assert found["queries"] == 10
    assert found["calibration"]["queries"] == 10
    assert found["weights"] == found["calibration"]["weights"]
    spread = found["calibration"]["text_std"] / found["calibration"]["code_std"]
    assert found["weights"]["code"] / found["weights"]["text"] == pytest.approx(spread, rel=1e-3)
    assert found["weights"]["code"] < 0.3
    before = next(result for result in found["results"] if result["part"] == "before")
    assert before["weights"] == {"code": 0.5, "text": 0.5}
    assert "both, weights of the manifest" in printed("evaluate", *files.options, "--calibrate")


def test_models_calibrate_shows_the_same_as_evaluate(files: Files) -> None:
    evaluated = json.loads(printed("evaluate", *files.options, "--calibrate", "--json"))
    calibrated = json.loads(printed("models", "calibrate", "small", *files.options, "--json"))
    assert calibrated.pop("written") is None
    assert calibrated == evaluated


def test_models_calibrate_needs_no_answers_and_then_shows_no_score(files: Files, tmp_path: Path) -> None:
    queries = lines(tmp_path / "q.jsonl", *({"query": query} for query, _ in pairs()))
    bare = Files(queries, files.codes, files.vectors)
    found = json.loads(printed("models", "calibrate", "small", *bare.options, "--json"))
    assert found["calibration"]["pairs"] == 400
    assert "results" not in found
    assert "no scores: not every query names its answer" in printed("models", "calibrate", "small", *bare.options)


def test_models_calibrate_writes_a_duet_with_the_new_weights(files: Files, tmp_path: Path) -> None:
    (tmp_path / "small").symlink_to(store_folder() / "small")
    store = ["--models-dir", str(tmp_path)]
    found = json.loads(printed("models", "calibrate", "small", *files.options, "--write", "mine", "--json", *store))
    assert found["written"] == str(tmp_path / "mine")
    mine = load_duet("mine", tmp_path)
    assert mine.weights == (found["weights"]["code"], found["weights"]["text"])
    mine.self_test()
    assert mine.fingerprint != found["fingerprint"]
    # Its halves are the same, and so are their vectors.
    again = json.loads(printed("evaluate", "--model", "mine", *files.options, "--json", *store))
    assert (again["fingerprint"], again["weights"]) == (mine.fingerprint, found["weights"])


def test_probe_says_that_these_encoders_leave_no_choice() -> None:
    found = json.loads(printed("models", "probe", "small", "--json"))
    assert [half["part"] for half in found["halves"]] == ["code", "text"]
    for half in found["halves"]:
        assert not half["has_choice"]
        assert "nothing to choose" in half["advice"]
        (variant,) = half["variants"]
        assert variant["in_use"]
        assert 0.7 < variant["mrr@10"] < 1


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ({"query": "a", "code_id": 99}, DataError, r"q\.jsonl, line 1: no code has the code_id 99"),
        ({"query": "", "code_id": 1}, DataError, r"q\.jsonl, line 1: query is blank"),
        ({"query": "open", "code_id": 1}, CalibrationError, "one query cannot be split"),
    ],
)
def test_what_a_person_can_mend_is_told(
    files: Files, tmp_path: Path, query: dict[str, object], error: type[Exception], message: str
) -> None:
    wrong = Files(lines(tmp_path / "q.jsonl", query), files.codes, tmp_path / "v.npz")
    result = run("evaluate", *wrong.options, "--calibrate")
    assert isinstance(result.exception, error)
    assert re.search(message, str(result.exception))


def test_a_limit_without_room_for_the_answers_is_refused_before_anything_is_encoded(files: Files) -> None:
    result = run("evaluate", *files.options, "--limit", "19")
    assert isinstance(result.exception, DataError)
    assert "no room for the 20 codes" in str(result.exception)


@pytest.mark.parametrize("command", [["evaluate"], ["models", "calibrate"], ["models", "probe"]])
def test_help_shows_an_example(command: list[str]) -> None:
    assert f"pgduet {' '.join(command)}" in printed(*command, "--help")
