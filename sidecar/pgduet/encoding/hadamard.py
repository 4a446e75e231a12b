"""Hadamard matrices, and permutations and signs drawn from a seed: all exact, the same on every machine.

Only PCG64's stream of raw integers is used, which numpy guarantees for ever (NEP 19); its normal deviates, and LAPACK's
factorisations, are not guaranteed to agree between versions and machines.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def permutation(seed: int, count: int) -> npt.NDArray[np.intp]:
    """Return a permutation of `count` indices drawn from `seed`."""
    return np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")


def signs(seed: int, count: int) -> Floats:
    """Return `count` numbers of -1 or 1 drawn from `seed`."""
    bits = np.random.PCG64(seed).random_raw(count) >> np.uint64(63)
    return np.where(bits == 1, np.float32(-1), np.float32(1))


def matrix(order: int) -> Floats:
    """Return a Hadamard matrix of `order` 2^n or 12 * 2^n: entries -1 and 1, rows orthogonal.

    Orders of 2^n are Sylvester's, the factor 12 is Paley's. Raises ValueError for another order.
    """
    result = np.ones((1, 1), np.float32)
    rest = order
    if rest % 3 == 0:
        result, rest = _paley12(), rest // 12
    if rest < 1 or rest & (rest - 1) or result.shape[0] * rest != order:
        raise ValueError(f"no Hadamard matrix of order {order} is known here")
    two = np.array([[1, 1], [1, -1]], np.float32)
    while result.shape[0] < order:
        result = np.kron(two, result)
    return result


def _paley12() -> Floats:
    """Build the matrix of order 12 from the quadratic residues modulo 11."""
    residues = {i * i % 11 for i in range(1, 11)}
    result = np.ones((12, 12), np.float32)
    for row in range(11):
        for column in range(11):
            residue = row != column and (row - column) % 11 in residues
            result[row + 1, column + 1] = 1 if residue else -1
    return result


def transform(rows: Floats, block: int) -> Floats:
    """Apply Sylvester's matrix of order `block` to every run of `block` numbers in `rows` [n, m]; m is a multiple.

    Sums are formed in one fixed order, so equal input gives equal bits everywhere. Not scaled.
    """
    count, width = rows.shape
    result = rows
    half = 1
    while half < block:
        pairs = result.reshape(count, width // (2 * half), 2, half)
        low, high = pairs[:, :, 0], pairs[:, :, 1]
        result = np.stack([low + high, low - high], axis=2).reshape(count, width)
        half *= 2
    return result
