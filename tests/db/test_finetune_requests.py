"""Asking for fine-tuning in SQL: what is taken, what is refused, who may, how it is taken back, and the schedule."""

import json
from collections.abc import Iterator
from inspect import signature
from typing import Any

import psycopg
import pytest

from fix_database import Connection, Database
from fix_generations import refusal, scalar
from fix_worker import wait_until
from pgduet.cli.finetune import finetune
from pgduet.database.finetune import FinetuneRuns
from pgduet.errors import PgduetError

# What every option may be, and what not.
OPTIONS: dict[str, tuple[object, ...]] = {
    "batch": (2, 64),
    "rate": (1e-4, 0.5),
    "margin": (0.3, 1.9),
    "max_tokens": (8, 512),
    "patience": (0, 3),
    "check_every": (1, 50),
    "share": (0.5, 1, 1.0),
    "least_gain": (0.01, -1, 0),
    "seed": (0, 7.0),
}
WRONG: dict[str, tuple[object, ...]] = {
    "batch": (1, 2.5, "8", None),
    "rate": (0, 1, True),
    "margin": (0, 2),
    "max_tokens": (7,),
    "patience": (-1,),
    "check_every": (0,),
    "share": (0, 1.01),
    "least_gain": (-2,),
    "seed": (-1, 2**31),
}


@pytest.fixture
def session(database: Database) -> Iterator[Connection]:
    with database.connect() as connection:
        yield connection


def row(session: Connection, run_id: int) -> dict[str, Any]:
    cursor = session.execute("SELECT * FROM pgduet.finetune_history WHERE run_id = %s", (run_id,))
    (found,) = cursor.fetchall()
    return dict(zip([column.name for column in cursor.description or ()], found, strict=True))


def test_a_request_has_a_name_a_number_and_all_its_options(session: Connection) -> None:
    notices: list[str] = []
    session.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    first = scalar(session, "SELECT pgduet.finetune()")
    second = scalar(
        session,
        "SELECT pgduet.finetune('mine', 'triplet', part => 'code', steps => 7, mine => false, promote => true,"
        ' options => \'{"margin": 0.3, "seed": 4}\')',
    )
    assert (first, second) == (1, 2)
    assert notices == ["no trainer is running: the run waits for `pgduet trainer`"] * 2
    known = ("name", "state", "objective", "part", "mine", "promote", "other_options", "requested_by")
    assert [row(session, 1)[key] for key in known] == [
        "small-ft-1", "requested", "in-batch", "both", True, False, "steps 100", "postgres",
    ]  # fmt: skip
    assert [row(session, 2)[key] for key in known] == [
        "mine", "requested", "triplet", "code", False, True, "margin 0.3, seed 4, steps 7", "postgres",
    ]  # fmt: skip
    unknown = ("status", "phase", "started_at", "ended_at", "seconds", "step", "loss", "score", "gate_passed", "error")
    assert {row(session, 1)[key] for key in unknown} == {None}
    assert row(session, 1)["attempts"] == 0
    assert row(session, 1)["next_attempt_at"] is not None


def test_a_tuned_duet_gives_its_name_on_and_taken_names_are_left_out(session: Connection) -> None:
    session.execute("UPDATE pgduet.generations SET model = 'small-ft-3'")
    session.execute("SELECT pgduet.add_generation('small-ft-1')")
    assert row(session, scalar(session, "SELECT pgduet.finetune()"))["name"] == "small-ft-2"


def test_options_are_those_of_the_command_and_are_checked(session: Connection) -> None:
    assert set(OPTIONS) <= set(signature(finetune).parameters)
    for key, good in OPTIONS.items():
        for value in good:
            session.execute("SELECT pgduet.finetune(options => %s)", (json.dumps({key: value}),))
        for value in WRONG[key]:
            found = refusal(session, "SELECT pgduet.finetune(options => %s)", json.dumps({key: value}))
            assert found[0] == f"{key} is {json.dumps(value)}"
            assert found[1].startswith(f"{key} must be a")
            assert found[2] == "22023"


def test_what_cannot_be_is_refused_with_a_hint(session: Connection) -> None:
    for call, message, hint in (
        ("options => '{\"stepz\": 3}'", "there is no option 'stepz'", "The options are batch, rate,"),
        ("options => '{\"steps\": 3}'", "steps is a parameter of its own", "Write steps => ... beside options."),
        ("options => '[]'", "options are a JSON object", "Such as"),
        ("options => NULL", "options are a JSON object", "Such as"),
        ("objective => 'mse'", 'objective is "mse"', "objective must be in-batch or triplet."),
        ("part => 'half'", 'part is "half"', "part must be both, code or text."),
        ("steps => 0", "steps is 0", "steps must be a whole number from 1"),
        ("mine => NULL", "mine is null", "mine must be true or false."),
        ("'No Name'", "'No Name' is no name of a duet", "Take up to 63 small letters"),
        ("'../x'", "'../x' is no name of a duet", "Take up to 63 small letters"),
        ("'small'", "there is a generation 'small' already", "Give the new duet another name"),
    ):
        found = refusal(session, f"SELECT pgduet.finetune({call})")
        assert found[0] == message
        assert found[1].startswith(hint)
    assert scalar(session, "SELECT count(*) FROM pgduet.finetune_runs") == 0


def test_a_name_is_free_again_once_its_run_was_cancelled(session: Connection) -> None:
    session.execute("SELECT pgduet.finetune('mine')")
    message, hint, _ = refusal(session, "SELECT pgduet.finetune('mine')")
    assert message == "a run that makes 'mine' is open already"
    assert "pgduet.cancel_finetune()" in hint
    assert scalar(session, "SELECT pgduet.cancel_finetune(1)") == "run 1 is cancelled"
    assert scalar(session, "SELECT pgduet.cancel_finetune(1)") == "run 1 is cancelled already"
    again = scalar(session, "SELECT pgduet.finetune('mine')")
    assert (row(session, 1)["state"], row(session, again)["state"]) == ("cancelled", "requested")
    assert row(session, 1)["ended_at"] is not None
    assert refusal(session, "SELECT pgduet.cancel_finetune(99)")[0] == "there is no run 99"
    assert refusal(session, "SELECT pgduet.cancel_finetune(NULL)")[0] == "there is no run NULL"


def test_without_an_active_generation_there_is_nothing_to_start_from(session: Connection) -> None:
    session.execute("UPDATE pgduet.generations SET state = 'ready'")
    assert "there is no duet to start from" in refusal(session, "SELECT pgduet.finetune()")[0]


def test_a_running_run_is_cancelled_by_its_trainer_or_at_once_where_that_died(
    session: Connection, database: Database
) -> None:
    session.execute("SELECT pgduet.finetune()")
    with database.connect() as other:
        runs = FinetuneRuns(other, "t1")
        assert runs.lock()
        run = runs.take(1)
        assert run
        assert runs.beat(run, "training", step=3, loss=0.5, norm=1.5) is False
        assert scalar(session, "SELECT pgduet.cancel_finetune(1)") == "the trainer is told to end run 1"
        assert runs.beat(run, "training") is True
        found = row(session, 1)
        assert (found["state"], found["phase"], found["trainer"]) == ("running", "training", "t1")
        assert (found["step"], found["loss"], found["gradient_norm"], found["dev_score"]) == (3, 0.5, 1.5, None)
        assert found["silent_seconds"] < 10
    # The server gives the lock of a session back a moment after the client is gone.
    wait_until(lambda: scalar(session, "SELECT pgduet.cancel_finetune(1)") == "run 1 is cancelled")
    found = row(session, 1)
    assert (found["state"], found["phase"], found["trainer"], found["silent_seconds"]) == ("cancelled",) + (None,) * 3


def test_one_trainer_at_a_time_takes_the_oldest_run_and_one_run_at_most_is_running(
    session: Connection, database: Database
) -> None:
    for _ in range(2):
        session.execute("SELECT pgduet.finetune()")
    with database.connect() as one, database.connect() as other:
        first, second = FinetuneRuns(one, "t1"), FinetuneRuns(other, "t2")
        assert first.lock()
        assert not second.lock()
        run = first.take(1)
        assert run
        assert run.run_id == 1
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("UPDATE pgduet.finetune_runs SET state = 'running' WHERE run_id = 2")
        # Somebody looks at the row in an open transaction: the trainer goes on.
        with session.transaction():
            session.execute("SELECT FROM pgduet.finetune_runs FOR UPDATE")
            one.execute("SET lock_timeout = '50ms'")
            assert first.beat(run, "mining") is False
        first.end(run, "done")
        first.unlock()
        assert second.lock()
        assert first.beat(run, "mining") is None


def test_a_run_is_tried_again_ever_later_and_given_up(session: Connection, database: Database) -> None:
    session.execute("SELECT pgduet.finetune()")
    runs = FinetuneRuns(session, "t1")
    waits = []
    for _ in range(3):
        session.execute("UPDATE pgduet.finetune_runs SET next_attempt_at = now()")
        run = runs.take(100)
        assert run
        state = runs.put_back(run, "it broke", pause=100)
        waits.append(scalar(session, "SELECT extract(epoch FROM next_attempt_at - now()) FROM pgduet.finetune_runs"))
        assert runs.take(100) is None
    assert state == "failed"
    assert [round(float(wait), -1) for wait in waits] == [100, 200, 400]
    found = row(session, 1)
    assert (found["state"], found["status"], found["attempts"], found["error"]) == ("failed", "failed", 3, "it broke")
    assert found["next_attempt_at"] is None
    database.set("finetune_attempts", "1")
    session.execute("SELECT pgduet.finetune()")
    run = runs.take(0)
    assert run
    # The trainer itself put it back: nobody's failure.
    assert runs.put_back(run) == "requested"
    assert row(session, 2)["attempts"] == 0
    run = runs.take(0)
    assert run
    # Its connection was lost, and this is the same trainer.
    run = runs.take(0)
    assert run
    assert run.attempts == 1
    assert FinetuneRuns(session, "t2").take(0) is None
    found = row(session, 2)
    assert (found["state"], found["error"]) == ("failed", "the trainer t1 died while it was starting")


def test_admins_ask_and_readers_look(session: Connection) -> None:
    def may(role: str, what: str) -> bool:
        try:
            with session.transaction():
                session.execute(f"SET LOCAL ROLE {role}".encode())
                session.execute(what.encode())
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True

    roles = ("pgduet_admin", "pgduet_writer", "pgduet_reader", "pgduet_worker", "pg_monitor")
    assert [may(role, "SELECT pgduet.finetune()") for role in roles] == [True, False, False, False, False]
    assert [may(role, "SELECT pgduet.cancel_finetune(1)") for role in roles] == [True, False, False, False, False]
    assert [may(role, "TABLE pgduet.finetune_history") for role in roles] == [True] * 5
    assert [may(role, "SELECT pgduet._take_finetune('t', 1)") for role in roles] == [True, False, False, False, False]
    assert [may(role, "DELETE FROM pgduet.finetune_runs") for role in roles] == [False] * 5
    session.execute("CREATE ROLE nobody_in_particular")
    try:
        assert not may("nobody_in_particular", "TABLE pgduet.finetune_history")
    finally:
        session.execute("DROP ROLE nobody_in_particular")
    session.execute("SET ROLE pgduet_worker")
    with pytest.raises(PgduetError, match="may not train") as caught:
        FinetuneRuns(session, "t1")
    assert "pgduet_admin" in caught.value.hint


def test_the_history_has_plain_types_only(session: Connection) -> None:
    rows = session.execute(
        "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_schema = 'pgduet'"
        " AND table_name = 'finetune_history'"
    )
    assert {kind for (kind,) in rows} == {
        "bigint", "boolean", "double precision", "integer", "text", "timestamp with time zone",
    }  # fmt: skip


def test_a_run_is_due_by_schedule_when_none_was_asked_for_in_that_time(session: Connection, database: Database) -> None:
    runs = FinetuneRuns(session, "t1")
    assert runs.schedule() is None
    database.set("finetune_every", "7 days")
    assert runs.schedule() == 1
    found = row(session, 1)
    assert (found["requested_by"], found["name"], found["promote"]) == ("scheduled", "small-ft-1", False)
    session.execute("UPDATE pgduet.finetune_runs SET requested_at = requested_at - interval '8 days'")
    # It is still open.
    assert runs.schedule() is None
    session.execute("SELECT pgduet.cancel_finetune(1)")
    database.set("finetune_promote", "on")
    assert runs.schedule() == 2
    assert row(session, 2)["promote"] is True
    session.execute("SELECT pgduet.cancel_finetune(2)")
    # So recently, whatever became of it.
    assert runs.schedule() is None


def test_settings_are_checked(database: Database) -> None:
    for key, good, bad in (
        ("finetune_every", ("never", "1 day", "12 hours"), ("0 days", "often", "-1 day", "1.5 days")),
        ("finetune_promote", ("on", "off"), ("yes",)),
        ("finetune_attempts", ("1", "99"), ("0", "three")),
    ):
        for value in good:
            database.set(key, value)
        for value in bad:
            with pytest.raises(PgduetError, match=f"no value for {key}"):
                database.set(key, value)
