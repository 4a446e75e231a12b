"""A tiny duet to tune and triplets to tune it with."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from pgduet.encoding import Duet, load_duet
from pgduet.training.tuning.batches import Batches, Triplet
from pgduet.training.tuning.checkpoint import Checkpoints
from pgduet.training.tuning.loop import Run, key_of
from pgduet.training.tuning.plan import Plan
from pgduet.training.tuning.processes import joined
from pgduet.training.tuning.trainee import Trainee

WORDS = ("add", "cut", "find", "join", "load", "make", "read", "sort")


def triplets(count: int = 24, seed: int = 0) -> list[Triplet]:
    """Make questions of two words; the answer has both, spelled as a call, the wrong answer two others."""
    rng = np.random.default_rng(seed)
    made: dict[Triplet, None] = {}
    while len(made) < count:
        a, b, c, d = (str(word) for word in rng.permutation(WORDS)[:4])
        number = len(made)
        made[Triplet(f"{a} {b} {number}", f"{a}({b},{number})", f"{c}({d},{number})")] = None
    return list(made)


def start(store: Path, plan: Plan, folder: Path) -> tuple[Duet, Trainee, Run]:
    """Load `tiny` and make a run of 24 triplets that keeps its checkpoints and its log in `folder`."""
    duet = load_duet("tiny", store)
    trainee, batches = Trainee(duet, plan), Batches(duet, triplets(), plan)
    checkpoints = Checkpoints(folder / "checkpoints", key_of(duet.fingerprint, batches, plan))
    folder.mkdir(exist_ok=True)
    return duet, trainee, Run(trainee, batches, plan, checkpoints, log=folder / "steps.jsonl")


def train_here(store: str, folder: str, objective: str, die_at: str) -> None:
    """Train, in a process of its own or under torchrun; die while file number `die_at` is written, 0 never."""
    plan, written = Plan(objective=objective, steps=6, batch=8, check_every=2, rate=1e-3), 0
    to_disk = os.fsync

    def counted(number: int) -> None:
        nonlocal written
        written += 1
        if written == int(die_at):
            os.ftruncate(number, 100)
            os.kill(os.getpid(), signal.SIGKILL)
        to_disk(number)

    with pytest.MonkeyPatch.context() as patch, joined() as team:
        patch.setattr(os, "fsync", counted)
        _, _, run = start(Path(store), plan, Path(folder))
        run._team = team
        run.train(lambda _: None)


if __name__ == "__main__":
    train_here(*sys.argv[1:])
