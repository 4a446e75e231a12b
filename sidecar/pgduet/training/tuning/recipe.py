"""From triplets to a duet in the model store, judged on pairs that it never saw."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pgduet.encoding import fingerprint_of, load_duet
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST, store_folder
from pgduet.encoding.store.reweighting import check_new_name
from pgduet.training.metrics import METRICS, estimate
from pgduet.training.tuning.batches import Batches, Triplet
from pgduet.training.tuning.checkpoint import Checkpoints, Progress
from pgduet.training.tuning.errors import TooLittleDataError, TuningError
from pgduet.training.tuning.export import average, export, parent_weights
from pgduet.training.tuning.held_out import HeldOut, Pair
from pgduet.training.tuning.loop import LOG, Report, Run, key_of
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import Team
from pgduet.training.tuning.trainee import Trainee

# Told what is being done, in a word or two.
Say = Callable[[str], None]
_LEAST_QUESTIONS = 20


@dataclass(frozen=True)
class Material:
    """What a run learns from, what chooses the best of its checkpoints, and what judges it at the end."""

    train: Sequence[Triplet]
    dev: Sequence[Pair]
    test: Sequence[Pair]


@dataclass(frozen=True)
class Gate:
    """Whether the tuned duet is better: the mean of `metric` over `questions`, and the gain with its 95 % interval.

    It passes with a gain of at least `margin` whose interval lies above zero.
    """

    metric: str
    questions: int
    before: float
    after: float
    ci_low: float
    ci_high: float
    margin: float

    @property
    def passed(self) -> bool:
        """Whether the tuned duet may take its parent's place."""
        return self.after - self.before >= self.margin and self.ci_low > 0

    def as_json(self) -> dict[str, Any]:
        """Return what a generation's metrics keep."""
        gain = f"gain {self.after - self.before:+.4f} [{self.ci_low:+.4f}, {self.ci_high:+.4f}]"
        return asdict(self) | {"passed": self.passed, "why": f"{gain} over {self.questions} held-out questions"}


@dataclass(frozen=True)
class Tuned:
    """A tuned duet: its name, fingerprint and place in the store, how it was judged, and seconds of both parts."""

    name: str
    fingerprint: str
    folder: Path
    gate: Gate
    progress: Progress
    train_seconds: float
    judge_seconds: float


def tune(
    parent: str,
    name: str,
    material: Material,
    plan: Plan,
    folder: Path,
    *,
    share: float = 0.5,
    margin: float = 0.01,
    models_dir: Path | None = None,
    team: Team | None = None,
    report: Report,
    say: Say,
) -> Tuned | None:
    """Tune the duet `parent` into a new one, `name`; a run that was interrupted in `folder` goes on.

    The new weights are `share` tuned and the rest the parent's. The duet is put into the store whether it is better or
    not; the gate tells. Returns None in the processes that do not lead. Raises TuningError where a guard stops it, the
    material is too little or the share is none; StoreError where the parent is absent or the name is taken.
    """
    team = team or Team()
    if not 0 < share <= 1:
        raise TuningError(f"the share is {share}", hint="take more than 0 and at most 1, all of what was learnt")
    check_new_name(name, models_dir)
    _check(material)
    say("loading the model")
    duet = load_duet(parent, models_dir)
    trainee, batches = Trainee(duet, plan), Batches(duet, material.train, plan)
    before = parent_weights(trainee)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = Checkpoints(folder / "checkpoints", key_of(duet.fingerprint, batches, plan))
    dev, test = HeldOut(duet, material.dev), HeldOut(duet, material.test)
    judged = time.perf_counter()
    say("scoring the model as it is")
    old = test.values() if team.leads else None
    began = time.perf_counter()
    say("training")
    run = Run(trainee, batches, plan, checkpoints, team=team, score=dev.score, log=folder / LOG)
    progress = run.train(report)
    ended = time.perf_counter()
    average(trainee, before, parent_weights(trainee), share)
    if old is None:
        return None
    say("scoring the tuned model")
    new = test.values()
    (gain,) = estimate((new - old)[:, None])
    gate = Gate(METRICS[0], len(test), float(old.mean()), float(new.mean()), gain.low, gain.high, margin)
    judge_seconds = time.perf_counter() - ended + began - judged
    say("writing the tuned model")
    place = export(trainee, parent, name, folder, models_dir=models_dir)
    checkpoints.clear()
    fingerprint = fingerprint_of(read_manifest(place / MANIFEST))
    return Tuned(name, fingerprint, place, gate, progress, ended - began, judge_seconds)


def run_folder(name: str, models_dir: Path | None = None) -> Path:
    """Return where the run that makes the duet `name` keeps its log, its checkpoints and its export."""
    return store_folder(models_dir).parent / "finetune" / name


def _check(material: Material) -> None:
    for side, pairs in (("dev", material.dev), ("test", material.test)):
        questions = len({question for question, _ in pairs})
        if questions < _LEAST_QUESTIONS:
            raise TooLittleDataError(
                f"the {side} side has {questions} questions: too few to tell whether training helps",
                hint=f"it needs {_LEAST_QUESTIONS}: ingest more repositories or files, then run `pgduet mine` again",
            )
