"""`pgduet evaluate` beside other ways to rank: BM25, another duet, a picture; and what it refuses."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from fix_hub import duet_of
from pgduet.cli.evaluate import register
from pgduet.cli.evaluate_picture import figure
from pgduet.cli.scoring import Against, Run
from pgduet.encoding.errors import StoreError
from pgduet.encoding.manifest import Role
from pgduet.encoding.sources import FolderSource
from pgduet.encoding.store.install import install
from pgduet.encoding.store.reweighting import reweighted
from pgduet.errors import PgduetError
from pgduet.training.errors import DataError, MissingError
from pgduet.training.evaluation import Difference, Evaluation
from pgduet.training.evaluation import Result as Scored
from pgduet.training.metrics import METRICS, Estimate
from pgduet.training.probe import pairs


@pytest.fixture(scope="module")
def store(checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of `tiny`, of `heavy` with other weights, and of `other` with other encoders."""
    store = tmp_path_factory.mktemp("evaluate_store")
    code, text = (FolderSource(str(folder), "transformers") for folder in checkpoints)
    prefix = {Role.DOCUMENT: "passage: ", Role.QUERY: "query: "}
    install(duet_of(code, text, prefix=prefix), None, store, lambda *_: None, False)
    install(duet_of(text, code, name="other"), None, store, lambda *_: None, False)
    reweighted("tiny", "heavy", (0.9, 0.1), store)
    return store


@pytest.fixture(scope="module")
def words(store: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line that scores `tiny` on the pairs of the probe."""
    folder = tmp_path_factory.mktemp("evaluate_files")
    queries, codes = folder / "q.jsonl", folder / "c.jsonl"
    asked = [{"query": query, "code_id": row} for row, (query, _) in enumerate(pairs())]
    stored = [{"code_id": row, "code": code} for row, (_, code) in enumerate(pairs())]
    queries.write_text("".join(json.dumps(one) + "\n" for one in asked))
    codes.write_text("".join(json.dumps(one) + "\n" for one in stored))
    files = ["--queries", str(queries), "--codes", str(codes), "--vectors", str(folder / "v.npz")]
    return ["--model", "tiny", "--models-dir", str(store), *files]


def run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, list(arguments))


def found(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.exception
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def difference(read: dict[str, Any], other: str) -> dict[str, Any]:
    (one,) = (one for one in read["differences"] if one["minus"] == other)
    assert isinstance(one, dict)
    return one


def test_against_itself_every_difference_is_exactly_none(words: list[str]) -> None:
    read = found(*words, "--against", "tiny")
    assert read["against"] == {"model": "tiny", "fingerprint": read["fingerprint"]}
    one = difference(read, "against")
    for metric in METRICS:
        assert (one[metric], one["intervals"][metric]) == (0, [0, 0])


def test_another_duet_scores_what_it_scores_alone(words: list[str]) -> None:
    alone = found(*words, "--model", "heavy")
    other = found(*words, "--model", "other", "--vectors", str(Path(words[-1]).with_name("v.npz.other")))
    for name, expected in (("heavy", alone), ("other", other)):
        read = found(*words, "--against", name)
        assert read["against"] == {"model": name, "fingerprint": expected["fingerprint"]}
        (result,) = (one for one in read["results"] if one["part"] == "against")
        assert {**result, "part": "both"} == expected["results"][0]
        for metric in METRICS:
            gain = read["results"][0][metric] - expected["results"][0][metric]
            assert difference(read, "against")[metric] == pytest.approx(gain)
    assert read["results"][0]["ndcg@10"] != other["results"][0]["ndcg@10"]


def test_vectors_of_the_other_duet_are_kept_in_a_file_beside(words: list[str], tmp_path: Path) -> None:
    kept = ["--vectors", str(tmp_path / "v.npz")]
    # Other weights need no other vectors.
    found(*words, *kept, "--against", "heavy")
    assert [path.name for path in tmp_path.iterdir()] == ["v.npz"]
    first = found(*words, *kept, "--against", "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.npz", "v.npz.other"]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert found(*words, *kept, "--against", "other") == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_bm25_has_a_row_of_its_own_and_a_difference(words: list[str]) -> None:
    read = found(*words, "--bm25")
    (result,) = (one for one in read["results"] if one["part"] == "bm25")
    assert result["weights"] is None
    # Random encoders know nothing; the pairs of the probe share some words.
    assert result["ndcg@10"] > read["results"][0]["ndcg@10"]
    assert difference(read, "bm25")["intervals"]["ndcg@10"][1] < 0
    shown = run(*words, "--bm25", "--against", "heavy").stdout
    for row in ("| BM25 (words alone) ", "| both halves of heavy ", "| both - bm25 ", "| both - heavy "):
        assert row in shown
    assert "\nagainst heavy " in shown


def test_calibrated_weights_are_compared_on_the_scored_half_too(words: list[str]) -> None:
    read = found(*words, "--bm25", "--against", "heavy", "--calibrate")
    assert read["queries"] == 10
    assert [one["part"] for one in read["results"]] == ["both", "code", "text", "before", "bm25", "against"]


def test_human_eval_is_a_source(store: Path) -> None:
    read = found("--model", "tiny", "--models-dir", str(store), "--humaneval", "--bm25")
    assert (read["source"], read["queries"], read["codes"], read["distinct_codes"]) == ("HumanEval", 164, 164, 164)
    (words_alone,) = (one for one in read["results"] if one["part"] == "bm25")
    # Measured: 0.5737, whatever the duet.
    assert words_alone["ndcg@10"] == pytest.approx(0.574, abs=0.005)


def evaluation() -> tuple[Run, Evaluation]:
    """Make scores of four ways to rank that are all different."""

    def scores(start: float) -> dict[str, Estimate]:
        return {
            metric: Estimate(start + n / 50, start + n / 50 - 0.03, start + n / 50 + 0.05)
            for n, metric in enumerate(METRICS)
        }

    parts = {"both": 0.6, "code": 0.5, "bm25": 0.3, "against": 0.7}
    results = [Scored(part, None, scores(start)) for part, start in parts.items()]
    differences = [Difference("both", part, scores(0)) for part in list(parts)[1:]]
    run = Run("tiny", "f00d", 40, 40, 0, 1e-6, "HumanEval", Against("heavy", "beef"))
    return run, Evaluation(20, results, differences)


def test_the_picture_shows_every_score_with_its_interval() -> None:
    run, scored = evaluation()
    drawn = figure(run, scored)
    assert [axes.get_title() for axes in drawn.axes] == list(METRICS)
    assert "tiny f00d on HumanEval: 20 queries, 40 codes" in drawn.get_suptitle()
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels == ["both halves", "code half alone", "BM25 (words alone)", "both halves of heavy"]
    for axes, metric in zip(drawn.axes, METRICS, strict=True):
        for place, (container, result) in enumerate(zip(axes.containers, scored.results, strict=True)):
            point, _, (bar,) = container.lines  # type: ignore[attr-defined]
            expected = result.scores[metric]
            assert (list(point.get_xdata()), list(point.get_ydata())) == (
                [pytest.approx(100 * expected.value)],
                [place],
            )
            ((left, right),) = bar.get_segments()
            assert left.tolist() == pytest.approx([100 * expected.low, place])
            assert right.tolist() == pytest.approx([100 * expected.high, place])
    # The first way is on top.
    assert drawn.axes[0].get_ylim() == (3.5, -0.5)


def test_the_picture_is_a_file_of_its_format(words: list[str], tmp_path: Path) -> None:
    heads = {"s.png": b"\x89PNG\r\n\x1a\n", "s.svg": b"<?xml", "s.pdf": b"%PDF"}
    for name, head in heads.items():
        assert run(*words, "--bm25", "--picture", str(tmp_path / name)).exit_code == 0
        content = (tmp_path / name).read_bytes()
        assert content.startswith(head)
        assert len(content) > 3_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("s.bmp", "cannot draw a picture into"),
        ("s", "cannot draw a picture into"),
        ("nowhere/s.png", "cannot write the picture to"),
        (".", "cannot draw a picture into"),
        ("folder.png", "cannot write the picture to"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused_before_anything_is_encoded(
    words: list[str], tmp_path: Path, wrong: str, message: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    vectors = tmp_path / "v.npz"
    result = run(*words, "--vectors", str(vectors), "--picture", str(tmp_path / wrong))
    assert isinstance(result.exception, DataError)
    assert message in str(result.exception)
    assert not vectors.exists()


def test_without_matplotlib_the_error_names_the_extra(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgduet.cli.evaluate_picture.find_spec", lambda _: None)
    result = run(*words, "--picture", str(tmp_path / "s.png"))
    assert isinstance(result.exception, MissingError)
    assert result.exception.hint == "run: pip install 'pgduet[bench]'"
    assert run(*words).exit_code == 0


def test_without_bm25s_nothing_is_encoded(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    result = run(*words, "--vectors", str(tmp_path / "v.npz"), "--bm25")
    assert isinstance(result.exception, MissingError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "no place to take queries and codes from"),
        (["--humaneval", "--table"], "several places"),
        (["--humaneval", "--codes", "c.jsonl"], "several places"),
        (["--table", "--queries", "q.jsonl"], "several places"),
        (["--queries", "q.jsonl"], "--codes is lacking"),
        (["--codes", "c.jsonl"], "--queries is lacking"),
    ],
)
def test_exactly_one_source_is_needed(source: list[str], message: str) -> None:
    result = run(*source)
    assert isinstance(result.exception, DataError)
    assert message in str(result.exception)
    assert result.exception.hint == "name one of: --queries FILE with --codes FILE, --table, or --humaneval"


@pytest.mark.parametrize("option", ["--model", "--against"])
def test_a_duet_that_is_not_there_is_refused_before_anything_is_encoded(
    words: list[str], tmp_path: Path, option: str
) -> None:
    vectors = tmp_path / "v.npz"
    result = run(*words, "--vectors", str(vectors), option, "nobody")
    assert isinstance(result.exception, StoreError)
    assert "the duet 'nobody' is not in the model store" in str(result.exception)
    assert not vectors.exists()


def test_the_active_duet_needs_a_database(words: list[str]) -> None:
    result = run(*words, "--against", "active", "--dsn", "host=/nonexistent")
    assert isinstance(result.exception, PgduetError)
    assert "cannot connect to PostgreSQL" in str(result.exception)
