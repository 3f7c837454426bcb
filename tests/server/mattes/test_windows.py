from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet.types import ClipInfo
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.windows import (
    Look,
    Window,
    WindowSource,
    agreement,
    look_into,
    plan_windows,
    seen_through,
    trusted,
)

CLIP = ClipInfo("clip", 1920, 1080, 1, 20)
GRID = 120


def blob(x: int, y: int, *, half: int = 6) -> NDArray[np.float16]:
    logits = np.full((GRID, GRID), -9, np.float16)
    logits[max(0, y - half) : y + half, max(0, x - half) : x + half] = 9
    return logits


def test_windows_have_one_size_hold_the_object_and_stay_in_the_plate() -> None:
    logits = {frame: blob(4 + 6 * frame, 8 + 5 * frame) for frame in range(1, 18)}

    windows = plan_windows(CLIP, logits, image_side_px=480)

    assert len({(window.width_px, window.height_px) for window in windows.values()}) == 1
    for frame, window in windows.items():
        assert 0 <= window.left_px <= CLIP.width_px - window.width_px
        assert 0 <= window.top_px <= CLIP.height_px - window.height_px
        columns = np.flatnonzero((logits[frame] > 0).any(axis=0)) * CLIP.width_px / GRID
        assert window.left_px <= columns[0]
        assert columns[-1] <= window.left_px + window.width_px


def test_a_window_follows_steady_motion_without_lagging_behind() -> None:
    windows = plan_windows(CLIP, {f: blob(20 + 3 * f, 60) for f in range(1, 21)}, image_side_px=480)

    steps = np.diff([window.left_px for window in windows.values()])

    assert np.abs(steps - 48).max() <= 1


@pytest.mark.parametrize(
    ("logits", "clip"),
    [
        (blob(60, 60, half=40), CLIP),
        (blob(60, 60), ClipInfo("small", 640, 360, 1, 2)),
        (np.full((GRID, GRID), -9, np.float16), CLIP),
    ],
    ids=["fills the plate", "plate no larger than what the network sees", "nothing there"],
)
def test_no_window_where_it_would_show_no_more(logits: NDArray[np.float16], clip: ClipInfo) -> None:
    assert plan_windows(clip, {1: logits, 2: logits}, image_side_px=480) == {}


def test_a_frame_without_the_object_keeps_the_window_of_the_one_before() -> None:
    empty = np.full((GRID, GRID), -9, np.float16)

    windows = plan_windows(CLIP, {1: blob(60, 60), 2: empty, 3: blob(60, 60)}, image_side_px=480)

    assert windows[1] == windows[2] == windows[3]


def test_a_look_takes_the_windows_place_without_a_seam() -> None:
    first = np.zeros((1080, 1920), np.float32)
    first[:, 900:] = 1.0
    ramp = np.full((GRID, GRID), 9, np.float16)

    seen = look_into(first, Look(Window(600, 300, 500, 500), ramp))

    assert seen[550, 850] == 1.0
    assert np.array_equal(seen[:300], first[:300])
    # Nothing, a fade and the object: no step along the way from outside to inside.
    assert np.abs(np.diff(seen[550, 590:900])).max() < 0.05
    assert first[550, 850] == 0.0


def test_a_window_at_the_plates_border_does_not_fade_there() -> None:
    first = np.zeros((1080, 1920), np.float32)

    seen = look_into(first, Look(Window(0, 580, 500, 500), np.full((GRID, GRID), 9, np.float16)))

    assert seen[1079, 0] == 1.0
    assert (seen[700:, 0] == 1.0).all()


def test_looks_agree_about_the_same_object_and_not_about_another() -> None:
    first = blob(60, 60)
    window = Window(800, 400, 320, 320)
    plate = render_alpha(first, 1920, 1080)[window.slices]
    same = np.where(plate[4::8, 4::8][:40, :40] > 0.5, 9, -9).astype(np.float16)

    assert agreement(first, Look(window, same), CLIP) > 0.9
    assert agreement(first, Look(window, np.roll(same, 14, axis=1)), CLIP) < 0.6


def test_a_look_that_moves_an_edge_a_little_is_trusted_all_over() -> None:
    first = blob(60, 60, half=12)
    window = Window(600, 300, 640, 640)
    own = np.where(seen_through(first, window, CLIP, (GRID, GRID)), 9, -9).astype(np.float16)

    moved = trusted(first, Look(window, np.roll(own, 4, axis=1)), CLIP)

    assert moved is not None
    assert moved.trust is None


def test_a_look_that_has_lost_most_of_the_object_is_not_trusted_at_all() -> None:
    first = blob(60, 60, half=12)

    assert trusted(first, Look(Window(600, 300, 640, 640), blob(20, 20)), CLIP) is None


def test_where_a_look_has_lost_a_part_of_the_object_the_first_look_stands() -> None:
    first = blob(60, 60, half=12)
    window = Window(600, 300, 640, 640)
    own = np.where(seen_through(first, window, CLIP, (GRID, GRID)), 9, -9).astype(np.float16)
    own[55:] = -9
    whole = render_alpha(first, 1920, 1080)

    look = trusted(first, Look(window, own), CLIP)
    assert look is not None
    seen = look_into(whole, look)

    without = look_into(whole, Look(window, own))
    legs = (slice(590, 940), slice(600, 1240))
    assert whole[legs].sum() > 1.5 * without[legs].sum()
    assert np.array_equal(seen[legs], whole[legs])
    # The far side is the look's still, which draws its edge with finer cells.
    assert not np.array_equal(seen[300:500, 600:1240], whole[300:500, 600:1240])


def test_a_speck_and_a_hole_away_from_the_edge_are_not_taken_over() -> None:
    first = blob(60, 60, half=12)
    window = Window(600, 300, 640, 640)
    own = np.where(seen_through(first, window, CLIP, (GRID, GRID)), 9, -9).astype(np.float16)
    hole, speck = (slice(44, 46), slice(69, 71)), (slice(108, 110), slice(10, 12))
    # Nearly a speck is enough: enlarging overshoots.
    own[hole], own[speck] = -9, -0.5
    whole = render_alpha(first, 1920, 1080)

    look = trusted(first, Look(window, own), CLIP)

    assert look is not None
    without, seen = look_into(whole, Look(window, own)), look_into(whole, look)
    near_hole, near_speck = (slice(520, 560), slice(950, 990)), (slice(860, 900), slice(640, 680))
    assert without[near_hole].min() < 0.5
    assert without[near_speck].max() > 0.5
    assert (seen[near_hole] == 1.0).all()
    assert (seen[near_speck] == 0.0).all()


def test_something_thin_that_begins_at_the_edge_is_taken_over() -> None:
    first = blob(60, 60, half=12)
    window = Window(600, 300, 640, 640)
    own = np.where(seen_through(first, window, CLIP, (GRID, GRID)), 9, -9).astype(np.float16)
    own[60:110, 70:72] = 9
    whole = render_alpha(first, 1920, 1080)

    look = trusted(first, Look(window, own), CLIP)

    assert look is not None
    assert look_into(whole, look)[850, 600 + 71 * 640 // 120] > 0.9
    assert whole[850].max() == 0.0


def test_a_speck_takes_nothing_along_that_begins_at_the_edge() -> None:
    first = blob(60, 60, half=12)
    window = Window(600, 300, 640, 640)
    own = np.where(seen_through(first, window, CLIP, (GRID, GRID)), 9, -9).astype(np.float16)
    own[60:110, 70:72] = 9
    alone = trusted(first, Look(window, own), CLIP)
    own[96:98, 76:78] = 9
    whole = render_alpha(first, 1920, 1080)

    beside = trusted(first, Look(window, own), CLIP)

    assert alone is not None
    assert beside is not None
    thin = (slice(700, 880), slice(965, 990))
    assert np.array_equal(look_into(whole, beside)[thin], look_into(whole, alone)[thin])
    speck = (slice(810, 824), slice(1002, 1018))
    assert look_into(whole, Look(window, own))[speck].max() > 0.9
    assert look_into(whole, beside)[speck].max() < 0.01


class Numbered:
    info = CLIP

    def read(self, frame: int) -> NDArray[np.uint8]:
        return np.broadcast_to(np.arange(1080, dtype=np.uint8)[:, None, None], (1080, 1920, 3)) + np.uint8(0)


def test_a_window_source_has_the_frames_that_have_a_window_and_no_others() -> None:
    source = WindowSource(Numbered(), dict.fromkeys((3, 4, 7), Window(10, 20, 64, 48)))

    assert (source.info.first_frame, source.info.last_frame) == (3, 7)
    assert source.info.missing_frames == (5, 6)
    with pytest.raises(FrameMissingError):
        source.read(8)


def test_a_window_source_is_a_clip_of_the_windows_size() -> None:
    source = WindowSource(Numbered(), {3: Window(10, 20, 64, 48)})

    picture = source.read(3)

    assert (source.info.width_px, source.info.height_px) == (64, 48)
    assert picture.shape == (48, 64, 3)
    assert picture[0, 0, 0] == 20
