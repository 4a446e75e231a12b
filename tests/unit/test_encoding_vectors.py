import hashlib

import numpy as np
import pytest

from pgduet.encoding import hadamard
from pgduet.encoding.fusion import fuse, unit_rows
from pgduet.encoding.lift import lift_matrix
from pgduet.encoding.sketch import Sketcher

RNG = np.random.default_rng(7)


def units(count: int, width: int) -> np.ndarray:
    return unit_rows(RNG.standard_normal((count, width)).astype(np.float32))[0]


@pytest.mark.parametrize(("slot_width", "width"), [(1536, 384), (1024, 384), (1536, 1000), (1024, 1024)])
def test_a_lift_has_orthonormal_columns(slot_width: int, width: int) -> None:
    lift = lift_matrix(slot_width, width, seed=5).astype(np.float64)
    assert lift.shape == (slot_width, width)
    assert np.abs(lift.T @ lift - np.eye(width)).max() < 1e-6


def test_a_lift_is_the_same_bits_everywhere() -> None:
    digest = hashlib.sha256((lift_matrix(1536, 384, seed=1536) > 0).tobytes()).hexdigest()
    assert digest == "c7d8619227f564f6eae26996524b4b25531321264673b978c292eb3acdf45a7f"


def test_lifts_of_two_seeds_differ() -> None:
    assert not np.array_equal(lift_matrix(1024, 384, seed=1), lift_matrix(1024, 384, seed=2))


def test_a_lifted_vector_fills_its_slot() -> None:
    lifted = units(50, 384) @ lift_matrix(1536, 384, seed=5).T
    assert (lifted == 0).mean() < 1e-3
    assert np.abs(np.linalg.norm(lifted, axis=1) - 1).max() < 1e-6


def test_an_order_without_a_hadamard_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="order 20"):
        hadamard.matrix(20)


@pytest.mark.parametrize("weight", [0.0, 0.15, 0.5, 1.0])
def test_the_fused_cosine_is_the_weighted_mean_of_the_halves(weight: float) -> None:
    code, text = units(20, 1536), units(20, 1024)
    fused = fuse(code, text, weight, 1 - weight)
    assert np.abs(np.linalg.norm(fused, axis=1) - 1).max() < 1e-6
    expected = weight * code @ code.T + (1 - weight) * text @ text.T
    assert np.abs(fused @ fused.T - expected).max() < 1e-6


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_flagged_alone(bad: float) -> None:
    rows = units(3, 8)
    rows[1, 4] = bad
    result, good = unit_rows(rows)
    assert good.tolist() == [True, False, True]
    assert not result[1].any()
    assert np.isfinite(result).all()


def test_a_row_without_length_is_flagged() -> None:
    assert unit_rows(np.zeros((1, 8), np.float32))[1].tolist() == [False]


def test_the_rotation_of_a_sketch_keeps_angles() -> None:
    rows = units(20, 2560)
    rotated = Sketcher(2560, 2560).rotate(rows)
    assert np.abs(rotated @ rotated.T - rows @ rows.T).max() < 1e-5


def test_a_sketch_has_the_first_bit_highest_and_is_one_above_zero() -> None:
    sketcher = Sketcher(2560, 2560)
    rows = units(5, 2560)
    sketches = sketcher.sketch(rows)
    assert sketches.shape == (5, 320)
    assert sketches.dtype == np.uint8
    rotated = sketcher.rotate(rows)
    for bit in (0, 7, 8, 2559):
        assert ((sketches[:, bit // 8] >> (7 - bit % 8) & 1) == (rotated[:, bit] > 0)).all()
    assert not sketcher.sketch(np.zeros((1, 2560), np.float32)).any()


def test_a_sketch_does_not_depend_on_the_batch() -> None:
    sketcher = Sketcher(2560, 2560)
    rows = units(9, 2560)
    alone = np.concatenate([sketcher.sketch(row[None]) for row in rows])
    assert np.array_equal(alone, sketcher.sketch(rows))


def structured(count: int, width: int, decay: float) -> np.ndarray:
    """Vectors whose energy falls off from coordinate to coordinate, with a common mean: hard for signs."""
    spectrum = np.arange(1, width + 1, dtype=np.float32) ** -decay
    return unit_rows((RNG.standard_normal((count, width)).astype(np.float32) + 0.1) * spectrum)[0]


@pytest.mark.parametrize("decay", [0.5, 0.8])
@pytest.mark.parametrize("weight", [0.15, 0.5, 0.85])
def test_thirty_candidates_by_sketch_hold_the_ten_nearest_of_structured_vectors(weight: float, decay: float) -> None:
    """Measured: two rounds and a dense random rotation 0.95-1.0, one round 0.49-0.85, no rotation 0.11-0.13."""
    vectors = fuse(structured(3000, 1536, decay), structured(3000, 1024, decay), weight, 1 - weight)
    sketches = Sketcher(2560, 2560).sketch(vectors)
    nearest = np.argsort(-(vectors[:50] @ vectors.T), axis=1)[:, :10]
    distances = np.bitwise_count(sketches[:50, None, :] ^ sketches[None, :, :]).sum(axis=2, dtype=np.int32)
    candidates = np.argsort(distances, axis=1, kind="stable")[:, :30]
    recall = np.mean([len(np.intersect1d(n, c)) / 10 for n, c in zip(nearest, candidates, strict=True)])
    assert recall >= 0.92
