from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.evaluation.flicker import FlickerMeter

WIDTH_PX, HEIGHT_PX = 160, 120


def scene(frame: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A textured disc that moves two pixels a frame over another texture, and its mask."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8), (0, 0), 2)
    disc = cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8), (0, 0), 1.5)
    rows, columns = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    mask = (columns - 50 - 2 * frame) ** 2 + (rows - 60) ** 2 < 30**2
    shown = np.where(mask[..., None], np.roll(disc, 2 * frame, axis=1), ground)
    return shown.astype(np.uint8), mask


def test_a_mask_that_moves_with_the_picture_hardly_flickers_and_a_breathing_one_does() -> None:
    meter = FlickerMeter(WIDTH_PX, HEIGHT_PX, tracks=3)
    kernel = np.ones((7, 7), np.uint8)

    for frame in range(6):
        shown, mask = scene(frame)
        grown = cv2.dilate(mask.astype(np.uint8), kernel) > 0
        meter.add(shown, (mask, grown if frame % 2 else mask, grown))

    steady, breathing, wide = meter.percent()
    assert steady is not None
    assert breathing is not None
    assert wide is not None
    assert steady < 4
    assert breathing > 15
    assert wide < 8, "a mask that is too large all the time does not flicker"


def test_a_mask_that_stays_while_the_object_moves_counts_as_change() -> None:
    meter = FlickerMeter(WIDTH_PX, HEIGHT_PX, tracks=2)
    _, first = scene(0)

    for frame in range(6):
        shown, mask = scene(frame)
        meter.add(shown, (mask, first))

    moving, stuck = meter.percent()
    assert moving is not None
    assert stuck is not None
    assert stuck > moving + 1


def test_an_object_that_is_never_seen_has_no_figure() -> None:
    meter = FlickerMeter(WIDTH_PX, HEIGHT_PX, tracks=1)
    nothing = np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_)

    for frame in range(3):
        meter.add(scene(frame)[0], (nothing,))

    assert meter.percent() == [None]


def test_a_still_picture_leaves_exactly_the_change_of_the_mask() -> None:
    meter = FlickerMeter(WIDTH_PX, HEIGHT_PX, tracks=1)
    shown, mask = scene(0)
    half = mask.copy()
    half[60:] = False

    for each in (mask, half, mask):
        meter.add(shown, (each,))

    expected = 100 * (mask.sum() - half.sum()) / mask.sum()
    assert meter.percent()[0] == pytest.approx(expected, abs=1)
