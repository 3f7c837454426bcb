"""Where frames lie on a timeline, and what dragging there means."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.hosting.shown.time_map import Hit, Part, Rows, TimeMap, dragged, hit, moved, with_in, with_out
from masklet.types import FrameRange

PLATE = FrameRange(1001, 1100)
ROWS = Rows(ruler_px=12.0, bar_px=8.0, lane_px=18.0)


@st.composite
def maps(draw: st.DrawFn) -> TimeMap:
    first = draw(st.integers(-2000, 200_000))
    frames = FrameRange(first, first + draw(st.integers(0, 20_000)))
    place = TimeMap.whole(frames, left_px=draw(st.floats(0, 300)), width_px=draw(st.floats(1, 4000)))
    for _ in range(draw(st.integers(0, 4))):
        x_px = place.left_px + draw(st.floats(0, 1)) * place.width_px
        place = place.zoomed(draw(st.floats(0.1, 10)), x_px).scrolled(draw(st.floats(-500, 500)))
    return place


@given(maps())
def test_at_any_zoom_the_view_stays_on_the_plate(place: TimeMap) -> None:
    slack = 1e-6 * max(1.0, place.shown)
    assert place.start >= place.frames.first - slack
    assert place.start + place.shown <= place.frames.last + 1 + slack


@given(maps(), st.floats(0.05, 0.95))
def test_the_middle_of_the_frame_under_a_pointer_is_that_frame(place: TimeMap, share: float) -> None:
    frame = place.frame_at(place.left_px + share * place.width_px)

    assert frame in place.frames
    if place.frame_px > 1e-6:
        assert place.frame_at(place.centre_of(frame)) == frame


@given(maps(), st.floats(1.01, 8), st.floats(0, 1))
def test_zooming_keeps_the_frame_under_the_pointer_unless_the_plate_ends(
    place: TimeMap, factor: float, share: float
) -> None:
    x_px = place.left_px + share * place.width_px
    closer = place.zoomed(factor, x_px)

    assert closer.shown <= place.shown + 1e-6
    inside = place.start < closer.start and closer.start + closer.shown < place.start + place.shown
    if inside and closer.shown < place.shown:
        before = place.start + (x_px - place.left_px) / place.frame_px
        after = closer.start + (x_px - closer.left_px) / closer.frame_px
        assert after == pytest.approx(before, abs=1e-3)


@given(maps(), st.floats(20, 120))
def test_numbers_on_the_ruler_never_touch_and_never_leave_the_plate(place: TimeMap, label_px: float) -> None:
    ticks = place.ticks(label_px=label_px)

    assert all(frame in place.frames for frame in ticks)
    for before, after in pairwise(ticks):
        assert place.x_of(after) - place.x_of(before) >= label_px - 1e-6


@given(maps(), st.integers(0, 20_000), st.integers(0, 50))
def test_a_single_frame_of_ten_thousand_is_still_as_wide_as_asked_for(
    place: TimeMap, offset: int, length: int
) -> None:
    first = place.frames.first + offset % len(place.frames)
    last = min(first + length, place.frames.last)
    least_px = min(3.0, place.width_px)

    found = place.seen(first, last, least_px=least_px)

    if found is not None:
        left, width = found
        assert width >= least_px - 1e-6
        assert left >= place.left_px - 1e-6
        assert left + width <= place.left_px + place.width_px + 1e-6


def test_a_frame_out_of_sight_is_brought_to_the_middle_and_one_in_sight_moves_nothing() -> None:
    place = TimeMap.whole(PLATE, left_px=100, width_px=1000).zoomed(10, 100)

    assert place.showing(1003) is place
    assert place.showing(1050).frame_at(600) == 1050
    assert place.showing(1100).frame_at(1099) == 1100


def test_a_plate_whose_end_becomes_known_is_shown_to_its_end() -> None:
    whole = TimeMap.whole(FrameRange(1001, 1001), left_px=0, width_px=1000).of_clip(PLATE)

    assert whole.is_whole
    assert whole.frame_at(999) == 1100


def test_handles_of_the_range_are_held_a_little_beside_them_too() -> None:
    place = TimeMap.whole(PLATE, left_px=100, width_px=1000)
    span = FrameRange(1011, 1020)

    def at(x_px: float, y_px: float) -> Hit:
        return hit(place, ROWS, x_px, y_px, lanes=2, span=span)

    assert at(203, 15).part is Part.IN
    assert at(298, 15).part is Part.OUT
    assert at(250, 15) == Hit(Part.SPAN, 1016)
    assert at(500, 15) == Hit(Part.BAR, 1041)
    assert at(203, 5) == Hit(Part.RULER, 1011)
    assert at(203, 30) == Hit(Part.LANE, 1011, 0)
    assert at(203, 45) == Hit(Part.LANE, 1011, 1)
    assert at(203, 60).part is Part.NOTHING
    assert at(50, 30).part is Part.NOTHING


def test_a_range_of_one_frame_has_two_handles() -> None:
    place = TimeMap.whole(PLATE, left_px=0, width_px=200)
    span = FrameRange(1050, 1050)

    parts = {hit(place, ROWS, x_px, 15, lanes=0, span=span).part for x_px in (97, 102)}

    assert parts == {Part.IN, Part.OUT}


def test_dragging_backward_gives_the_same_range_as_forward() -> None:
    assert dragged(1010, 1005) == dragged(1005, 1010) == FrameRange(1005, 1010)


def test_a_range_that_is_moved_keeps_its_length_and_stays_on_the_plate() -> None:
    span = FrameRange(1010, 1020)

    assert moved(span, 5, PLATE) == FrameRange(1015, 1025)
    assert moved(span, -50, PLATE) == FrameRange(1001, 1011)
    assert moved(span, 500, PLATE) == FrameRange(1090, 1100)


def test_in_behind_out_begins_a_new_range_and_out_before_in_ends_one() -> None:
    span = FrameRange(1010, 1020)

    assert with_in(span, 1015, PLATE) == FrameRange(1015, 1020)
    assert with_in(span, 1050, PLATE) == FrameRange(1050, 1100)
    assert with_out(span, 1005, PLATE) == FrameRange(1001, 1005)
    assert with_out(None, 1005, PLATE) == FrameRange(1001, 1005)


def test_a_range_that_is_the_whole_plate_is_no_range() -> None:
    assert with_in(FrameRange(1010, 1100), 1001, PLATE) is None
