"""Contours lie where the coverage crosses one half, also at the border of the picture."""

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.shapes.contours import trace
from masklet_server.shapes.raster import coverage

Float = NDArray[np.float64]


def _disc(x_px: float, y_px: float, radius_px: float) -> NDArray[np.float32]:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    points = np.stack([x_px + radius_px * np.cos(angle), y_px + radius_px * np.sin(angle)], axis=-1)
    matte = np.zeros((100, 120), np.float32)
    (top, left), covered = coverage(points, 120, 100)
    matte[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    return matte


def test_a_soft_disc_is_traced_to_a_tenth_of_a_pixel() -> None:
    (contour,) = trace(_disc(60.3, 50.7, 30))

    radii = np.hypot(*(contour.points - (60.3, 50.7)).T)
    assert np.abs(radii - 30).max() < 0.1
    assert contour.centre == pytest.approx((60.3, 50.7), abs=0.02)


def test_eight_bits_and_floats_are_traced_alike() -> None:
    matte = _disc(60.3, 50.7, 30)

    (from_float,), (from_bytes,) = trace(matte), trace(np.rint(matte * 255).astype(np.uint8))

    assert from_bytes.area_px == pytest.approx(from_float.area_px, rel=1e-3)


def test_a_full_frame_is_traced_along_its_border() -> None:
    (contour,) = trace(np.ones((20, 30), np.float32))

    assert contour.points.min(axis=0) == pytest.approx((0, 0))
    assert contour.points.max(axis=0) == pytest.approx((30, 20))
    assert contour.area_px == pytest.approx(600, abs=1)


def test_the_border_does_not_shrink_a_soft_matte() -> None:
    (contour,) = trace(np.full((20, 30), 0.7, np.float32))

    assert contour.area_px == pytest.approx(600, abs=1)


def test_holes_run_the_other_way_round() -> None:
    matte = np.zeros((40, 40), np.uint8)
    matte[5:35, 5:35] = 255
    matte[15:25, 15:25] = 0

    outer, hole = trace(matte)

    assert outer.area_px == pytest.approx(900, abs=2)
    assert hole.area_px == pytest.approx(-100, abs=2)
    assert hole.is_hole


def test_pixels_that_touch_at_a_corner_are_one_contour_that_never_meets_itself() -> None:
    matte = np.zeros((10, 10), np.uint8)
    matte[3, 3] = matte[4, 4] = 255

    (contour,) = trace(matte)

    assert len(np.unique(contour.points, axis=0)) == len(contour.points)


def test_nothing_is_traced_in_an_empty_matte() -> None:
    assert trace(np.zeros((8, 9), np.uint8)) == []


def test_numbers_that_are_none_count_as_outside() -> None:
    matte = _disc(60, 50, 20)
    matte[45:55, 55:65] = np.nan

    contours = trace(matte)

    assert len(contours) == 2
    assert all(np.isfinite(contour.points).all() for contour in contours)
