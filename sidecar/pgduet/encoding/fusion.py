"""From the two halves to one unit vector."""

import numpy as np
import numpy.typing as npt

from pgduet.encoding.hadamard import Floats


def unit_rows(rows: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Divide every row [n, m] by its length; return the rows and which of them had a finite length above zero.

    Rows that had not are returned as zeros.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    good = np.isfinite(lengths) & (lengths > 0)
    result = np.zeros(rows.shape, np.float32)
    result[good] = rows[good] / lengths[good, None]
    return result, good


def fuse(code: Floats, text: Floats, code_weight: float, text_weight: float) -> Floats:
    """Join unit halves [n, a] and [n, b] into unit vectors [n, a + b]; the weights sum to one.

    Scaling by the root of the weights makes the cosine of two fused vectors the weighted mean of the halves' cosines.
    """
    return np.concatenate([code * np.float32(code_weight**0.5), text * np.float32(text_weight**0.5)], axis=1)
