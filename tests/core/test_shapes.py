"""Pieces keep their vertices and move linearly between keyframes."""

import math

import pytest

from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange


def _square(left_px: float, *, feather_px: float = 0.0) -> tuple[BezierVertex, ...]:
    corners = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    return tuple(BezierVertex(left_px + x, y, feather_px=feather_px) for x, y in corners)


def _moving_square(*visible: FrameRange) -> Piece:
    keys = (ShapeKey(-10, _square(0)), ShapeKey(-6, _square(8, feather_px=4)))
    return Piece("piece 1", hole=False, visible=visible, keys=keys)


def test_a_path_moves_linearly_between_its_keys_and_holds_outside_them() -> None:
    piece = _moving_square(FrameRange(-10, -6))

    assert piece.path_at(-9)[0] == BezierVertex(2, 0, feather_px=1)
    assert piece.path_at(-20) == _square(0)
    assert piece.path_at(5) == _square(8, feather_px=4)


def test_handles_move_with_the_interpolation_too() -> None:
    start = (BezierVertex(0, 0, 1, 0, 3, 0), BezierVertex(5, 5))
    end = (BezierVertex(0, 0, 3, 4, 5, 2), BezierVertex(5, 5))
    piece = Piece("piece 1", False, (FrameRange(0, 2),), (ShapeKey(0, start), ShapeKey(2, end)))

    assert piece.path_at(1)[0] == BezierVertex(0, 0, 2, 2, 4, 1)


def test_only_visible_pieces_are_drawn() -> None:
    piece = _moving_square(FrameRange(-10, -9), FrameRange(-7, -6))
    report = ShapeReport(1.0, 1.0, 1.0, -10, 0.0, 4, 2, 5)
    shapes = ObjectShapes("duck", 64, 48, 1.0, (piece,), report)

    assert [bool(shapes.visible_at(frame)) for frame in range(-11, -5)] == [
        False,
        True,
        True,
        False,
        True,
        True,
    ]


def test_a_piece_never_changes_its_number_of_vertices() -> None:
    with pytest.raises(ValueError, match="same two or more vertices"):
        Piece("piece 1", False, (), (ShapeKey(0, _square(0)), ShapeKey(1, _square(0)[:3])))


def test_keys_and_ranges_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascending keyframes"):
        Piece("piece 1", False, (), (ShapeKey(1, _square(0)), ShapeKey(1, _square(0))))
    with pytest.raises(ValueError, match="do not overlap"):
        _moving_square(FrameRange(0, 5), FrameRange(5, 6))
    with pytest.raises(ValueError, match="at least one keyframe"):
        Piece("piece 1", False, (), ())


def test_vertices_are_finite_and_feathers_not_negative() -> None:
    with pytest.raises(ValueError, match="finite"):
        BezierVertex(math.nan, 0)
    with pytest.raises(ValueError, match="feather"):
        BezierVertex(0, 0, feather_px=-1)
