"""What is written into masks, in numbers; no Blender is needed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange
from masklet_blender.natives.coordinates import FrameMap, MaskSpace
from masklet_blender.natives.feathering import drawn_path, runs_clockwise, turned
from masklet_blender.natives.mask_drawing import drawing_of
from masklet_server.shapes.raster import flatten

SQUARE = MaskSpace(400, 400)
REPORT = ShapeReport(1.0, 1.0, 1.0, 1, 0.0, 8, 1, 1)


def circle(radius_px: float, *, feather_px: float = 0.0, vertices: int = 8) -> tuple[BezierVertex, ...]:
    handle = 4 / 3 * math.tan(math.pi / 2 / vertices) * radius_px
    points = []
    for index in range(vertices):
        cos, sin = math.cos(math.tau * index / vertices), math.sin(math.tau * index / vertices)
        points.append(
            BezierVertex(
                200 + radius_px * cos,
                200 + radius_px * sin,
                handle * sin,
                -handle * cos,
                -handle * sin,
                handle * cos,
                feather_px,
            )
        )
    return tuple(points)


def radii(path) -> np.ndarray:
    points, _ = flatten([BezierVertex(*vertex[:6]) for vertex in path])
    return np.hypot(points[:, 0] - 200, points[:, 1] - 200)


def shapes(*pieces: Piece) -> ObjectShapes:
    return ObjectShapes("ring", 400, 400, 1.0, pieces, REPORT)


def test_a_soft_path_is_drawn_at_the_inner_border_of_its_band() -> None:
    path = drawn_path(circle(100, feather_px=20), SQUARE)

    assert radii(path) == pytest.approx(90, abs=0.15)
    assert [vertex[6] for vertex in path] == pytest.approx([20] * 8)


def test_a_hard_path_is_drawn_inside_of_what_blender_smooths_anyway() -> None:
    path = drawn_path(circle(100), MaskSpace(1920, 1080))

    assert radii(path) == pytest.approx(100 - 1920 / 1080 / 2, abs=0.1)


def test_a_path_that_is_all_band_is_not_turned_inside_out() -> None:
    path = drawn_path(circle(5, feather_px=30), SQUARE)

    assert radii(path).min() > 0.5
    assert runs_clockwise([BezierVertex(*vertex[:6]) for vertex in path])
    # The band ends where it should, 15 pixels outside of the edge.
    assert radii(path) + path[0][6] == pytest.approx(20, abs=0.5)


def test_what_lies_on_the_border_of_the_picture_stays_there() -> None:
    box = [BezierVertex(x, y, feather_px=8) for x, y in ((300, 100), (400, 100), (400, 300), (300, 300))]

    path = [(vertex[0], vertex[1]) for vertex in drawn_path(box, SQUARE)]

    assert path == [pytest.approx(place) for place in ((304, 104), (400, 104), (400, 296), (304, 296))]


def test_a_path_turned_round_is_the_same_line() -> None:
    path = circle(100)

    assert runs_clockwise(path)
    assert not runs_clockwise(turned(path))
    assert turned(turned(path)) == list(path)
    assert radii([vertex.as_tuple() for vertex in turned(path)]) == pytest.approx(100, abs=0.01)


def test_pieces_that_run_either_way_are_written_clockwise() -> None:
    visible = (FrameRange(1, 5),)
    this = Piece("this", False, visible, (ShapeKey(1, circle(100)),))
    that = Piece("that", False, visible, (ShapeKey(1, tuple(turned(circle(100)))),))

    first, second = drawing_of(shapes(this, that), FrameMap(1, 1)).pieces

    for key in (first.keys[0], second.keys[0]):
        x, y = np.array(key.centres).reshape(-1, 2).T
        # Blender's y grows upwards, where clockwise has a negative area.
        assert (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0


def test_a_layer_is_on_from_half_a_frame_before_to_half_a_frame_after_it_is_seen() -> None:
    spans = (FrameRange(1003, 1004), FrameRange(1005, 1006), FrameRange(1009, 1009))
    piece = Piece("piece 1", False, spans, (ShapeKey(1003, circle(50)),))

    drawing = drawing_of(shapes(piece), FrameMap(1001, 11))

    assert drawing.pieces[0].switches == ((11.5, 0.0), (12.5, 1.0), (16.5, 0.0), (18.5, 1.0), (19.5, 0.0))
    assert (drawing.first_frame, drawing.last_frame) == (13, 19)


def test_pieces_that_are_never_seen_are_left_out() -> None:
    hidden = Piece("piece 1", False, (), (ShapeKey(1, circle(50)),))

    assert drawing_of(shapes(hidden), FrameMap(1001, 11)).pieces == ()
