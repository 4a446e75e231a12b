"""Several processes that train together, started by torchrun; alone, everything here does nothing."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from pgduet.training.tuning.errors import TuningError


@dataclass(frozen=True)
class Team:
    """Which process this is, of how many."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def average(self, values: Iterable[torch.Tensor]) -> None:
        """Replace tensors, equal in shape everywhere, by their means over all processes."""
        if self.size > 1:
            for value in values:
                distributed.all_reduce(value)
                value /= self.size

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.size > 1:
            # A barrier would pick the backend of the cards, which may not be in use.
            distributed.all_reduce(torch.zeros(1))


def device_for(asked: str) -> torch.device:
    """Return the device that `cpu`, `cuda` or `auto` (cuda where there is one) means here; each process has its own.

    Raises TuningError where there is no CUDA device, or are fewer of them than processes.
    """
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "cpu" or (asked == "auto" and not cards):
        return torch.device("cpu")
    if not cards:
        raise TuningError(
            "no CUDA device here",
            hint="train on the CPU, or see that nvidia-smi lists a card and torch was built for CUDA",
        )
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if processes > cards:
        raise TuningError(f"{processes} processes share {cards} CUDA devices", hint="start one process for each device")
    return torch.device("cuda", _local_rank())


def _local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


@contextmanager
def joined() -> Iterator[Team]:
    """Join the processes that torchrun started with this one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team()
        return
    # Each kind of tensor by the library that can send it.
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    distributed.init_process_group("cpu:gloo,cuda:nccl" if cards else "gloo")
    if cards:
        torch.cuda.set_device(_local_rank() % cards)
    try:
        yield Team(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
