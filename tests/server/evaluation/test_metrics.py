from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.evaluation.metrics import boundary_map, region_similarity, score_frame

Mask = NDArray[np.bool_]


def slow_boundary(mask: Mask) -> Mask:
    """Boundary pixels, one by one, as the DAVIS toolkit marks them."""
    rows, columns = mask.shape
    marked = np.zeros_like(mask)
    for y in range(rows):
        for x in range(columns):
            right = mask[y, x + 1] if x + 1 < columns else None
            below = mask[y + 1, x] if y + 1 < rows else None
            corner = mask[y + 1, x + 1] if right is not None and below is not None else None
            if right is None or below is None:
                neighbours = [n for n in (right, below) if n is not None]
            else:
                neighbours = [right, below, corner]
            marked[y, x] = any(bool(n) != bool(mask[y, x]) for n in neighbours)
    return marked


def slow_dilation(boundary: Mask, radius_px: int) -> Mask:
    """Every pixel within a disc around a boundary pixel, by shifting the picture."""
    rows, columns = boundary.shape
    room = np.pad(np.zeros_like(boundary), radius_px)
    for dy in range(2 * radius_px + 1):
        for dx in range(2 * radius_px + 1):
            if (dx - radius_px) ** 2 + (dy - radius_px) ** 2 <= radius_px**2:
                room[dy : dy + rows, dx : dx + columns] |= boundary
    return room[radius_px : radius_px + rows, radius_px : radius_px + columns]


def slow_f(mask: Mask, truth: Mask) -> float:
    radius_px = int(np.ceil(0.008 * np.linalg.norm(mask.shape)))
    ours, theirs = slow_boundary(mask), slow_boundary(truth)
    if not ours.any() and not theirs.any():
        return 1.0
    if not ours.any() or not theirs.any():
        return 0.0
    precision = (ours & slow_dilation(theirs, radius_px)).sum() / ours.sum()
    recall = (theirs & slow_dilation(ours, radius_px)).sum() / theirs.sum()
    return 0.0 if precision + recall == 0 else float(2 * precision * recall / (precision + recall))


def slow_j(mask: Mask, truth: Mask) -> float:
    pairs = list(zip(mask.ravel().tolist(), truth.ravel().tolist(), strict=True))
    union = sum(a or b for a, b in pairs)
    return sum(a and b for a, b in pairs) / union if union else 1.0


def blobs(seed: int, shape: tuple[int, int]) -> Mask:
    """Something between noise and solid shapes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, np.bool_)
    for _ in range(int(rng.integers(0, 4))):
        centre_y, centre_x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        radius = rng.uniform(0.5, max(shape) / 2)
        mask ^= (y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2
    return np.asarray(mask ^ (rng.random(shape) < rng.choice([0.0, 0.01, 0.2])))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.tuples(st.integers(1, 40), st.integers(1, 60)),
)
def test_scores_agree_with_a_slow_reading_of_the_definition(
    seed: int, other_seed: int, shape: tuple[int, int]
) -> None:
    mask, truth = blobs(seed, shape), blobs(other_seed, shape)

    score = score_frame(mask, truth)

    assert np.array_equal(boundary_map(mask), slow_boundary(mask))
    assert score.j == pytest.approx(slow_j(mask, truth), abs=1e-6)
    assert score.f == pytest.approx(slow_f(mask, truth), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_where_the_tolerance_spans_several_pixels(seed: int) -> None:
    shape = (360, 640)
    mask, truth = blobs(seed, shape), blobs(seed + 100, shape)

    score = score_frame(mask, truth)

    assert score.f == pytest.approx(slow_f(mask, truth), abs=1e-6)


def test_two_empty_masks_agree_fully() -> None:
    nothing = np.zeros((20, 30), np.bool_)

    score = score_frame(nothing, nothing)

    assert (score.j, score.f, score.boundary_error_px) == (1.0, 1.0, None)


def test_a_mask_where_nothing_should_be_scores_zero() -> None:
    nothing = np.zeros((20, 30), np.bool_)
    something = nothing.copy()
    something[5:10, 5:10] = True

    for mask, truth in ((something, nothing), (nothing, something)):
        score = score_frame(mask, truth)
        assert (score.j, score.f, score.boundary_error_px) == (0.0, 0.0, None)


def test_void_pixels_count_for_nothing() -> None:
    truth = np.zeros((20, 30), np.bool_)
    truth[5:15, 5:15] = True
    mask = truth.copy()
    mask[0:4] = True
    void = np.zeros_like(truth)
    void[0:4] = True

    assert score_frame(mask, truth, void).j == 1.0
    assert score_frame(mask, truth, void).f == 1.0
    assert region_similarity(mask, truth) < 0.5


@given(st.integers(0, 12))
def test_the_boundary_error_of_a_larger_square_is_the_width_of_the_rim(rim_px: int) -> None:
    truth = np.zeros((100, 100), np.bool_)
    truth[30:70, 30:70] = True
    mask = np.zeros_like(truth)
    mask[30 - rim_px : 70 + rim_px, 30 - rim_px : 70 + rim_px] = True

    error_px = score_frame(mask, truth).boundary_error_px

    # Corners are further away than sides, by up to the square root of two.
    assert error_px is not None
    assert rim_px <= error_px <= 1.12 * rim_px


def test_masks_of_different_size_are_refused() -> None:
    with pytest.raises(BadInputError, match="30 x 20"):
        score_frame(np.zeros((20, 30), np.bool_), np.zeros((20, 31), np.bool_))
