from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.types import ClipInfo
from masklet_server.sessions.sighted import Things, grid_of, iou_of, parts_of, plate_box, plate_logits
from masklet_server.sightings import Part, Sighting

_CLIP = ClipInfo("plate", 640, 320, 1, 1)
_WHOLE = Part(0, 0, 640, 320)


def seen(
    left: int,
    top: int,
    right: int,
    bottom: int,
    *,
    iou: float = 0.9,
    part: Part = _WHOLE,
    likeness: float = 0.0,
) -> Sighting:
    """A box of a grid of 32 over the part."""
    logits = np.full((32, 32), -8, np.float16)
    logits[top:bottom, left:right] = 8
    return Sighting(1.0, 1.0, part, logits, iou, 1.0)


def test_of_two_masks_of_one_thing_the_surer_stays() -> None:
    things = Things(_CLIP)
    things.add([seen(2, 2, 12, 12, iou=0.7), seen(2, 2, 12, 13, iou=0.9)])
    things.add([seen(3, 2, 12, 12, iou=0.8), seen(20, 20, 24, 24, iou=0.6)])
    assert [each.sighting.predicted_iou for each in things.best] == [0.9, 0.6]


def test_things_that_cross_are_two_although_their_boxes_are_one() -> None:
    across, down = seen(0, 15, 32, 17), seen(0, 15, 32, 17)
    slash = np.full((32, 32), -8, np.float16)
    for place in range(32):
        slash[place, max(0, place - 1) : place + 2] = 8
    other = Sighting(1.0, 1.0, _WHOLE, slash, 0.9, 1.0)
    mirrored = Sighting(1.0, 1.0, _WHOLE, np.ascontiguousarray(slash[:, ::-1]), 0.8, 1.0)
    things = Things(_CLIP)
    things.add([across, down, other, mirrored])
    assert len(things.best) == 3


def test_a_part_of_a_thing_is_dropped_only_where_things_are_compared_to_one() -> None:
    whole, part = seen(0, 0, 16, 16, iou=0.9), seen(2, 2, 6, 6, iou=0.8)
    for drop, count in ((False, 2), (True, 1)):
        things = Things(_CLIP, drop_parts=drop)
        things.add([part, whole])
        assert len(things.best) == count


def test_a_thing_that_goes_on_beyond_the_part_looked_at_is_left_to_others() -> None:
    corner = Part(320, 160, 320, 160)
    things = Things(_CLIP)
    things.add(
        [seen(0, 4, 8, 8, part=corner), seen(4, 0, 8, 4, part=corner), seen(24, 24, 32, 32, part=corner)]
    )
    (only,) = things.best
    box = plate_box(plate_logits(only.sighting, _CLIP, 256) > 0, _CLIP)
    assert (box.left_px, box.top_px) == pytest.approx((560, 280), abs=3)
    assert (box.right_px, box.bottom_px) == (640, 320)


def test_what_is_smaller_than_asked_for_is_left_out() -> None:
    things = Things(_CLIP, least_share=0.01)
    things.add([seen(0, 0, 3, 3), seen(10, 10, 20, 20)])
    assert [round(each.share, 2) for each in things.best] == [0.1]


@given(layers=st.integers(0, 2), width=st.integers(16, 5000), height=st.integers(16, 5000))
def test_parts_cover_the_plate_and_stay_inside(layers: int, width: int, height: int) -> None:
    clip = ClipInfo("plate", width, height, 1, 1)
    parts = parts_of(clip, layers)
    assert len(parts) == sum(4**layer for layer in range(layers + 1))
    for part in parts:
        assert part.left_px >= 0 <= part.top_px
        assert part.left_px + part.width_px <= width
        assert part.top_px + part.height_px <= height
        for x, y in grid_of(part, 3):
            assert part.left_px < x < part.left_px + part.width_px
            assert part.top_px < y < part.top_px + part.height_px
    last = parts[-(4**layers) :]
    for length, ends in (
        (width, {(part.left_px, part.left_px + part.width_px) for part in last}),
        (height, {(part.top_px, part.top_px + part.height_px) for part in last}),
    ):
        reached = 0
        for first, behind in sorted(ends):
            assert first <= reached
            reached = behind
        assert reached == length


@given(st.integers(0, 30), st.integers(1, 32), st.integers(0, 30), st.integers(1, 32))
def test_overlap_on_the_canvas_is_that_of_the_boxes(left: int, right: int, top: int, bottom: int) -> None:
    if right <= left or bottom <= top:
        return
    things = Things(_CLIP)
    things.add([seen(4, 4, 20, 20, iou=1.0)])
    (fixed,) = things.best
    others = Things(_CLIP)
    others.add([seen(left, top, right, bottom)])
    (other,) = others.best
    across, down = max(0, min(20, right) - max(4, left)), max(0, min(20, bottom) - max(4, top))
    both = across * down
    expected = both / (256 + (right - left) * (bottom - top) - both)
    assert iou_of(fixed, other) == pytest.approx(expected, abs=0.05)
