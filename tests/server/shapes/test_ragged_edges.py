"""Outlines that are drawn anew on every frame do not cost a vertex per pixel step nor a key per frame."""

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.shapes.closeness import CERTAIN_PX, Closeness, raggedness_px
from masklet_server.shapes.contours import Contour, trace
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.life import lives
from masklet_server.shapes.pieces import strands
from masklet_server.shapes.raster import coverage
from masklet_server.shapes.reading import packed

WIDTH_PX, HEIGHT_PX = 480, 360
FRAMES = 20
Matte = NDArray[np.float32]


def _drawn(points: NDArray[np.float64]) -> Matte:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    (top, left), covered = coverage(points, WIDTH_PX, HEIGHT_PX)
    matte[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    return matte


def _blobs(tremble_px: float) -> dict[int, Matte]:
    """A drifting blob; on every frame its outline is off by bumps of its own, a few pixels long each."""
    random = np.random.default_rng(5)
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    mattes = {}
    for frame in range(FRAMES):
        bumps = np.interp(
            angle, np.linspace(0, 2 * np.pi, 120), random.normal(0, tremble_px, 120), period=2 * np.pi
        )
        radius_px = 120 + 22 * np.cos(3 * angle) + 9 * np.sin(5 * angle + 1) + bumps
        outline = np.stack([radius_px * np.cos(angle), radius_px * np.sin(angle)], axis=-1)
        mattes[frame] = _drawn(outline + np.array([190 + 3.0 * frame, 175 + frame]))
    return mattes


def _contours(mattes: dict[int, Matte]) -> list[list[Contour]]:
    return [trace(mattes[frame])[:1] for frame in sorted(mattes)]


def _ragged_px(mattes: dict[int, Matte]) -> float:
    found = [life for strand in strands(_contours(mattes)) for life in lives(strand, WIDTH_PX, HEIGHT_PX)]
    return raggedness_px(found)


def test_the_tremble_of_an_edge_is_told_from_its_motion() -> None:
    assert _ragged_px(_blobs(0.0)) < CERTAIN_PX
    assert _ragged_px(_blobs(0.8)) == pytest.approx(0.8, abs=0.4)


@pytest.mark.parametrize("tremble_px", [0.22, 0.6])
def test_a_trembling_outline_gets_hardly_more_vertices_and_keys_than_a_calm_one(tremble_px: float) -> None:
    calm, trembling = (fit_shapes(_blobs(size_px), name="blob").report for size_px in (0.0, tremble_px))

    assert trembling.vertices <= 1.5 * calm.vertices
    assert trembling.keyframes <= calm.keyframes + 0.25 * FRAMES
    assert trembling.mean_iou > 0.98


def test_an_edge_that_is_certain_is_followed_everywhere() -> None:
    assert fit_shapes(_blobs(0.0), name="blob").report.largest_distance_px <= 1.0


def test_of_an_uncertain_edge_a_twentieth_may_lie_three_times_as_far_off() -> None:
    gaps_px = np.full((1, 100), 0.5)
    gaps_px[0, :4] = 2.5

    assert Closeness(1.0, everywhere=False).beyond(gaps_px) == pytest.approx(2.5 / 3)
    assert Closeness(1.0, everywhere=True).beyond(gaps_px) == pytest.approx(2.5)
    gaps_px[0, :6] = 2.5
    assert Closeness(1.0, everywhere=False).beyond(gaps_px) > 1


def test_specks_that_flicker_become_no_pieces_and_those_that_stay_do() -> None:
    mattes = _blobs(0.0)
    for frame in (4, 5, 11):
        mattes[frame][20:24, 20:24] = 1
    for matte in mattes.values():
        matte[330:340, 440:450] = 1

    shapes = fit_shapes(mattes, name="blob")

    assert len(shapes.pieces) == 2
    assert shapes.report.left_out == 3
    assert all(len(shapes.visible_at(frame)) == 2 for frame in mattes)


def test_a_packed_mask_is_the_mask() -> None:
    mask = np.zeros((37, 53), np.bool_)
    mask[5:20, 7:41] = np.random.default_rng(0).random((15, 34)) > 0.5

    small = packed(mask)

    unpacked = np.zeros_like(mask)
    rows, columns = small.shape
    unpacked[small.top : small.top + rows, small.left : small.left + columns] = small.part()
    assert np.array_equal(unpacked, mask)
    assert packed(np.zeros((4, 4), np.bool_)).part().size == 0
