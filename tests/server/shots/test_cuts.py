from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.errors import ClipError
from masklet.types import ClipInfo
from masklet_server.shots.cuts import SURE_FROM, difference, look_of
from masklet_server.shots.watch import ShotWatch

HEIGHT, WIDTH = 90, 160


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture of soft coloured patches, different for every seed, larger than a frame."""
    noise = np.random.default_rng(seed).integers(0, 255, (12, 22, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC))


def frame_of(picture: NDArray[np.uint8], x_px: int = 0, gain: float = 1.0) -> NDArray[np.uint8]:
    part = picture[20 : 20 + HEIGHT, x_px : x_px + WIDTH].astype(np.float32) * gain
    return np.clip(part, 0, 255).astype(np.uint8)


@dataclass
class Clip:
    """Pictures by frame, counted from 1; remembers what was read."""

    pictures: list[NDArray[np.uint8]]
    missing: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    reads: list[int] = field(default_factory=list)

    @property
    def info(self) -> ClipInfo:
        return ClipInfo("clip", WIDTH, HEIGHT, 1, len(self.pictures), missing_frames=self.missing)

    def read(self, frame: int) -> NDArray[np.uint8]:
        self.reads.append(frame)
        if frame in self.broken:
            raise ClipError("the picture is damaged: replace it")
        return self.pictures[frame - 1]


def cuts_of(clip: Clip, *, backward: bool = False) -> list[int]:
    watch = ShotWatch(clip)
    pairs = [(frame, frame + 1) for frame in range(1, len(clip.pictures))]
    for before, after in reversed(pairs) if backward else pairs:
        watch.is_cut(before, after)
    return list(watch.cuts)


@pytest.mark.parametrize("backward", [False, True])
def test_a_cut_is_found_from_either_side(backward: bool) -> None:
    first, second = scene(1), scene(2)
    pictures = [frame_of(first, x) for x in range(6)] + [frame_of(second, x) for x in range(6)]

    assert cuts_of(Clip(pictures), backward=backward) == [7]


@pytest.mark.parametrize("backward", [False, True])
def test_a_flash_of_one_or_two_frames_is_no_cut(backward: bool) -> None:
    picture = scene(3)
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    flashes = [frame_of(picture, x) for x in range(12)]
    flashes[4] = white
    flashes[8] = flashes[9] = frame_of(picture, 8, gain=6.0)

    assert cuts_of(Clip(flashes), backward=backward) == []


def test_a_fast_pan_and_changing_light_are_no_cuts() -> None:
    picture = scene(4)
    pan = [frame_of(picture, 10 * step) for step in range(14)]
    dimming = [frame_of(picture, 0, gain=1.0 - 0.06 * step) for step in range(14)]

    assert cuts_of(Clip(pan)) == []
    assert cuts_of(Clip(dimming)) == []


@pytest.mark.parametrize("shade", range(20, 236, 12))
def test_a_wall_that_gets_a_shade_brighter_looks_nearly_the_same(shade: int) -> None:
    darker, brighter = (np.full((HEIGHT, WIDTH, 3), value, np.uint8) for value in (shade, shade + 6))

    assert difference(look_of(darker), look_of(brighter)) < 0.12


def test_black_frames_and_flat_pictures_are_judged_without_structure() -> None:
    black = look_of(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    white = look_of(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))

    assert difference(black, black) == 0.0
    assert difference(black, white) == 0.5
    assert difference(black, look_of(frame_of(scene(5)))) > SURE_FROM


def test_float_pictures_look_like_their_codes() -> None:
    codes = frame_of(scene(6))
    floats = codes.astype(np.float32) / 255.0
    floats[0, 0] = np.nan

    assert difference(look_of(codes), look_of(floats)) < 0.02


def test_pictures_of_one_pixel_and_odd_shapes_have_a_look() -> None:
    for height, width in ((1, 1), (1, 500), (500, 1)):
        look = look_of(np.full((height, width, 3), 7, np.uint8))
        assert look.luma.shape == (36, 64)
        assert look.colours.sum() == pytest.approx(1.0)


def test_what_cannot_be_read_is_no_cut_and_missing_frames_are_stepped_over() -> None:
    first, second = scene(1), scene(2)
    pictures = [frame_of(first, x) for x in range(5)] + [frame_of(second, x) for x in range(5)]
    clip = Clip(pictures, missing=(6,), broken=(3,))
    watch = ShotWatch(clip)

    assert not watch.is_cut(2, 3)
    assert watch.is_cut(5, 7)
    assert watch.cuts == (7,)
    with pytest.raises(ClipError):
        watch.read(3)


def test_no_frame_is_read_twice_for_the_guard() -> None:
    clip = Clip([frame_of(scene(1), x) for x in range(6)])
    watch = ShotWatch(clip)
    watch.read(1)

    for frame in range(2, 7):
        watch.is_cut(frame - 1, frame)
        assert np.array_equal(watch.read(frame), clip.pictures[frame - 1])

    assert clip.reads == [1, 2, 3, 4, 5, 6]
