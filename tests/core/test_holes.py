"""Frames without a matte: whose, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.frame_runs import runs_of, runs_without, shown
from masklet.holes import Hole, HoleReason, find_holes, hole_sentences
from masklet.types import (
    ClipInfo,
    FrameRange,
    ObjectInfo,
    Presence,
    SessionInfo,
    StateRange,
    UnreadableFrame,
)

CLIP = ClipInfo("plate.%04d.exr", 64, 48, 1001, 1010)


def session(*masked: tuple[int, int], prompted: tuple[int, ...] = (1001,), **fields: object) -> SessionInfo:
    states = tuple(
        StateRange(1, FrameRange(first, last), Presence.PRESENT, prompted=False) for first, last in masked
    )
    info = SessionInfo("s", CLIP, (ObjectInfo(1, "hero", prompted),), states)
    return replace(info, **fields)  # type: ignore[arg-type]


def hole(first: int, last: int, reason: HoleReason, cut: int | None = None) -> Hole:
    return Hole(1, "hero", FrameRange(first, last), reason, cut)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (session((1001, 1010)), []),
        (session((1001, 1006), cuts=(1007,)), [hole(1007, 1010, HoleReason.BEHIND_CUT, 1007)]),
        (
            session((1008, 1010), prompted=(1010,), cuts=(1004, 1008)),
            [hole(1001, 1007, HoleReason.BEHIND_CUT, 1008)],
        ),
        (
            session((1001, 1004), cuts=(1009,), prompted=(1001, 1010)),
            [hole(1005, 1010, HoleReason.NOT_TRACKED)],
        ),
        (session(prompted=()), [hole(1001, 1010, HoleReason.NOT_PROMPTED)]),
        (
            session(
                (1001, 1003),
                (1005, 1006),
                (1008, 1010),
                clip=replace(
                    CLIP, missing_frames=(1004, 1007), unreadable=(UnreadableFrame(1007, "is damaged"),)
                ),
            ),
            [hole(1004, 1004, HoleReason.NO_PICTURE), hole(1007, 1007, HoleReason.UNREADABLE)],
        ),
    ],
)
def test_every_frame_without_a_matte_has_its_reason(info: SessionInfo, expected: list[Hole]) -> None:
    assert list(find_holes(info)) == expected


def test_holes_are_those_of_the_range_and_the_objects_that_were_asked_for() -> None:
    info = session((1001, 1004), objects=(ObjectInfo(1, "hero", (1001,)), ObjectInfo(2, "car")))

    assert find_holes(info, FrameRange(1003, 1006), [1]) == (hole(1005, 1006, HoleReason.NOT_TRACKED),)
    assert {one.object_name for one in find_holes(info)} == {"hero", "car"}


def test_holes_are_told_in_sentences_that_name_cause_and_repair() -> None:
    cut = hole(1047, 1060, HoleReason.BEHIND_CUT, 1047)
    gone = hole(1003, 1003, HoleReason.NO_PICTURE)
    late = hole(1005, 1006, HoleReason.NO_PICTURE)
    other = [replace(one, object_id=2, object_name="car") for one in (gone, late)]

    assert cut.words == "behind the cut at 1047: not tracked"
    assert hole(1001, 1046, HoleReason.BEHIND_CUT, 1047).words == "before the cut at 1047: not tracked"
    assert hole_sentences([gone, late, cut, *other]) == (
        "no matte of hero, car on 1003, 1005-1006, the plate has no picture; render the frame, or leave it "
        "out of the range",
        "no matte of hero on 1047-1060, behind the cut at 1047: not tracked; click the object there",
    )
    assert cut.as_json() == {
        "object": "hero",
        "first_frame": 1047,
        "last_frame": 1060,
        "reason": "behind-cut",
        "cut": 1047,
    }


@given(st.sets(st.integers(-20, 20)))
def test_runs_hold_the_frames_and_nothing_else(frames: set[int]) -> None:
    runs = runs_of(frames)

    assert {frame for run in runs for frame in range(run.first, run.last + 1)} == frames
    assert all(runs[place].first > runs[place - 1].last + 1 for place in range(1, len(runs)))
    left = runs_without(FrameRange(-20, 20), frames)
    assert sum(map(len, runs)) + sum(map(len, left)) == 41
    assert shown([FrameRange(-3, -3), FrameRange(1, 4)]) == "-3, 1-4"


@given(
    st.sets(st.integers(1001, 1010)),
    st.sets(st.integers(1002, 1010), max_size=3),
    st.sets(st.integers(1001, 1010), max_size=3),
    st.sets(st.integers(1001, 1010), max_size=3),
)
def test_masks_and_holes_together_are_the_range(
    masked: set[int], cuts: set[int], prompted: set[int], missing: set[int]
) -> None:
    info = session(
        *((frame, frame) for frame in masked),
        prompted=tuple(sorted(prompted)),
        cuts=tuple(sorted(cuts)),
        clip=replace(CLIP, missing_frames=tuple(sorted(missing))),
    )

    covered = [frame for one in find_holes(info) for frame in range(one.frames.first, one.frames.last + 1)]

    assert sorted([*covered, *masked]) == list(range(1001, 1011))
