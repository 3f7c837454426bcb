"""What a lane of a timeline shows."""

from __future__ import annotations

from masklet.hosting.shown.frame_book import Strip
from masklet.hosting.shown.lanes import Block, LaneState, Mark, MarkKind, lane_of
from masklet.said.documents import SaidObject
from masklet.types import Click, FramePrompts, FrameRange, Mask, Presence, TrackedMask

CLICK = (Click(3.0, 4.0),)
BASE = TrackedMask(1, 1, b"x")


def strip(first: int, last: int, presence: Presence = Presence.PRESENT, **more: bool) -> Strip:
    flags = {"prompted": False, "locked": False, "stale": False, **more}
    return Strip(first, last, presence, **flags)


def test_every_state_of_a_frame_is_a_state_of_its_lane() -> None:
    lane = lane_of(
        SaidObject("u", "hero"),
        (
            strip(1, 1),
            strip(2, 2, Presence.UNCERTAIN),
            strip(3, 3, Presence.ABSENT),
            strip(4, 4, stale=True),
            strip(5, 5, held=False),
            strip(6, 6, rival=True),
        ),
    )

    assert [block.state for block in lane.blocks] == [
        LaneState.PRESENT,
        LaneState.UNCERTAIN,
        LaneState.ABSENT,
        LaneState.STALE,
        LaneState.LOST,
        LaneState.RIVAL,
    ]
    assert [block.state.is_bad for block in lane.blocks] == [False, True, False, True, False, True]


def test_a_prompted_frame_is_a_mark_and_breaks_no_block() -> None:
    said = SaidObject("u", "hero", (FramePrompts(0, 5, CLICK),))

    lane = lane_of(said, (strip(1, 4), strip(5, 5, prompted=True), strip(6, 9)))

    assert lane.blocks == (Block(1, 9, LaneState.PRESENT),)
    assert lane.mark_at(5) == Mark(5, MarkKind.PROMPT)
    assert lane.mark_at(6) is None


def test_a_click_on_what_was_tracked_is_a_correction_and_a_drawn_mask_is_neither() -> None:
    drawn = Mask(1, 1, b"\xff")
    said = SaidObject(
        "u",
        "hero",
        (FramePrompts(0, 1, CLICK), FramePrompts(0, 7, CLICK, base=BASE), FramePrompts(0, 9, mask=drawn)),
    )

    assert lane_of(said, ()).marks == (
        Mark(1, MarkKind.PROMPT),
        Mark(7, MarkKind.CORRECTION),
        Mark(9, MarkKind.DRAWN),
    )


def test_marks_and_locks_are_there_before_any_server_knows_of_them() -> None:
    said = SaidObject("u", "hero", (FramePrompts(0, 4, CLICK),), (FrameRange(2, 3),))

    lane = lane_of(said, ())

    assert lane.at(4) is None
    assert [lane.is_locked(frame) for frame in (1, 2, 3, 4)] == [False, True, True, False]
