from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.types import ClipInfo
from masklet_server.mattes.tiles import plan_tiles
from masklet_server.mattes.windows import Look, Window, look_into

CLIP = ClipInfo("plate", 3840, 2160, 1, 20)
GRID = 120


def disc(x: float, y: float, radius: float) -> NDArray[np.float16]:
    """Logits of a disc; all in parts of the plate's width."""
    rows, columns = (np.mgrid[0:GRID, 0:GRID] + 0.5) / GRID
    inside = np.hypot(columns - x, (rows * CLIP.height_px / CLIP.width_px) - y) < radius
    return np.where(inside, 9, -9).astype(np.float16)


def moving(radius: float) -> dict[int, NDArray[np.float16]]:
    return {frame: disc(0.42 + 0.01 * frame, 0.28, radius) for frame in range(1, 9)}


def test_tiles_hold_all_of_the_outline_on_every_frame() -> None:
    logits = moving(0.26)

    tiles = plan_tiles(CLIP, logits, image_side_px=480)

    angles = np.linspace(0, 2 * np.pi, 200)
    for frame in logits:
        x_px = (0.42 + 0.01 * frame + 0.26 * np.cos(angles)) * CLIP.width_px
        y_px = (0.28 + 0.26 * np.sin(angles)) * CLIP.width_px
        held = [
            (window.left_px < x_px)
            & (x_px < window.left_px + window.width_px)
            & (window.top_px < y_px)
            & (y_px < window.top_px + window.height_px)
            for window in (tile[frame] for tile in tiles)
        ]
        assert np.any(held, axis=0).all()


def test_tiles_are_few_of_one_size_and_within_the_plate() -> None:
    tiles = plan_tiles(CLIP, moving(0.26), image_side_px=480)

    windows = [window for tile in tiles for window in tile.values()]
    assert 2 <= len(tiles) <= 6
    ((width_px, height_px),) = {(window.width_px, window.height_px) for window in windows}
    # Stretched as the plate is, so that the network sees nothing out of shape.
    assert abs(width_px / height_px - 16 / 9) < 0.01
    assert all(0 <= window.left_px <= 3840 - width_px for window in windows)
    assert all(0 <= window.top_px <= 2160 - height_px for window in windows)


def test_a_tile_goes_with_the_object() -> None:
    tiles = plan_tiles(CLIP, moving(0.26), image_side_px=480)

    inner = [
        [window.left_px for window in tile.values()]
        for tile in tiles
        if all(0 < window.left_px < 3840 - window.width_px for window in tile.values())
    ]
    assert inner
    assert all(np.abs(np.diff(path) - 38.4).max() < 20 for path in inner)


@pytest.mark.parametrize(
    ("clip", "logits"),
    [
        (CLIP, np.full((GRID, GRID), 9, np.float16)),
        (CLIP, np.full((GRID, GRID), -9, np.float16)),
        (ClipInfo("small", 640, 360, 1, 2), disc(0.5, 0.28, 0.26)),
    ],
    ids=["no outline", "nothing there", "plate no larger than what the network sees"],
)
def test_no_tiles_where_they_would_show_no_more(clip: ClipInfo, logits: NDArray[np.float16]) -> None:
    assert plan_tiles(clip, {1: logits, 2: logits}, image_side_px=480) == ()


def test_the_side_on_which_an_object_leaves_the_plate_needs_no_tile() -> None:
    half = np.full((GRID, GRID), -9, np.float16)
    half[:, :60] = 9

    tiles = plan_tiles(CLIP, {1: half}, image_side_px=480)

    # Two, one above the other.
    assert sorted(tile[1].top_px for tile in tiles) == [0, 2160 - tiles[0][1].height_px]
    assert all(abs(tile[1].left_px + tile[1].width_px / 2 - 1920) < 600 for tile in tiles)


def test_a_frame_on_which_all_of_the_object_is_gone_keeps_its_tiles() -> None:
    logits = moving(0.26)
    logits[5] = np.full((GRID, GRID), -9, np.float16)

    tiles = plan_tiles(CLIP, logits, image_side_px=480)

    assert tiles
    assert all(set(tile) == set(logits) for tile in tiles)


def test_tiles_that_see_the_same_show_neither_seams_nor_a_step_at_the_plates_border() -> None:
    first = np.full((540, 960), 0.25, np.float32)
    grey = np.full((GRID, GRID), np.float16(0.0))
    windows = [Window(0, 0, 480, 480), Window(330, 0, 480, 480), Window(480, 0, 480, 480)]

    seen = look_into(first, *(Look(window, grey) for window in windows))

    covered = np.zeros((540, 960), bool)
    for window in windows:
        covered[window.slices] = True
    assert (seen[~covered] == 0.25).all()
    # At the plate's border as inside, and where tiles overlap as where only one sees.
    assert np.abs(seen[:450] - 0.5).max() < 1e-3
    # Towards what no tile sees: a fade.
    assert np.abs(np.diff(seen[400:], axis=0)).max() < 0.02
