"""The course of one run: mine, train, note how it was judged, and promote it where that was asked for."""

import shutil
import time
from collections.abc import Callable

import structlog

from pgduet.database.connection import wait_for_notify
from pgduet.database.errors import DatabaseError
from pgduet.database.finetune import FinetuneRun, FinetuneRuns, FinetuneStep
from pgduet.training.requests.child import Child
from pgduet.training.requests.curve import Curve
from pgduet.training.requests.options import Options, Say
from pgduet.training.requests.progress import LOG, Progress, read_progress
from pgduet.training.tuning.errors import TuningError

# Reasons in the data or the plan: another attempt would end the same.
FINAL = {kind.exit_code: kind.status for kind in TuningError.__subclasses__()}
_MINED = ("seed",)
_TUNED = (
    "objective",
    "part",
    "steps",
    "batch",
    "rate",
    "margin",
    "max_tokens",
    "patience",
    "check_every",
    "share",
    "least_gain",
    "seed",
)
_COMMANDS_LOG = "commands.log"
_LOOK_SECONDS = 0.2
_BEAT_SECONDS = 2.0

log = structlog.get_logger("pgduet.trainer")


class StoppedError(Exception):
    """The trainer is to end; the run is left to the next one."""


class CancelledError(Exception):
    """Somebody cancelled the run."""


class LostError(Exception):
    """The run is in other hands, or gone."""


class Course:
    """Follow one run from where it is to its end, or until `stopping` says so; no command outlives that."""

    def __init__(
        self, runs: FinetuneRuns, run: FinetuneRun, options: Options, stopping: Callable[[], bool], say: Say
    ) -> None:
        self.runs, self.run, self.options = runs, run, options
        self._stopping, self._say = stopping, say
        self._folder = options.folder(run.name)
        self._curve: Curve | None = None
        self._without_curve = False
        self._beaten, self._phase = float("-inf"), ""
        self._log = log.bind(run=run.run_id, name=run.name)

    def train(self) -> bool | None:
        """Mine and train where that is not done yet; return whether the new duet is better and may be promoted.

        None where there is none, and the run was ended or put back. Raises StoppedError, CancelledError, LostError,
        DatabaseError.
        """
        passed = self.runs.judged(self.run)
        if passed is None and self._mine() and self._tune():
            passed = self.runs.judged(self.run)
            if passed is None:
                self._fail("the command ended well, but left no generation that was judged", resume=False)
        return passed

    def call(self, phase: str, *words: str) -> Child:
        """Run a command to its end, with signs of life and what it gets done; return it."""
        self._log.info("begins", phase=phase, attempt=self.run.attempts)
        environment = {"PGDUET_MODELS_DIR": str(self.options.store)}
        child = Child((*self.options.program, *words), self._folder / _COMMANDS_LOG, environment)
        try:
            while child.code() is None:
                self.beat(phase, read_progress(self._folder / LOG) if phase == "training" else None)
                # A cancel wakes it; a command's end is looked for.
                if wait_for_notify(self.runs.connection, _LOOK_SECONDS):
                    self._due()
        finally:
            child.stop(self.options.grace)
        return child

    def beat(self, phase: str, progress: Progress | None = None, error: str | None = None) -> None:
        """Say what is being done, now and then; raise what ends the course."""
        if self._stopping():
            raise StoppedError
        if time.monotonic() - self._beaten < _BEAT_SECONDS and phase == self._phase and error is None:
            return
        self._beaten, self._phase = time.monotonic(), phase
        told = {} if progress is None else progress._asdict()
        self._say(f"run {self.run.run_id}, {self.run.name}: {phase}{_words(progress)}")
        cancelled = self.runs.beat(self.run, phase, error=error, **told)
        if cancelled is None:
            raise LostError
        if cancelled:
            raise CancelledError
        self._draw()

    def _mine(self) -> bool:
        if self.run.begun:
            return True
        # What is left in the folder is of a run that was given up, or of triplets that are no more.
        shutil.rmtree(self._folder / "checkpoints", ignore_errors=True)
        (self._folder / LOG).unlink(missing_ok=True)
        mined = not self.run.options["mine"] or self._went_well("mining", "mine", *self._words(_MINED))
        if mined:
            self.runs.begin(self.run)
            self._keep([])
        return mined

    def _tune(self) -> bool:
        self._curve = Curve(self._folder / LOG, self.run.options["steps"])
        return self._went_well("training", "finetune", self.run.name, *self._words(_TUNED))

    def _draw(self, *, last: bool = False) -> None:
        """Keep what the log says by now."""
        if self._curve is not None:
            try:
                steps = self._curve.look(last=last)
            except OSError as error:
                self._lack_curve(error)
                return
            if steps and self._keep(steps):
                self._curve.take_off()

    def _keep(self, steps: list[FinetuneStep]) -> bool:
        """Keep steps for people to look at; a run goes on without, and what could not be kept is tried once more."""
        try:
            self.runs.note_steps(self.run, steps)
        except DatabaseError as error:
            self._lack_curve(error)
            return False
        return True

    def _lack_curve(self, error: Exception) -> None:
        if not self._without_curve:
            self._log.warning("the curve is not kept", reason=str(error))
        self._without_curve = True

    def _words(self, names: tuple[str, ...]) -> list[str]:
        given = {name: self.run.options[name] for name in names if name in self.run.options}
        # With a sign between: a number below zero would look like an option.
        words = [f"--{name.replace('_', '-')}={_plain(value)}" for name, value in given.items()]
        return [*words, *([f"--dsn={self.options.dsn}"] if self.options.dsn else [])]

    def _went_well(self, phase: str, *words: str) -> bool:
        child = self.call(phase, *words)
        code = child.code() or 0
        self._draw(last=True)
        if code == 0:
            self._last_beat(phase)
        elif code in FINAL:
            self._log.warning("failed", phase=phase, status=FINAL[code])
            self.runs.end(self.run, "failed", FINAL[code], child.said())
        else:
            # Killed, it goes on from its checkpoints. Where it refuses to, as on other triplets, it begins anew.
            self._fail(f"{phase}: {child.said()}", resume=code < 0 or not self.run.begun)
        return code == 0

    def _last_beat(self, phase: str) -> None:
        """Tell how it ended, whenever the last beat was."""
        self._due()
        self.beat(phase, read_progress(self._folder / LOG) if phase == "training" else None)

    def _due(self) -> None:
        """Let the next beat be told."""
        self._beaten = float("-inf")

    def _fail(self, error: str, *, resume: bool) -> None:
        state = self.runs.put_back(self.run, error, pause=self.options.pause, resume=resume)
        self._log.warning("failed", attempt=self.run.attempts, state=state, reason=error)


def _plain(value: str | float) -> str:
    """Write a number as the command line reads it: 1.0 is a whole number in JSON."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _words(progress: Progress | None) -> str:
    return f", step {progress.step}, loss {progress.loss:.4f}" if progress else ""
