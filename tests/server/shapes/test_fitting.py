"""Splines hold the tolerance, keep their vertices on the surface and need few keyframes."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from blob_mattes import LAST_FRAME, blob_mattes
from masklet.errors import BadInputError, CancelledError
from masklet.shapes import ObjectShapes
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import coverage, draw
from masklet_server.shapes.report import iou

Points = NDArray[np.float64]
Matte = NDArray[np.float32]
WIDTH_PX, HEIGHT_PX = 320, 240


def _drawn(points: Points, *, feather_px: float = 0.0) -> Matte:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    widths = np.full(len(points), feather_px)
    (top, left), covered = coverage(points, WIDTH_PX, HEIGHT_PX, feather_px=widths)
    matte[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    return matte


def _blob() -> Points:
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    radius_px = 62 + 15 * np.cos(3 * angle) + 6 * np.sin(5 * angle + 1)
    return np.stack([radius_px * np.cos(angle), radius_px * np.sin(angle)], axis=-1)


def _box(half_width_px: float, half_height_px: float) -> Points:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]]) * (half_width_px, half_height_px)
    sides = np.linspace(0, 1, 60, endpoint=False)[:, None]
    return np.concatenate(
        [a + (b - a) * sides for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    )


def _at(points: Points, x_px: float, y_px: float) -> Points:
    return points + np.array([x_px, y_px])


def _pose(frame: int, *, turn_deg: float = 1.0) -> tuple[Points, Points]:
    turn = np.radians(turn_deg * frame)
    linear = (1 + 0.004 * frame) * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return linear, np.array([120 + 3.0 * frame, 115 + 8 * np.sin(frame / 6)])


def _moved(points: Points, frame: int) -> Points:
    linear, shift = _pose(frame)
    return points @ linear.T + shift


def _vertices(shapes: ObjectShapes, frame: int, piece: int = 0) -> Points:
    return np.array([[vertex.x_px, vertex.y_px] for vertex in shapes.pieces[piece].path_at(frame)])


def _agrees(shapes: ObjectShapes, mattes: dict[int, Matte], least: float) -> None:
    for frame, matte in mattes.items():
        assert iou(draw(shapes, frame, feathered=False) >= 0.5, matte >= 0.5) >= least


def test_a_rigid_object_is_one_piece_with_few_vertices_and_keys_that_stick_to_its_surface() -> None:
    first = -10
    mattes = {first + step: _drawn(_moved(_blob(), step)) for step in range(24)}

    shapes = fit_shapes(mattes, name="blob")

    (piece,) = shapes.pieces
    assert [(span.first, span.last) for span in piece.visible] == [(first, first + 23)]
    assert 4 <= piece.vertex_count <= 32
    assert shapes.report.keyframes <= 0.25 * 24
    assert shapes.report.largest_distance_px <= 1.0
    assert shapes.report.worst_iou > 0.98
    _agrees(shapes, mattes, 0.98)
    for step in range(23):
        linear, shift = _pose(step)
        later_linear, later_shift = _pose(step + 1)
        carried = (_vertices(shapes, first + step) - shift) @ np.linalg.inv(
            linear
        ).T @ later_linear.T + later_shift
        assert np.hypot(*(carried - _vertices(shapes, first + step + 1)).T).max() < 1.0


def test_corners_stay_corners() -> None:
    corners = np.array([[-60, -40], [60, -40], [60, 40], [-60, 40.0]])
    mattes = {frame: _drawn(_moved(_box(60, 40), frame)) for frame in range(12)}

    shapes = fit_shapes(mattes, name="box")

    for frame in mattes:
        gaps_px = np.linalg.norm(_moved(corners, frame)[:, None] - _vertices(shapes, frame), axis=-1).min(
            axis=1
        )
        assert gaps_px.max() < 1.5
    assert shapes.report.vertices <= 8


def test_a_wider_tolerance_needs_no_more_vertices_or_keys() -> None:
    mattes = {frame: _drawn(_moved(_blob(), frame)) for frame in range(16)}

    close, wide = (fit_shapes(mattes, name="blob", tolerance_px=size).report for size in (0.6, 4.0))

    assert wide.vertices < close.vertices
    assert wide.keyframes < close.keyframes
    assert wide.largest_distance_px <= 4.0


def test_a_hole_is_a_piece_of_its_own_and_an_island_comes_after_it() -> None:
    def matte(frame: int) -> Matte:
        ring, hole, island = (_moved(_blob() * size, frame) for size in (1.0, 0.6, 0.25))
        return np.maximum(_drawn(ring) - _drawn(hole), 0) + _drawn(island)

    mattes = {frame: matte(frame) for frame in range(8)}

    shapes = fit_shapes(mattes, name="ring")

    assert [piece.hole for piece in shapes.pieces] == [False, True, False]
    _agrees(shapes, mattes, 0.95)  # thin rings: a pixel either way is a twentieth of their area


@pytest.mark.parametrize("backwards", [False, True])
def test_a_split_ends_one_piece_and_begins_two_and_a_merge_the_other_way_round(backwards: bool) -> None:
    def matte(frame: int) -> Matte:
        apart = 9 - frame if backwards else frame
        gap_px = 4.0 * max(apart - 4, 0) + (45 if apart > 4 else 0)
        left, right = _at(_box(40, 40), 120 - gap_px / 2, 120), _at(_box(40, 40), 190 + gap_px / 2, 120)
        return np.maximum(_drawn(left), _drawn(right))

    mattes = {frame: matte(frame) for frame in range(10)}

    shapes = fit_shapes(mattes, name="halves")

    assert sorted(piece.visible[0].first for piece in shapes.pieces) == (
        [0, 0, 5] if backwards else [0, 5, 5]
    )
    counts = [1] * 5 + [2] * 5
    assert [len(shapes.visible_at(frame)) for frame in range(10)] == (counts[::-1] if backwards else counts)
    _agrees(shapes, mattes, 0.98)


def test_an_object_that_leaves_and_returns_is_drawn_only_while_it_is_there() -> None:
    mattes = {frame: _drawn(_at(_blob(), 40 + 30.0 * frame, 120)) for frame in range(18)}
    empty = [frame for frame, matte in mattes.items() if not (matte >= 0.5).any()]
    mattes.update({18 + frame: mattes[frame].copy() for frame in range(6)})

    shapes = fit_shapes(mattes, name="passing")

    assert empty
    assert all(not shapes.visible_at(frame) for frame in empty)
    assert all(shapes.visible_at(frame) for frame in range(18, 24))
    _agrees(shapes, mattes, 0.97)


def test_frames_without_a_matte_are_bridged_and_not_drawn() -> None:
    mattes = {frame: _drawn(_moved(_blob(), frame)) for frame in (3, 4, 5, 8, 9)}

    shapes = fit_shapes(mattes, name="blob")

    (piece,) = shapes.pieces
    assert [(span.first, span.last) for span in piece.visible] == [(3, 5), (8, 9)]


def test_the_feather_is_the_softness_of_the_matte() -> None:
    soft = {frame: _drawn(_at(_blob(), 150, 120), feather_px=9) for frame in range(3)}
    hard = {frame: _drawn(_at(_blob(), 150, 120)) for frame in range(3)}

    feathers = [vertex.feather_px for vertex in fit_shapes(soft, name="soft").pieces[0].path_at(1)]
    none = [vertex.feather_px for vertex in fit_shapes(hard, name="hard").pieces[0].path_at(1)]

    assert np.median(feathers) == pytest.approx(9, abs=1.5)
    assert np.median(none) == 0


def test_squeezed_pixels_keep_the_geometry() -> None:
    squeeze = np.array([0.5, 1.0])
    mattes = {frame: _drawn(_moved(_blob(), frame) * squeeze) for frame in range(12)}

    shapes = fit_shapes(mattes, name="anamorphic", pixel_aspect=2.0)

    _agrees(shapes, mattes, 0.97)
    for frame in range(11):
        linear, shift = _pose(frame)
        later_linear, later_shift = _pose(frame + 1)
        here, there = _vertices(shapes, frame) / squeeze, _vertices(shapes, frame + 1) / squeeze
        carried = (here - shift) @ np.linalg.inv(linear).T @ later_linear.T + later_shift
        assert np.hypot(*(carried - there).T).max() < 1.5


def _speck(frame: int) -> Matte:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    matte[50, 60 + frame : 63 + frame] = 1
    return matte


def _fragments(frame: int) -> Matte:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    matte[4:-4:7, 4:-4:7] = 1
    matte[5:-4:7, 4:-4:7] = 1
    matte[60:90, 60 + frame : 100 + frame] = 1
    return matte


def _figure_of_eight(frame: int) -> Matte:
    angle = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    return _drawn(np.stack([160 + frame + 80 * np.sin(angle), 120 + 40 * np.sin(2 * angle)], axis=-1))


def _full(frame: int) -> Matte:
    return np.ones((HEIGHT_PX, WIDTH_PX), np.float32)


def _along_the_border(frame: int) -> Matte:
    return _drawn(_at(_box(150, 60), 100 + 2.0 * frame, 30))


@pytest.mark.parametrize("draw_matte", [_speck, _figure_of_eight, _full, _along_the_border])
def test_unusual_objects_are_followed(draw_matte: Callable[[int], Matte]) -> None:
    mattes = {frame: draw_matte(frame) for frame in range(-10, -4)}

    shapes = fit_shapes(mattes, name="odd")

    assert all(shapes.visible_at(frame) for frame in mattes)
    assert shapes.report.largest_distance_px < 2.0
    _agrees(shapes, mattes, 0.6 if draw_matte is _speck else 0.97)


def test_vertices_of_a_full_frame_lie_on_its_border() -> None:
    shapes = fit_shapes({0: _full(0), 1: _full(1)}, name="full")

    assert _vertices(shapes, 0).min() >= -0.01
    assert (_vertices(shapes, 0) <= np.array([WIDTH_PX, HEIGHT_PX]) + 0.01).all()
    assert shapes.report.mean_iou > 0.999


def test_of_a_thousand_fragments_only_those_that_matter_become_pieces() -> None:
    mattes = {frame: _fragments(frame) for frame in range(2)}

    shapes = fit_shapes(mattes, name="confetti")

    assert len(shapes.visible_at(0)) <= 24
    assert shapes.report.left_out > 1000


def test_one_frame_is_enough() -> None:
    shapes = fit_shapes({1001: _drawn(_at(_blob(), 150, 120))}, name="still")

    (piece,) = shapes.pieces
    assert [key.frame for key in piece.keys] == [1001]
    assert shapes.report.mean_iou > 0.98


def test_an_object_that_is_never_there_has_no_pieces() -> None:
    shapes = fit_shapes({frame: np.zeros((8, 9), np.uint8) for frame in range(5)}, name="nobody")

    assert shapes.pieces == ()
    assert (shapes.report.mean_iou, shapes.report.worst_frame) == (1.0, None)


@pytest.mark.parametrize("tolerance_px", [0.0, -1.0, float("nan"), float("inf")])
def test_a_tolerance_must_be_above_zero(tolerance_px: float) -> None:
    with pytest.raises(BadInputError, match="tolerance above 0"):
        fit_shapes({0: _full(0)}, name="full", tolerance_px=tolerance_px)


@pytest.mark.parametrize("tolerance_px", [1e-300, 0.0009])
def test_a_tolerance_that_no_matte_can_tell_is_refused(tolerance_px: float) -> None:
    with pytest.raises(BadInputError, match=r"tolerance of 0\.001 or more"):
        fit_shapes({0: _full(0)}, name="full", tolerance_px=tolerance_px)


def test_mattes_must_be_there_and_alike() -> None:
    with pytest.raises(BadInputError, match="no mattes"):
        fit_shapes({}, name="none")
    with pytest.raises(BadInputError, match="frame 1 has 9 x 8"):
        fit_shapes({0: _full(0), 1: np.zeros((8, 9), np.uint8)}, name="mixed")
    with pytest.raises(BadInputError, match="rows and columns"):
        fit_shapes({0: np.zeros((8, 9, 3), np.uint8)}, name="colour")
    with pytest.raises(BadInputError, match="pixel aspect"):
        fit_shapes({0: _full(0)}, name="flat", pixel_aspect=0)


def test_progress_rises_to_one_and_may_cancel() -> None:
    mattes = {frame: _drawn(_moved(_blob(), frame)) for frame in range(4)}
    shares: list[float] = []
    fit_shapes(mattes, name="blob", on_progress=shares.append)

    def cancel(share: float) -> None:
        if share > 0.3:
            raise CancelledError("Cancelled.")

    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    with pytest.raises(CancelledError):
        fit_shapes(mattes, name="blob", on_progress=cancel)


def test_a_piece_that_leaves_the_picture_reaches_its_border_to_the_last() -> None:
    mattes = blob_mattes(softness_px=0.0, pixel_aspect=1.8)

    drawn = draw(fit_shapes(mattes, name="blob", pixel_aspect=1.8), LAST_FRAME)

    assert drawn[:, -1].sum() == pytest.approx(mattes[LAST_FRAME][:, -1].sum(), rel=0.05)
