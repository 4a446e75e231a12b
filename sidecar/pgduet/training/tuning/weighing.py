"""The weights of the halves after both have changed."""

import math

from pgduet.training.tuning.held_out import Encoded, HeldOut, Scores, Weights

_TWENTIETHS = range(1, 20)


def weigh(dev: HeldOut, encoded: Encoded, parent: Weights) -> Weights:
    """Return the (code, text) weights by which the dev side is found best, in steps of 0.05; they sum to one.

    A difference below twice its own standard error may be chance: of all weights that may be as good as the best, those
    nearest to the parent's are taken. Other questions are asked than those of the dev side.
    """
    grid = [parent, *((number / 20, 1 - number / 20) for number in _TWENTIETHS)]
    values = dev.values(encoded, grid)
    best = max(values, key=lambda one: one.mean())
    as_good = [weights for weights, one in zip(grid, values, strict=True) if _is_chance(best - one)]
    code, text = min(as_good, key=lambda weights: abs(weights[0] - parent[0]))
    return round(code, 4), round(text, 4)


def _is_chance(differences: Scores) -> bool:
    error = float(differences.std()) / math.sqrt(len(differences))
    return float(differences.mean()) <= 2 * error
