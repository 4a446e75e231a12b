"""From triplets to a duet in the model store, judged on pairs that it never saw."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgduet.encoding import fingerprint_of, load_duet
from pgduet.encoding.engines import TORCH_ON_CPU
from pgduet.encoding.manifest import read_manifest
from pgduet.encoding.store.layout import MANIFEST, store_folder
from pgduet.encoding.store.reweighting import check_new_name
from pgduet.training.evaluation import ALONE
from pgduet.training.tuning.batches import Batches
from pgduet.training.tuning.checkpoint import Checkpoints
from pgduet.training.tuning.errors import TuningError
from pgduet.training.tuning.export import average, export, parent_weights
from pgduet.training.tuning.gate import Gate, change
from pgduet.training.tuning.held_out import Encoded, HeldOut, Weights
from pgduet.training.tuning.loop import LOG, Report, Run, key_of
from pgduet.training.tuning.material import Material, Retained
from pgduet.training.tuning.outcome import Tuned, read_outcome, write_outcome
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import Team
from pgduet.training.tuning.trainee import Trainee
from pgduet.training.tuning.weighing import weigh

if TYPE_CHECKING:
    from pgduet.encoding import Duet

# Told what is being done, in a word or two.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Terms:
    """How much of the change is kept, and what the gate asks: the least gain, and the most that may be lost."""

    share: float = 0.5
    margin: float = 0.01
    most_lost: float = 0.01

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 < self.share <= 1:
            raise TuningError(
                f"the share is {self.share}", hint="take more than 0 and at most 1, all of what was learnt"
            )


def tune(
    parent: str,
    name: str,
    material: Material,
    plan: Plan,
    folder: Path,
    *,
    terms: Terms | None = None,
    models_dir: Path | None = None,
    team: Team | None = None,
    report: Report,
    say: Say,
) -> Tuned | None:
    """Tune the duet `parent` into a new one, `name`; a run that was interrupted in `folder` goes on.

    The new weights are a share of the tuned ones and the rest the parent's; the halves are weighed anew on the dev
    side. The duet is put into the store whether it is better or not; the gate tells. A run that was done before is not
    done again: it gives what it gave. Returns None in the processes that do not lead. Raises TuningError where a guard
    stops it or the material is too little; StoreError where the parent is absent or the name is taken.
    """
    team, terms = team or Team(), terms or Terms()
    material.require_questions()
    say("loading the model")
    duet = load_duet(parent, models_dir, runtime=TORCH_ON_CPU)
    trainee, batches = Trainee(duet, plan), Batches(duet, material.train, plan)
    key = key_of(duet.fingerprint, batches, plan)
    if done := read_outcome(folder, f"{key} {terms}", name, models_dir):
        return replace(done, again=True) if team.leads else None
    check_new_name(name, models_dir)
    before = parent_weights(trainee)
    folder.mkdir(parents=True, exist_ok=True)
    judges = _Judges(HeldOut(duet, material.dev), HeldOut(duet, material.test), _retained(duet, material.retained))
    judged = time.perf_counter()
    say("scoring the model as it is")
    old = judges.encode() if team.leads else []
    began = time.perf_counter()
    say("training")
    checkpoints = Checkpoints(folder / "checkpoints", key)
    run = Run(trainee, batches, plan, checkpoints, team=team, score=judges.dev.score, log=folder / LOG)
    progress = run.train(report)
    ended = time.perf_counter()
    average(trainee, before, parent_weights(trainee), terms.share)
    if not team.leads:
        return None
    say("scoring the tuned model")
    weights = weigh(judges.dev, judges.dev.encoded(), duet.weights)
    gate = judges.judge(old, judges.encode(), duet.weights, weights, terms)
    judge_seconds = time.perf_counter() - ended + began - judged
    say("writing the tuned model")
    place = export(trainee, parent, name, folder, weights=weights, models_dir=models_dir)
    fingerprint = fingerprint_of(read_manifest(place / MANIFEST))
    tuned = Tuned(name, fingerprint, place, weights, gate, progress, ended - began, judge_seconds)
    write_outcome(folder, f"{key} {terms}", tuned)
    checkpoints.clear()
    return tuned


def run_folder(name: str, models_dir: Path | None = None) -> Path:
    """Return where the run that makes the duet `name` keeps its log, its checkpoints and its export."""
    return store_folder(models_dir).parent / "finetune" / name


@dataclass(frozen=True)
class _Judges:
    dev: HeldOut
    test: HeldOut
    retained: HeldOut | None

    def encode(self) -> list[Encoded]:
        """Encode what judges, with the duet as it is now."""
        return [judge.encoded() for judge in (self.test, self.retained) if judge]

    def judge(self, old: list[Encoded], new: list[Encoded], before: Weights, after: Weights, terms: Terms) -> Gate:
        """Compare the parent with its weights and the tuned duet with its own."""
        first = self.test.values(old[0], [before, *ALONE.values()])
        second = self.test.values(new[0], [after, *ALONE.values()])
        alone = zip(ALONE, first[1:], second[1:], strict=True)
        halves = {half: (float(one.mean()), float(other.mean())) for half, one, other in alone}
        kept = None
        if self.retained:
            kept = change(self.retained.values(old[1], [before])[0], self.retained.values(new[1], [after])[0])
        return Gate(change(first[0], second[0]), terms.margin, halves, kept, terms.most_lost)


def _retained(duet: "Duet", retained: Retained | None) -> HeldOut | None:
    return HeldOut(duet, retained.pairs, retained.others) if retained else None
