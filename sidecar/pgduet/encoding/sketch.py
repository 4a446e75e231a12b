"""The sketch: one bit per number, whose Hamming distance follows the angle between two vectors."""

import numpy as np
import numpy.typing as npt

from pgduet.encoding import hadamard
from pgduet.encoding.hadamard import Floats

_BLOCK = 512
# Measured on vectors with a falling spectrum: two rounds find as much as a dense random rotation, one finds far less.
_ROUNDS = 2


class Sketcher:
    """Turns fused vectors into sketches by a rotation that is fixed by its seed."""

    def __init__(self, width: int, seed: int) -> None:
        if width % _BLOCK:
            raise ValueError(f"a vector's width must be a multiple of {_BLOCK}, not {width}")
        # The permutation comes first: blocks cut along the slots would never mix the two halves.
        self._rounds = [
            (hadamard.permutation(seed + 2 * turn, width), hadamard.signs(seed + 2 * turn + 1, width))
            for turn in range(_ROUNDS)
        ]

    def rotate(self, vectors: Floats) -> Floats:
        """Rotate vectors [n, width]: permute, flip signs, block Hadamard, twice. Lengths and angles are kept."""
        rows = vectors
        for order, flips in self._rounds:
            rows = hadamard.transform(rows[:, order] * flips, _BLOCK) * np.float32(_BLOCK**-0.5)
        return rows

    def sketch(self, vectors: Floats) -> npt.NDArray[np.uint8]:
        """Return the sketches [n, width / 8] of vectors [n, width].

        A bit is 1 where the rotated number is above zero; the first number's bit is the highest of the first byte.
        """
        return np.packbits(self.rotate(vectors) > 0, axis=1)
