from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.engine.cleaning import Wanted, clean_logits


def square(side: int = 256) -> NDArray[np.float32]:
    logits = np.full((side, side), -5.0, np.float32)
    logits[side // 4 : side // 2, side // 4 : side // 2] = 5.0
    return logits


def test_a_hole_is_filled_up_to_the_area_and_no_further() -> None:
    logits = square()
    logits[80:82, 80:84] = -3.0
    logits[100:103, 100:103] = -3.0

    cleaned = clean_logits(logits, hole_area_px=8, speck_area_px=0)

    assert (cleaned[80:82, 80:84] == np.float32(0.1)).all()
    assert (cleaned[100:103, 100:103] == -3.0).all()


def test_holes_that_touch_at_a_corner_are_one() -> None:
    logits = square()
    logits[80:82, 80:82] = -3.0
    logits[82:85, 82:84] = -3.0

    assert clean_logits(logits, hole_area_px=8, speck_area_px=0) is logits
    assert (clean_logits(logits, hole_area_px=10, speck_area_px=0)[80:85, 80:84] > 0)[:2, :2].all()


def test_specks_go_and_the_largest_part_stays() -> None:
    logits = square()
    logits[10:13, 10:13] = 2.0

    cleaned = clean_logits(logits, hole_area_px=0, speck_area_px=9)

    assert (cleaned[10:13, 10:13] < 0).all()
    assert (cleaned[64:128, 64:128] == 5.0).all()


def test_an_object_of_a_few_pixels_does_not_vanish() -> None:
    logits = np.full((256, 256), -5.0, np.float32)
    logits[50, 50:52] = 1.0
    logits[200, 200] = 1.0

    cleaned = clean_logits(logits, hole_area_px=16, speck_area_px=16)

    assert (cleaned > 0).sum() == 2
    assert (cleaned[50, 50:52] > 0).all()


def test_areas_are_meant_for_a_side_of_256() -> None:
    logits = square(128)
    logits[40:42, 40:42] = -3.0
    logits[44:46, 44:47] = -3.0

    cleaned = clean_logits(logits, hole_area_px=16, speck_area_px=0)

    assert (cleaned[40:42, 40:42] > 0).all()
    assert (cleaned[44:46, 44:47] < 0).all()


def test_empty_and_full_masks_stay_as_they_are() -> None:
    for value in (-1024.0, 3.0):
        logits = np.full((16, 16), value, np.float32)

        assert (clean_logits(logits, hole_area_px=16, speck_area_px=16) == value).all()


def test_islands_and_holes_are_small_beside_the_mask_itself() -> None:
    logits = square()
    logits[10:18, 10:18] = 2.0  # 64 of the largest part's 4096
    logits[80:87, 80:87] = -2.0
    logits[200:220, 10:30] = 2.0  # 400

    cleaned = clean_logits(logits, hole_area_px=8, speck_area_px=8, share=0.02)

    assert (cleaned[10:18, 10:18] < 0).all()
    assert (cleaned[80:87, 80:87] > 0).all()
    assert (cleaned[200:220, 10:30] == 2.0).all()


def test_what_reaches_the_pictures_edge_is_no_hole_beside_the_mask() -> None:
    """A corner beside a large object is background that goes on outside the picture."""
    logits = np.full((256, 256), 2.0, np.float32)
    logits[:12, 244:] = -2.0  # 144 of some 65,000
    logits[100:112, 100:112] = -2.0

    cleaned = clean_logits(logits, hole_area_px=8, speck_area_px=8, share=0.02)

    assert (cleaned[:12, 244:] == -2.0).all()
    assert (cleaned[100:112, 100:112] > 0).all()


def test_what_was_clicked_on_is_left_as_it_is() -> None:
    logits = square()
    logits[10:13, 10:13] = 2.0
    logits[80:82, 80:82] = -2.0
    asked = Wanted(inside=((13, 12),), outside=((80, 81),))

    cleaned = clean_logits(logits, hole_area_px=16, speck_area_px=16, share=0.02, wanted=asked)

    assert cleaned is logits
