"""Finds the smallest setting that reaches a recall, and measures all peers in turn."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from data import Ids, Questions, Truth
from peers import Peer, Setting

TARGETS = (0.95, 0.99)
# The search for a setting asks so many at a time and at most; what it finds is confirmed on all.
_STEP, _MOST = 40, 200


@dataclass
class Tuned:
    """A peer at the setting that reaches a target, or at its best where none does."""

    peer: Peer
    setting: Setting
    target: float
    reached: bool = True
    recall: float = math.nan
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def climb(self) -> bool:
        """Go on to the next setting; return whether there is one."""
        ladder = list(self.peer.ladder)
        if not ladder or self.setting.effort == ladder[-1]:
            return False
        self.setting = Setting(ladder[ladder.index(self.setting.effort) + 1], self.setting.depth)
        return True


class _Tries:
    """What one setting found so far: more questions are asked as more certainty is needed."""

    def __init__(self, peer: Peer, truth: Truth, setting: Setting) -> None:
        self._peer, self._truth, self._setting = peer, truth, setting
        self._shares: list[float] = []
        self._seconds = 0.0

    def reaches(self, target: float) -> bool:
        while True:
            margin = 3 * float(np.std(self._shares)) / math.sqrt(len(self._shares)) if self._shares else math.inf
            if len(self._shares) >= min(_MOST, len(self._truth.questions)) or abs(self.recall - target) > margin:
                return self.recall >= target
            self._ask()

    def _ask(self) -> None:
        self._peer.apply(self._setting)
        # Processor time: the machine may be shared.
        started = self._peer.cpu()
        numbers = range(len(self._shares), min(len(self._shares) + _STEP, len(self._truth.questions)))
        found = [self._peer.search(self._truth.questions, number) for number in numbers]
        self._seconds += self._peer.cpu() - started
        self._shares += [self._truth.recall({number: ids}) for number, ids in zip(numbers, found, strict=True)]

    @property
    def recall(self) -> float:
        return float(np.mean(self._shares)) if self._shares else math.nan

    @property
    def seconds(self) -> float:
        return self._seconds / len(self._shares)


class Tuner:
    """Tries settings of one peer; what was tried once is remembered."""

    def __init__(self, peer: Peer, truth: Truth) -> None:
        self._peer, self._truth = peer, truth
        self._known: dict[Setting, _Tries] = {}

    def smallest(self, target: float) -> Tuned:
        """Return the cheapest setting that reaches the target on a sample of the questions."""
        if not self._peer.ladder:
            return Tuned(self._peer, Setting(), target)
        found, low = [], 0
        # The deeper the fewer lists are needed: the next shallower one starts where this one ended.
        for depth in reversed(self._peer.depths):
            low = self._climb(target, depth, low)
            found.append(Setting(self._peer.ladder[low], depth))
        able = [setting for setting in found if self._tries(setting).reaches(target)]
        if not able:
            return Tuned(self._peer, max(found, key=lambda each: self._tries(each).recall), target, reached=False)
        return Tuned(self._peer, min(able, key=lambda each: self._tries(each).seconds), target)

    def _climb(self, target: float, depth: int, low: int) -> int:
        high = len(self._peer.ladder) - 1
        while low < high:
            middle = (low + high) // 2
            if self._tries(Setting(self._peer.ladder[middle], depth)).reaches(target):
                high = middle
            else:
                low = middle + 1
        return low

    def _tries(self, setting: Setting) -> _Tries:
        return self._known.setdefault(setting, _Tries(self._peer, self._truth, setting))


def settle(tuned: Sequence[Tuned], truth: Truth, rounds: int) -> None:
    """Measure all in turn; those that miss their target on so many questions go further, and all are timed again."""
    measure(tuned, truth, rounds)
    missed = [each for each in tuned if each.reached and each.peer.ladder and each.recall < each.target]
    for each in missed:
        while each.recall < each.target and each.climb():
            measure([each], truth, rounds)
        each.reached = each.recall >= each.target
    if missed:
        recalls = [each.recall for each in tuned]
        measure(tuned, truth, rounds // 3)
        for each, recall in zip(tuned, recalls, strict=True):
            each.recall = recall


def measure(tuned: Sequence[Tuned], truth: Truth, rounds: int) -> None:
    """Ask each peer in turn, `rounds` questions each: noise hits all alike. Recall and milliseconds go into `tuned`."""
    found: list[dict[int, Ids]] = [{} for _ in tuned]
    for each in tuned:
        each.walls.clear()
        each.cpus.clear()
    for turn in range(rounds):
        for place, each in enumerate(tuned):
            if turn % each.peer.every == 0:
                found[place][turn % len(truth.questions)] = _ask(each, truth.questions, turn % len(truth.questions))
    for each, answers in zip(tuned, found, strict=True):
        each.recall = truth.recall(answers)


def _ask(each: Tuned, questions: Questions, number: int) -> Ids:
    each.peer.apply(each.setting)
    cpu = each.peer.cpu()
    started = time.perf_counter()
    ids = each.peer.search(questions, number)
    each.walls.append((time.perf_counter() - started) * 1000)
    each.cpus.append((each.peer.cpu() - cpu) * 1000)
    return ids
