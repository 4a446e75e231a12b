"""`pgduet evaluate`, `pgduet models calibrate` and `pgduet models probe`."""

import json
import re
import resource
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from pgduet.cli.evaluate import register as register_evaluate
from pgduet.cli.models import models
from pgduet.cli.models_quality import calibrate, probe
from pgduet.encoding import Duet, Role, load_duet
from pgduet.encoding.manifest import read_manifest
from pgduet.errors import PgduetError
from pgduet.training.errors import CalibrationError, DataError
from pgduet.training.probe import pairs
from pgduet.training.vectors import halves_key, vectors_of

METRICS = ("ndcg@10", "mrr@10", "recall@10")


@dataclass(frozen=True)
class Files:
    queries: Path
    codes: Path
    vectors: Path
    store: Path

    @property
    def data(self) -> list[str]:
        named = {"queries": self.queries, "codes": self.codes, "vectors": self.vectors, "models-dir": self.store}
        return [word for name, path in named.items() for word in (f"--{name}", str(path))]

    @property
    def evaluate(self) -> list[str]:
        return ["evaluate", "--model", "tiny", *self.data]

    @property
    def calibrate(self) -> list[str]:
        return ["models", "calibrate", "tiny", *self.data]


def lines(path: Path, *objects: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tiny(tiny_store: Path) -> Duet:
    """A loaded duet of two small random encoders."""
    return load_duet("tiny", tiny_store)


@pytest.fixture(scope="module")
def files(tiny: Duet, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The pairs of the probe as files, with their vectors, so that no command has to load the encoders."""
    folder = tmp_path_factory.mktemp("evaluate")
    queries, codes = zip(*pairs(), strict=True)
    made = Files(
        lines(folder / "q.jsonl", *({"query": query, "code_id": row} for row, query in enumerate(queries))),
        lines(folder / "c.jsonl", *({"code_id": row, "code": code} for row, code in enumerate(codes))),
        folder / "v.npz",
        tiny_store,
    )
    key = halves_key(read_manifest(tiny_store / "tiny" / "duet.toml"))
    vectors_of({Role.QUERY: queries, Role.DOCUMENT: codes}, key, lambda: tiny, made.vectors, lambda *_: None)
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


def test_the_json_holds_every_part_with_its_intervals(files: Files, tiny: Duet) -> None:
    found = json.loads(printed(*files.evaluate, "--json"))
    assert (found["model"], found["fingerprint"]) == ("tiny", tiny.fingerprint)
    assert (found["queries"], found["codes"], found["distinct_codes"], found["unusable"]) == (20, 20, 20, 0)
    assert (found["weights"]["code"], found["weights"]["text"]) == tiny.weights
    assert [result["part"] for result in found["results"]] == ["both", "code", "text"]
    for result in found["results"]:
        for metric in METRICS:
            low, high = result["intervals"][metric]
            assert 0 <= low <= result[metric] <= high <= 1
            assert low < high
    assert [(one["part"], one["minus"]) for one in found["differences"]] == [("both", "code"), ("both", "text")]
    assert found["differences"][0]["ndcg@10"] == pytest.approx(
        found["results"][0]["ndcg@10"] - found["results"][1]["ndcg@10"]
    )
    assert found == json.loads(printed(*files.evaluate, "--json"))


def test_the_ranking_is_that_of_the_fused_vectors(files: Files, tiny: Duet) -> None:
    found = json.loads(printed(*files.evaluate, "--json"))
    queries, codes = zip(*pairs(), strict=True)
    asked, stored = (
        tiny.encode(tiny.tokenise(texts, role)).embeddings
        for texts, role in ((queries, Role.QUERY), (codes, Role.DOCUMENT))
    )
    scores = asked @ stored.T
    ranks = (scores >= np.diag(scores)[:, None]).sum(axis=1)
    assert found["results"][0]["mrr@10"] == pytest.approx(np.where(ranks <= 10, 1 / ranks, 0).mean())


def test_the_table_says_what_was_scored_in_percent(files: Files) -> None:
    shown = printed(*files.evaluate)
    assert "20 queries, 20 codes" in shown
    for row in ("both halves", "code half alone", "text half alone"):
        assert re.search(rf"\| {row} +\|.*\d\d\.\d \[\d\d\.\d, \d+\.\d\]", shown), row
    assert re.search(r"both - code +\| +[+-]\d+\.\d \[[+-]\d", shown)


def test_calibrated_weights_are_scored_on_the_other_queries_beside_those_of_the_manifest(files: Files) -> None:
    found = json.loads(printed(*files.evaluate, "--calibrate", "--json"))
    assert found["queries"] == 10
    assert found["calibration"]["queries"] == 10
    assert found["weights"] == found["calibration"]["weights"]
    spread = found["calibration"]["text_std"] / found["calibration"]["code_std"]
    assert found["weights"]["code"] / found["weights"]["text"] == pytest.approx(spread, rel=1e-3)
    before = next(result for result in found["results"] if result["part"] == "before")
    assert before["weights"] == {"code": 0.5, "text": 0.5}
    assert "both, weights of the manifest" in printed(*files.evaluate, "--calibrate")


def test_models_calibrate_shows_the_same_as_evaluate(files: Files) -> None:
    evaluated = json.loads(printed(*files.evaluate, "--calibrate", "--json"))
    calibrated = json.loads(printed(*files.calibrate, "--json"))
    assert calibrated.pop("written") is None
    assert calibrated == evaluated


def test_models_calibrate_needs_no_answers_and_then_shows_no_score(files: Files, tmp_path: Path) -> None:
    queries = lines(tmp_path / "q.jsonl", *({"query": query} for query, _ in pairs()))
    bare = replace(files, queries=queries)
    found = json.loads(printed(*bare.calibrate, "--json"))
    assert found["calibration"]["pairs"] == 400
    assert "results" not in found
    assert "no scores: not every query names its answer" in printed(*bare.calibrate)


def test_models_calibrate_writes_a_duet_with_the_new_weights(files: Files, tmp_path: Path) -> None:
    copied = replace(files, store=tmp_path)
    (tmp_path / "tiny").symlink_to(files.store / "tiny")
    found = json.loads(printed(*copied.calibrate, "--write", "mine", "--json"))
    assert found["written"] == str(tmp_path / "mine")
    mine = load_duet("mine", tmp_path)
    assert mine.weights == (found["weights"]["code"], found["weights"]["text"])
    mine.self_test()
    assert mine.fingerprint != found["fingerprint"]
    # Its halves are the same, and so are their vectors.
    again = json.loads(printed("evaluate", "--model", "mine", *copied.data, "--json"))
    assert (again["fingerprint"], again["weights"]) == (mine.fingerprint, found["weights"])


@pytest.mark.parametrize(("name", "message"), [("tiny", "taken"), ("small", "taken"), ("../x", "`name` must hold")])
def test_a_name_that_cannot_be_written_is_refused_before_anything_is_encoded(
    files: Files, tmp_path: Path, name: str, message: str
) -> None:
    fresh = replace(files, vectors=tmp_path / "v.npz")
    result = run(*fresh.calibrate, "--write", name)
    assert isinstance(result.exception, PgduetError)
    assert message in str(result.exception)
    assert not fresh.vectors.exists()
    assert result.stdout == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_scores_are_shown_even_where_the_duet_cannot_be_written(files: Files, tmp_path: Path, as_json: bool) -> None:
    copied = replace(files, store=tmp_path)
    shutil.copytree(files.store / "tiny", tmp_path / "tiny")
    # The vectors are there already, so that only writing looks at the files.
    (tmp_path / "tiny" / "code" / "config.json").write_text("{}")
    result = run(*copied.calibrate, "--write", "mine", *["--json"][: int(as_json)])
    assert isinstance(result.exception, PgduetError)
    assert "config.json has sha256" in str(result.exception)
    if as_json:
        shown = json.loads(result.stdout)
        assert shown["written"] is None
        assert shown["results"][0]["part"] == "both"
    else:
        assert "both halves" in result.stdout
        assert "is complete in" not in result.stdout


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow above 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_scores_are_shown_even_where_the_vectors_cannot_be_kept(files: Files, tmp_path: Path, command: str) -> None:
    fresh = replace(files, vectors=tmp_path / "v.npz")
    result = run(*getattr(fresh, command))
    assert isinstance(result.exception, DataError)
    assert "cannot write the vectors" in str(result.exception)
    assert "both halves" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_scores_of_a_duet_in_bfloat16_are_equal_within_what_batches_change(files: Files, tmp_path: Path) -> None:
    """The vectors of the file stand in for those of the duet in bfloat16, of which only the manifest is read."""
    shutil.copytree(files.store / "tiny", tmp_path / "tiny")
    path = tmp_path / "tiny" / "duet.toml"
    path.write_text(path.read_text().replace('dtype = "float32"', 'dtype = "bfloat16"'))
    with np.load(files.vectors) as kept:
        np.savez(tmp_path / "v.npz", **{**kept, "key": np.array(halves_key(read_manifest(path)))})
    exact = json.loads(printed(*files.evaluate, "--json"))
    rounded = json.loads(printed(*replace(files, store=tmp_path, vectors=tmp_path / "v.npz").evaluate, "--json"))
    assert (exact["tie"], rounded["tie"]) == (1e-6, 1e-3)
    # Random encoders give many cosines nearer than that to each other.
    assert rounded["results"][1]["mrr@10"] < exact["results"][1]["mrr@10"]


def test_probe_says_that_these_encoders_leave_no_choice(tiny_store: Path) -> None:
    found = json.loads(printed("models", "probe", "tiny", "--json", "--models-dir", str(tiny_store)))
    assert [half["part"] for half in found["halves"]] == ["code", "text"]
    for half in found["halves"]:
        assert not half["has_choice"]
        assert "nothing to choose" in half["advice"]
        (variant,) = half["variants"]
        assert variant["in_use"]
        assert 0 < variant["mrr@10"] < 1


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
    wrong = replace(files, queries=lines(tmp_path / "q.jsonl", query))
    result = run(*wrong.evaluate, "--calibrate")
    assert isinstance(result.exception, error)
    assert re.search(message, str(result.exception))


def test_a_limit_without_room_for_the_answers_is_refused_before_anything_is_encoded(files: Files) -> None:
    result = run(*files.evaluate, "--limit", "19")
    assert isinstance(result.exception, DataError)
    assert "no room for the 20 codes" in str(result.exception)


@pytest.mark.parametrize("command", [["evaluate"], ["models", "calibrate"], ["models", "probe"]])
def test_help_shows_an_example(command: list[str]) -> None:
    assert f"pgduet {' '.join(command)}" in printed(*command, "--help")
