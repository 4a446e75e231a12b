"""A tiny duet to tune and triplets to tune it with."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pgduet.encoding import Duet, load_duet
from pgduet.training.tuning.batches import Batches, Triplet
from pgduet.training.tuning.checkpoint import Checkpoints
from pgduet.training.tuning.loop import Run, Step, key_of
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


def start(store: Path, plan: Plan, folder: Path, name: str = "tiny") -> tuple[Duet, Trainee, Run]:
    """Load a duet and make a run of 24 triplets that keeps its checkpoints and its log in `folder`."""
    duet = load_duet(name, store)
    trainee, batches = Trainee(duet, plan), Batches(duet, triplets(), plan)
    checkpoints = Checkpoints(folder / "checkpoints", key_of(duet.fingerprint, batches, plan))
    folder.mkdir(exist_ok=True)
    return duet, trainee, Run(trainee, batches, plan, checkpoints, log=folder / "steps.jsonl")


def train_here(store: str, folder: str, objective: str, die_at: str, changes: str = "{}") -> None:
    """Train, in a process of its own or under torchrun; die while file number `die_at` is written, 0 never.

    `changes` are those of the plan, in JSON.
    """
    settings = {"steps": 6, "batch": 8, "check_every": 2, "rate": 1e-3} | json.loads(changes)
    plan, written = Plan(objective=objective, **settings), 0
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


def run_apart(
    store: Path, folder: Path, *, die_at: int = 0, processes: int = 0, objective: str = "triplet", **changes: Any
) -> int:
    """Train in a process of its own, or in several; return the exit status."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"] if processes else []
    arguments = [str(store), str(folder), objective, str(die_at), json.dumps(changes)]
    command = [sys.executable, *torchrun, __file__, *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode


def interrupt(step: Step) -> None:
    """Interrupt a run in its third step, one after a checkpoint."""
    if step.step == 3:
        raise KeyboardInterrupt


def final(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of the last checkpoint of six steps."""
    state: dict[str, Any] = torch.load(folder / "checkpoints" / "step-00000006" / "state.pt", weights_only=True)
    weights: dict[str, torch.Tensor] = state["weights"]
    return weights


def losses(folder: Path) -> list[float]:
    """Return the losses of a run, step by step."""
    return [json.loads(line)["loss"] for line in (folder / "steps.jsonl").read_text().splitlines()]


if __name__ == "__main__":
    train_here(*sys.argv[1:])
