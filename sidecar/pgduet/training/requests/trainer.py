"""A trainer: takes runs that were asked for, one at a time, until it is told to stop."""

import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from pgduet.database.connection import Connection, wait_for_notify
from pgduet.database.errors import DatabaseError, SchemaError
from pgduet.database.finetune import FinetuneRun, FinetuneRuns
from pgduet.errors import PgduetError
from pgduet.training.requests.course import CancelledError, Course, LostError, StoppedError
from pgduet.training.requests.options import Options, Say
from pgduet.training.requests.promotion import Promotion

_SLICE_SECONDS = 0.5
_LONGEST_PAUSE = 10.0

log = structlog.get_logger("pgduet.trainer")


def silent(_words: str) -> None:
    """Tell nobody."""


class Trainer:
    """Take runs on connections made by `connect` (autocommit, direct); any number of trainers may run.

    A SchemaError that `connect` raises ends the trainer, as does what waiting cannot mend.
    """

    def __init__(self, connect: Callable[[], Connection], options: Options | None = None, say: Say = silent) -> None:
        self._connect = connect
        self._options = options or Options()
        self._say = say
        # What a container's trainer is after its restart is another one, also with its number and host.
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stopped = False

    def stop(self) -> None:
        """End soon: the command that runs is ended, and its run goes back to be taken up again."""
        self._stopped = True

    def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once` until nothing is due, and let errors out. Raises PgduetError."""
        failures = 0
        while not self._stopped:
            try:
                with self._connect() as connection:
                    runs = FinetuneRuns(connection, self.name)
                    log.info("connected", database=connection.info.dbname, trainer=self.name)
                    failures = 0
                    self._work(runs, once)
                if once:
                    return
            except PgduetError as error:
                permanent = isinstance(error, DatabaseError) and not error.is_passing
                if once or permanent or isinstance(error, SchemaError):
                    raise
                failures += 1
                # The first and then ever fewer: a log that fills up tells nobody anything.
                if failures & (failures - 1) == 0:
                    log.warning("waiting", reason=str(error), hint=error.hint, failures=failures)
                self._sleep(min(_LONGEST_PAUSE, 0.5 * 2 ** min(failures, 10)))

    def _work(self, runs: FinetuneRuns, once: bool) -> None:
        while not self._stopped:
            if self._turn(runs):
                continue
            if once:
                return
            self._say("waiting for a run")
            until = time.monotonic() + self._options.poll
            while not self._stopped and (left := until - time.monotonic()) > 0:
                if wait_for_notify(runs.connection, min(left, _SLICE_SECONDS)):
                    break

    def _turn(self, runs: FinetuneRuns) -> bool:
        """Take a run and follow it; return whether there was one for this trainer."""
        if not runs.lock():
            log.debug("another trainer is at work")
            return False
        try:
            if (scheduled := runs.schedule()) is not None:
                log.info("asked for by schedule", run=scheduled)
            run = runs.take(self._options.pause)
            if run is not None:
                self._follow(runs, run)
            return run is not None
        finally:
            runs.unlock()

    def _follow(self, runs: FinetuneRuns, run: FinetuneRun) -> None:
        """Bring a run to an end, or put it back; where the connection is lost it stays as it is, for this trainer."""
        course = Course(runs, run, self._options, lambda: self._stopped, self._say)
        try:
            passed = course.train()
            if passed is None:
                return
            status, error = Promotion(course).follow() if passed and run.options["promote"] else (None, None)
            runs.end(run, "done", status, error)
            log.info("done", run=run.run_id, better=passed, status=status, reason=error)
        except StoppedError:
            runs.put_back(run)
            log.info("left to the next trainer", run=run.run_id)
        except CancelledError:
            runs.end(run, "cancelled")
            log.info("cancelled", run=run.run_id)
        except LostError:
            log.warning("a run is in other hands by now", run=run.run_id)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_SECONDS))


@contextmanager
def stopping_on_signals(trainer: Trainer) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop a trainer inside the block."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        trainer.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
