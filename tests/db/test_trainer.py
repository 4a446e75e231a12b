"""Trainers with real processes: what becomes of a run, whoever dies or is stopped meanwhile."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import typer
from typer.testing import CliRunner

from fix_database import Database
from fix_generations import TwoDuets, add_chunks, evaluated, scalar, work
from fix_pooler import pooled
from fix_sidecar import open_directory
from fix_trainer import Bench, is_alive
from fix_worker import running, wait_until
from pgduet.cli.trainer import register
from pgduet.database.connection import connect
from pgduet.database.errors import SchemaError
from pgduet.database.generations import Generation
from pgduet.errors import PgduetError
from pgduet.migrations.schema import require_known
from pgduet.training.requests.child import Child
from pgduet.training.requests.options import Options
from pgduet.training.requests.progress import LOG, read_progress
from pgduet.training.requests.promotion import Promotion
from pgduet.training.requests.trainer import Trainer
from pgduet.training.tuning.loop import LOG as WRITTEN
from pgduet.training.tuning.recipe import run_folder
from pgduet.v1 import embedding_pb2 as pb
from pgduet.worker.loop import Worker

PGDUET = str(Path(sys.executable).with_name("pgduet"))
ALL = {
    "batch": 8, "rate": 1e-4, "margin": 0.4, "max_tokens": 48, "patience": 0, "check_every": 1, "share": 1,
    "least_gain": -1, "seed": 3,
}  # fmt: skip


@pytest.mark.slow
def test_a_real_run_whose_trainer_is_killed_goes_on_and_is_judged(tiny_bench: Bench) -> None:
    bench, environment = tiny_bench, {"PGDUET_MODELS_DIR": str(tiny_bench.store)}
    log = run_folder("tuned", bench.store) / WRITTEN
    bench.ask(f"'tuned', steps => 16, options => '{json.dumps(ALL)}'")
    command = [PGDUET, "trainer", "--poll", "0.3", "--pause", "0", "--dsn", bench.database.conninfo]
    with running(command, bench.store / "first.log", environment) as first:
        wait_until(lambda: log.exists() and len(log.read_text().splitlines()) >= 3, 60, first.log_text())
        child = scalar(bench.session, "SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'pgduet'")
        assert child is None, "a transaction is open while training goes on"
        first.kill()
    wait_until(lambda: not is_trained(log), 10, "the command lived on")
    before = log.read_text().splitlines()
    assert 3 <= len(before) < 16
    assert bench.row()["state"] == "running"
    with running([*command, "--once"], bench.store / "second.log", environment) as second:
        assert second.process.wait(60) == 0, second.log_text()
    after = log.read_text().splitlines()
    # With their seconds: the steps before the last checkpoint were not done again.
    assert after[: len(before) - 1] == before[:-1]
    assert [json.loads(line)["step"] for line in after] == [*range(1, 17)]
    found = bench.row()
    assert (found["state"], found["attempts"], found["phase"]) == ("done", 2, None)
    assert found["status"] == ("promotable" if found["gate_passed"] else "not better")
    assert (found["step"], found["steps"], found["generation"]) == (16, 16, "tuned")
    assert found["generation_state"] == "building"
    assert (found["loss"], found["dev_score"]) == (json.loads(after[-1])["loss"], json.loads(after[-1])["score"])
    assert found["metric"] == "ndcg@10"
    assert found["questions"] >= 20
    assert found["gain_low"] <= found["score"] - found["score_before"] <= found["gain_high"]
    assert (bench.store / "tuned" / "duet.toml").exists()
    mined = scalar(bench.session, "SELECT count(*) FROM pgduet._mining")
    assert mined == 1
    curve = bench.session.execute(
        "SELECT step, loss, gradient_norm, learning_rate, dev_score FROM pgduet.finetune_curves ORDER BY step"
    ).fetchall()
    # The steps of both attempts, each once.
    told = [json.loads(line) for line in after]
    assert curve == [tuple(one[key] for key in ("step", "loss", "norm", "rate", "score")) for one in told]


def is_trained(log: Path) -> bool:
    """Tell whether a process trains the duet that this log is of."""
    commands = (Path(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit())
    return any(b"finetune" in text and log.parent.name.encode() in text for text in map(_read, commands))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_too_little_data_is_a_status_by_the_real_commands(bench: Bench) -> None:
    bench.ask()
    environment = {**bench.database.environment, "PGDUET_MODELS_DIR": str(bench.store)}
    with running([PGDUET, "trainer", "--once"], bench.store / "log", environment) as trainer:
        assert trainer.process.wait(60) == 0, trainer.log_text()
    found = bench.row()
    assert (found["state"], found["status"], found["attempts"]) == ("failed", "too little data", 1)
    assert "200 are needed: the table has 0 chunks" in found["error"]
    assert "hint: " in found["error"]


def test_a_trainer_refuses_a_schema_that_it_does_not_know_in_the_words_of_a_worker(bench: Bench) -> None:
    app = typer.Typer()
    register(app)
    dsn = f"{bench.database.conninfo} options='-c role=pgduet_admin'"
    with connect(dsn, autocommit=True) as admin:
        assert require_known(admin).current
    for revision, words in [("9999", "upgrade the pgduet package"), ("0001", "run `pgduet db migrate`")]:
        bench.session.execute("UPDATE pgduet._migration SET version_num = %s", (revision,))
        with pytest.raises(SchemaError, match=f"revision {revision}") as caught:
            Worker(lambda: connect(bench.database.conninfo, autocommit=True)).run()
        # Without --once, too: waiting does not mend it.
        refused = CliRunner().invoke(app, ["--dsn", dsn]).exception
        assert isinstance(refused, SchemaError)
        assert (str(refused), refused.hint) == (str(caught.value), caught.value.hint)
        assert words in refused.hint


def test_each_exit_code_has_its_status_and_is_final(bench: Bench) -> None:
    codes = {
        "3": "too little data",
        "4": "not finite",
        "5": "collapsed",
        "6": "nothing to learn",
        "mine:3": "too little data",
    }
    for number, (how, status) in enumerate(codes.items(), 1):
        bench.ask()
        bench.once(how)
        found = bench.row(number)
        assert (found["state"], found["status"], found["attempts"]) == ("failed", status, 1)
        assert found["error"] == f"it ended with {how[-1]}\nhint: do something about it"
        assert found["ended_at"] is not None
    # The line that is just being written is no step yet.
    assert (bench.row()["step"], bench.row()["loss"], bench.row()["dev_score"]) == (None, None, None)


def test_the_log_is_read_where_it_is_written(tmp_path: Path) -> None:
    assert LOG == WRITTEN
    assert Options(models_dir=tmp_path / "models").folder("x") == run_folder("x", tmp_path / "models")
    assert read_progress(tmp_path / LOG) is None
    (tmp_path / LOG).write_text('{"st')
    assert read_progress(tmp_path / LOG) is None


def test_other_failures_are_tried_again_and_a_refusal_begins_anew(bench: Bench) -> None:
    bench.ask("'x'")
    bench.once("1")
    found = bench.row()
    assert (found["state"], found["status"], found["attempts"]) == ("failed", "failed", 3)
    assert found["error"] == "training: it ended with 1\nhint: do something about it"
    assert [call[0] for call in bench.calls()] == ["mine", "finetune", "finetune", "mine", "finetune"]
    assert bench.calls()[1] == ["finetune", "x", "--objective=in-batch", "--part=both", "--steps=100"]


def test_a_command_that_is_killed_goes_on_with_what_was_mined(bench: Bench) -> None:
    checkpoints = bench.store.parent / "finetune" / "x" / "checkpoints"
    checkpoints.mkdir(parents=True)
    bench.database.set("finetune_attempts", "2")
    bench.ask("'x', options => '{\"seed\": 2.0, \"share\": 1}'")
    bench.once("die")
    found = bench.row()
    assert (found["state"], found["attempts"]) == ("failed", 2)
    assert found["error"] == "training: ended by SIGKILL: perhaps there was not enough memory"
    assert [call[0] for call in bench.calls()] == ["mine", "finetune", "finetune"]
    assert bench.calls()[0] == ["mine", "--seed=2"]
    assert bench.calls()[1][-2:] == ["--share=1", "--seed=2"]
    # They were of an earlier run of that name.
    assert not checkpoints.exists()


def test_without_mining_nothing_is_mined_and_a_run_that_made_no_generation_failed(bench: Bench) -> None:
    bench.database.set("finetune_attempts", "1")
    bench.ask("mine => false")
    bench.once("0")
    assert [call[0] for call in bench.calls()] == ["finetune"]
    found = bench.row()
    assert (found["state"], found["status"], found["step"]) == ("failed", "failed", 2)
    assert found["error"] == "the command ended well, but left no generation that was judged"


def test_a_run_is_cancelled_within_seconds_also_where_its_command_hangs_on(bench: Bench) -> None:
    bench.ask()
    with bench.trainer("stubborn"):
        found = bench.wait(phase="training", step=2)
        assert (found["loss"], found["gradient_norm"], found["dev_score"]) == (0.25, 1.5, 0.5)
        pid = bench.pid()
        assert is_alive(pid)
        assert scalar(bench.session, "SELECT pgduet.cancel_finetune(1)") == "the trainer is told to end run 1"
        wait_until(lambda: bench.row()["state"] == "cancelled", 5)
        assert not is_alive(pid)
        assert bench.row()["attempts"] == 1


def test_two_trainers_work_on_one_run_at_a_time(bench: Bench) -> None:
    notices: list[str] = []
    bench.session.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    with bench.trainer("hang", "one") as one, bench.trainer("hang", "two") as two:
        one.wait_for("connected")
        two.wait_for("connected")
        bench.ask()
        bench.ask()
        assert notices == []
        bench.wait(1, state="running", phase="training")
        first = bench.command()
        # Several looks of either.
        bench.session.execute("SELECT pg_sleep(1)")
        assert bench.row(2)["state"] == "requested"
        bench.session.execute("SELECT pgduet.cancel_finetune(1)")
        bench.wait(2, state="running", phase="training")
        assert bench.row(1)["state"] == "cancelled"
        assert not is_alive(first)


def test_a_trainer_that_is_stopped_leaves_no_command_and_gives_the_run_back(bench: Bench) -> None:
    bench.ask()
    for sign in (signal.SIGTERM, signal.SIGINT):
        with bench.trainer("stubborn") as trainer:
            pid = bench.command()
            assert bench.row()["state"] == "running"
            trainer.process.send_signal(sign)
            assert trainer.process.wait(10) == 0, trainer.log_text()
        assert not is_alive(pid)
        found = bench.row()
        assert (found["state"], found["attempts"], found["error"]) == ("requested", 0, None)
    # What was mined and trained is not done again.
    assert [call[0] for call in bench.calls()] == ["mine", "finetune", "finetune"]


def test_a_trainer_that_dies_takes_its_command_along_and_the_next_one_goes_on(bench: Bench) -> None:
    bench.ask()
    with bench.trainer("stubborn") as trainer:
        pid = bench.command()
        trainer.kill()
    wait_until(lambda: not is_alive(pid), 5, "the command lived on")
    assert bench.row()["state"] == "running"
    with bench.trainer("hang", "next"):
        bench.command()
        found = bench.wait(attempts=2, state="running", phase="training")
    assert "died while it was training" in found["error"]
    assert [call[0] for call in bench.calls()] == ["mine", "finetune", "finetune"]


def test_a_lost_connection_ends_the_command_and_is_not_counted(bench: Bench) -> None:
    bench.ask()
    with bench.trainer("stubborn"):
        pid = bench.command()
        bench.session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgduet trainer'"
            " AND datname = current_database()"
        )
        wait_until(lambda: not is_alive(pid), 10, "the command lived on")
        bench.command()
        assert bench.row()["attempts"] == 1


class Loading(TwoDuets):
    """Serve the second duet only once it was loaded."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.stored = {"other": self.served.pop("other")}

    def LoadModel(self, request: pb.LoadModelRequest, context: grpc.ServicerContext) -> pb.LoadModelResponse:  # noqa: N802
        if request.name not in self.stored:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} is not in the model store")
        self.served[request.name] = self.stored[request.name]
        return pb.LoadModelResponse(model=pb.Model(name=request.name), loaded=True)


@pytest.fixture
def judged(bench: Bench) -> Iterator[tuple[Bench, Loading]]:
    """Give a run that made a generation and found it better, and the sidecar that does not serve it yet."""
    with open_directory() as directory:
        sidecar = Loading(f"unix:{directory}/stub.sock")
        with sidecar:
            bench.database.set("sidecar_address", sidecar.address)
            bench.database.set("trigger_mode", "queue")
            add_chunks(bench.session, 20)
            work(bench.database)
            bench.ask("'other', promote => true")
            bench.session.execute("SELECT pgduet.add_generation('other')")
            evaluated(bench.session, "other")
            yield bench, sidecar


def promote(bench: Bench, patience: float = 0.0) -> None:
    bench.once("0", program=(PGDUET,), patience=patience, poll=0.1)


def test_a_better_duet_is_loaded_filled_and_promoted(
    judged: tuple[Bench, Loading], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, sidecar = judged

    def fill(*_: object) -> None:
        assert bench.row()["phase"] == "filling"
        assert list(sidecar.served) == ["small", "other"]
        work(bench.database)

    # What a worker does while the trainer waits.
    monkeypatch.setattr("pgduet.training.requests.promotion.Promotion._watch", fill)
    promote(bench, 30.0)
    found = bench.row()
    assert (found["state"], found["status"], found["gate_passed"]) == ("done", "promoted", True)
    assert (found["generation"], found["generation_state"], found["error"]) == ("other", "active", None)
    assert scalar(bench.session, "SELECT reason FROM pgduet._promotion") == "fine-tuning run 1"
    # It was trained before: nothing was mined and nothing trained.
    assert "mine" not in (bench.store.parent / "finetune" / "other" / "commands.log").read_text()


def test_a_sidecar_that_was_started_again_is_told_once_more_and_a_cancel_ends_the_wait(
    judged: tuple[Bench, Loading], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, sidecar = judged
    watch = Promotion._watch
    errors: list[str | None] = []

    def restart(promotion: Promotion, found: Generation) -> None:
        errors.append(bench.row()["error"])
        if len(errors) == 1:
            sidecar.served.pop("other")
            sidecar.stored.clear()
        elif len(errors) == 3:
            assert scalar(bench.session, "SELECT pgduet.cancel_finetune(1)") == "the trainer is told to end run 1"
        watch(promotion, found)

    monkeypatch.setattr(Promotion, "_watch", restart)
    monkeypatch.setattr("pgduet.training.requests.promotion._STILL_SECONDS", 0.0)
    promote(bench, 30.0)
    found = bench.row()
    assert (found["state"], found["status"], found["generation_state"]) == ("cancelled", "promotable", "building")
    assert errors[:2] == [None, None]
    assert errors[2] is not None
    assert "other is not in the model store" in errors[2]


def test_what_is_never_filled_stays_promotable(judged: tuple[Bench, Loading]) -> None:
    bench, sidecar = judged
    sidecar.stored.clear()
    promote(bench)
    found = bench.row()
    assert (found["state"], found["status"], found["generation_state"]) == ("done", "promotable", "building")
    assert "not promoted: generation other is not ready after 0 s: 20 chunks lack a vector" in found["error"]


def test_what_is_not_better_is_not_promoted_and_not_loaded(judged: tuple[Bench, Loading]) -> None:
    bench, sidecar = judged
    evaluated(bench.session, "other", passed=False)
    promote(bench)
    found = bench.row()
    assert (found["state"], found["status"], found["gate_passed"]) == ("done", "not better", False)
    assert list(sidecar.served) == ["small"]


def test_a_pooler_is_refused_and_a_missing_schema_is_told(
    database: Database, empty_database: Database, folder: Path
) -> None:
    with pooled(database, folder) as pooler, pytest.raises(PgduetError, match="through a pooler"):
        Trainer(lambda: connect(pooler.conninfo, autocommit=True)).run()
    with pytest.raises(PgduetError) as caught:
        Trainer(lambda: connect(empty_database.conninfo, autocommit=True)).run()
    assert "pgduet db migrate" in caught.value.hint


def test_a_command_may_end_before_it_is_stopped(tmp_path: Path) -> None:
    child = Child(["/bin/sh", "-c", "echo only this; exit 7"], tmp_path / "log", {})
    wait_until(lambda: child.code() is not None)
    child.stop(0)
    assert (child.code(), child.said()) == (7, "only this")
    silent = Child(["/bin/sh", "-c", "exit 7"], tmp_path / "log", {})
    wait_until(lambda: silent.code() is not None)
    assert silent.said() == "ended with 7, saying nothing"
