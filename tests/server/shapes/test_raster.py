"""Splines are drawn with their exact areas."""

import numpy as np
import pytest

from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange
from masklet_server.shapes.raster import coverage, draw


def _rectangle(
    name: str, box: tuple[float, float, float, float], *, hole: bool = False, feather_px: float = 0
) -> Piece:
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    vertices = tuple(BezierVertex(x, y, feather_px=feather_px) for x, y in corners)
    return Piece(name, hole, (FrameRange(0, 3),), (ShapeKey(0, vertices),))


def _shapes(*pieces: Piece) -> ObjectShapes:
    report = ShapeReport(1.0, 1.0, 1.0, None, 0.0, 0, 0, 0)
    return ObjectShapes("box", 60, 40, 1.0, pieces, report)


def test_a_pixel_is_covered_by_what_lies_in_it() -> None:
    picture = draw(_shapes(_rectangle("piece 1", (10.25, 5.5, 20.5, 10))), 0)

    assert picture[7, 15] == 1
    assert picture[7, 10] == pytest.approx(0.75)
    assert picture[7, 20] == pytest.approx(0.5)
    assert picture[5, 10] == pytest.approx(0.375)
    assert picture.sum() == pytest.approx(10.25 * 4.5)


def test_the_direction_of_a_path_does_not_matter() -> None:
    points = np.array([[2.2, 3.1], [17.9, 4.0], [9.0, 16.5]])

    (_, forwards), (_, backwards) = coverage(points, 20, 20), coverage(points[::-1], 20, 20)

    np.testing.assert_allclose(forwards, backwards, atol=1e-6)


def test_paths_may_leave_the_picture_on_every_side() -> None:
    (top, left), covered = coverage(np.array([[-50.0, -40], [90, -40], [90, 95], [-50, 95]]), 30, 20)

    assert (top, left, covered.shape) == (0, 0, (20, 30))
    assert covered.min() == 1
    assert coverage(np.array([[40.0, 5], [50, 5], [45, 9]]), 30, 20)[1].sum() == 0


def test_holes_take_away_and_islands_come_back() -> None:
    outer, hole = _rectangle("piece 1", (5, 5, 35, 35)), _rectangle("hole 1", (10, 10, 30, 30), hole=True)
    island = _rectangle("piece 2", (15, 15, 25, 25))

    picture = draw(_shapes(outer, hole, island), 3)

    assert (picture[7, 7], picture[12, 12], picture[20, 20]) == (1, 0, 1)
    assert picture.sum() == pytest.approx(900 - 400 + 100)


def test_nothing_is_drawn_where_a_piece_is_not_visible() -> None:
    assert draw(_shapes(_rectangle("piece 1", (5, 5, 35, 35))), 4).sum() == 0


def test_a_feather_is_a_ramp_centred_on_the_path() -> None:
    picture = draw(_shapes(_rectangle("piece 1", (20, -50, 200, 90), feather_px=10)), 0)

    centres = np.arange(60) + 0.5
    np.testing.assert_allclose(picture[20], np.clip(0.5 + (centres - 20) / 10, 0, 1), atol=0.02)
    assert (
        draw(_shapes(_rectangle("piece 1", (20, -50, 200, 90), feather_px=10)), 0, feathered=False)[20, 19]
        == 0
    )
