from __future__ import annotations

import math

import pytest

from masklet.hosting.shown.ribbons import ribbon_of


def area_of(corners: list[tuple[float, float]]) -> float:
    """Of all triangles of a strip together: more than that of its outline where some lie over others."""
    triangles = zip(corners, corners[1:], corners[2:], strict=False)
    return sum(
        abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 for (ax, ay), (bx, by), (cx, cy) in triangles
    )


def test_a_line_is_covered_once_from_end_to_end_however_far_apart_its_points_are() -> None:
    for steps in (1, 2, 50):
        line = [(100.0 * step / steps, 7.0) for step in range(steps + 1)]
        corners = ribbon_of(line, 12.0)
        assert area_of(corners) == pytest.approx(112.0 * 12.0)
        assert (min(x for x, _ in corners), max(x for x, _ in corners)) == pytest.approx((-6.0, 106.0))
        assert {round(y, 6) for _, y in corners} == {1.0, 13.0}


def test_a_dab_is_a_square_of_the_brush() -> None:
    assert area_of(ribbon_of([(3.0, 4.0)], 10.0)) == pytest.approx(100.0)
    assert area_of(ribbon_of([(3.0, 4.0)] * 5, 10.0)) == pytest.approx(100.0)


def test_a_curve_keeps_its_width_and_a_hand_that_turns_back_breaks_nothing() -> None:
    curve = [(80 * math.cos(step / 20), 80 * math.sin(step / 20)) for step in range(60)]
    corners = ribbon_of(curve, 10.0)
    for left, right in zip(corners[::2], corners[1::2], strict=True):
        assert math.dist(left, right) == pytest.approx(10.0)
    back = ribbon_of([(0.0, 0.0), (50.0, 0.0), (0.0, 0.0)], 10.0)
    assert all(math.isfinite(value) for corner in back for value in corner)
