"""Lifting a narrower encoder into its slot, so that no slot is full of zeros."""

import numpy as np

from pgduet.encoding import hadamard
from pgduet.encoding.hadamard import Floats


def lift_matrix(slot_width: int, width: int, seed: int) -> Floats:
    """Return the matrix [slot_width, width] with orthonormal columns that lifts `width` numbers; fixed by `seed`.

    Columns drawn from a Hadamard matrix, its rows with random signs and in random order: every entry is plus or minus
    1/sqrt(slot_width), so cosines are kept exactly and the energy is spread over the whole slot. An encoder as wide as
    its slot is left as it is (the identity).
    """
    if width == slot_width:
        return np.eye(slot_width, dtype=np.float32)
    columns = hadamard.permutation(seed, slot_width)[:width]
    rows = hadamard.permutation(seed + 1, slot_width)
    signed = hadamard.matrix(slot_width)[:, columns] * hadamard.signs(seed + 2, slot_width)[:, None]
    lifted: Floats = signed[rows] * np.float32(1 / np.sqrt(slot_width))
    return lifted
