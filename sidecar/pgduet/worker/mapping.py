"""Learns the map of a generation's chunks from a sample: two directions and the centres of clusters."""

import time
from collections.abc import Callable

import numpy as np

from pgduet.database.snapshots import Fit, Floats, Snapshots

# Measured on 13,000 vectors that lie as those of code do: the axes of 5,000 are 2 and 4 degrees from those of all.
SAMPLE = 5_000
_LEAST = 3
_MOST_CLUSTERS = 12
_ROUNDS = 25
_TURNS = 10
# Directions beside the two that are wanted make the search for those converge sooner.
_SPARE = 6
_SEED = 2560


def keep_map(snapshots: Snapshots, stopped: Callable[[], bool]) -> int:
    """Make maps that are lacking, and bring points up to date, where that is due; return how many maps were done.

    Raises DatabaseError.
    """
    done = 0
    if stopped() or not snapshots.is_due("code_map"):
        return done
    started = time.monotonic()
    for due in snapshots.due_maps():
        map_id = due.map_id
        if map_id is None:
            sample = snapshots.sample(due, SAMPLE)
            if len(sample) < _LEAST:
                continue
            fit = fit_map(sample)
            # Fitting takes seconds: what begins after a stop is cancelled.
            map_id = None if stopped() else snapshots.begin_map(due, fit)
        if map_id is None or stopped() or not snapshots.place_all(due, map_id, stopped):
            return done
        done += 1
    snapshots.note("code_map", time.monotonic() - started)
    return done


def fit_map(vectors: Floats) -> Fit:
    """Find the two main directions of unit vectors [n, width], n at least 3, and centres of clusters.

    The same vectors give the same map.
    """
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    axes, shown = _main_axes(centred)
    x_mean, y_mean = (axes @ mean).tolist()
    return Fit(axes, (x_mean, y_mean), _centres(vectors), shown)


def _main_axes(centred: Floats) -> tuple[Floats, float]:
    """Find the first two principal axes [2, width] and the share of variance along them, by subspace iteration."""
    draw = np.random.default_rng(_SEED)
    count = min(2 + _SPARE, *centred.shape)
    basis = draw.standard_normal((centred.shape[1], count)).astype(np.float32)
    for _ in range(_TURNS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    _, strengths, turns = np.linalg.svd(centred @ basis, full_matrices=False)
    axes = (turns[:2] @ basis.T).astype(np.float32)
    # An axis has no sign of its own: the largest number is made positive, so that no map is another's mirror.
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.where(axes[[0, 1], largest] < 0, -1, 1)[:, None]
    total = float((centred**2).sum())
    return axes, min(1.0, float((strengths[:2] ** 2).sum()) / total) if total else 0.0


def _centres(vectors: Floats) -> Floats:
    """Find unit centres [k, width] by k-means on the sphere, the largest cluster first."""
    count = max(2, min(_MOST_CLUSTERS, round((len(vectors) / 10) ** 0.5)))
    centres = _seeds(vectors, count)
    for _ in range(_ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1)
        used = np.unique(nearest)
        sums = np.stack([vectors[nearest == one].sum(axis=0) for one in used])
        moved = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        if moved.shape == centres.shape and np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    sizes = np.bincount((vectors @ centres.T).argmax(axis=1), minlength=len(centres))
    return np.asarray(centres[np.argsort(-sizes, kind="stable")], dtype=np.float32)


def _seeds(vectors: Floats, count: int) -> Floats:
    """Pick vectors far from each other, at random by the square of their distance (k-means++)."""
    draw = np.random.default_rng(_SEED)
    picked = [int(draw.integers(len(vectors)))]
    distances = 1 - vectors @ vectors[picked[0]]
    while len(picked) < count:
        weights = np.maximum(distances, 0).astype(np.float64)
        if weights.sum() < 1e-6:
            break
        picked.append(int(draw.choice(len(vectors), p=weights / weights.sum())))
        distances = np.minimum(distances, 1 - vectors @ vectors[picked[-1]])
    return vectors[picked]
