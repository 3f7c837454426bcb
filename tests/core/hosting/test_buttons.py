"""What a host's buttons ask for and what they tell, without any host."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fakes.host import FakeHost, Handle
from masklet.errors import BadInputError
from masklet.hosting.notices import Notice, Remedy
from masklet.hosting.plate_memory import PlateMemory
from masklet.hosting.prompting import box_inside, check_inside, taken_back
from masklet.hosting.reviewing import Extent, bad_frame_sentence, track_request, track_sentence
from masklet.hosting.sentences import progress_text, state_parts
from masklet.hosting.shown.frame_book import Strip
from masklet.hosting.shown.overlay_masks import pack
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import MaskCame, TrackRequest
from masklet.said.documents import Document, SaidObject
from masklet.types import Box, Click, Direction, FramePrompts, Mask, Presence, UnreadableFrame

HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (Click(20.0, 18.0),)),))


@pytest.mark.parametrize(("x_px", "y_px"), [(-0.1, 5.0), (64.1, 5.0), (5.0, 36.1), (float("nan"), 5.0)])
def test_a_click_beside_the_picture_is_refused(x_px: float, y_px: float) -> None:
    with pytest.raises(BadInputError, match="click inside it"):
        check_inside(x_px, y_px, width_px=64, height_px=36)


def test_a_click_on_the_edge_is_inside() -> None:
    check_inside(64.0, 0.0, width_px=64, height_px=36)


def test_a_box_is_cut_to_the_picture_and_refused_beside_it() -> None:
    assert box_inside(-5.0, 2.0, 100.0, 20.0, width_px=64, height_px=36) == Box(0.0, 2.0, 64.0, 20.0)
    with pytest.raises(BadInputError, match="from corner to corner"):
        box_inside(70.0, 2.0, 100.0, 20.0, width_px=64, height_px=36)


def test_only_what_was_said_can_be_taken_back() -> None:
    assert taken_back(HERO, 1001).frames == ()
    with pytest.raises(BadInputError, match="nothing is said about hero on frame 1002"):
        taken_back(HERO, 1002)


@pytest.mark.parametrize(
    ("extent", "direction", "first", "last"),
    [
        (Extent.CLIP, Direction.BOTH, None, None),
        (Extent.CLIP, Direction.FORWARD, 1005, None),
        (Extent.CLIP, Direction.BACKWARD, None, 1005),
        (Extent.ONE, Direction.FORWARD, 1005, 1006),
        (Extent.ONE, Direction.BACKWARD, 1004, 1005),
        (Extent.RANGE, Direction.BOTH, 1002, 1009),
    ],
)
def test_a_track_begins_at_the_frame_that_shows(
    extent: Extent, direction: Direction, first: int | None, last: int | None
) -> None:
    assert track_request(extent, direction, 1005, span=(1002, 1009)) == TrackRequest(
        first, last, (), direction
    )


def test_how_a_track_went_names_cuts_and_what_was_left_out() -> None:
    memory = PlateMemory(FakeHost())
    assert track_sentence(memory, done=3, cuts=()) == "Tracked"
    assert track_sentence(memory, done=0, cuts=()).startswith("Every frame is up to date")
    assert "the cut at frame 7, 9" in track_sentence(memory, done=3, cuts=(7, 9))
    memory.left_out = tuple(UnreadableFrame(frame, f"{frame} is damaged") for frame in (1, 2, 3))
    assert track_sentence(memory, done=3, cuts=()) == "Tracked; left out: 1 is damaged; 2 is damaged; …"


def test_a_frame_says_what_was_said_and_what_became_of_it() -> None:
    strip = Strip(1001, 1004, Presence.UNCERTAIN, prompted=True, locked=True, stale=False)
    assert state_parts(HERO.at(1001), strip) == ("1 click", "uncertain", "locked")
    assert state_parts(HERO.at(1009), None) == ("not tracked",)
    assert bad_frame_sentence("hero", strip) == "hero is uncertain: check it"
    rival = replace(strip, presence=Presence.PRESENT, rival=True)
    assert bad_frame_sentence("hero", rival) == "something that looks like hero is near: check it"
    assert bad_frame_sentence("hero", None) == "hero has no mask here: track it, or click it"


def test_progress_says_how_to_stop() -> None:
    job = Job("Tracking", lambda job: iter(()), on_event=lambda event: None)
    assert progress_text(job) == "Tracking ….  Esc: stop and keep what is done"
    job.count(3, 8)
    assert progress_text(job).startswith("Tracking: 3 of 8.")


def told_after(memory: PlateMemory[Handle], presence: Presence, uid: str = "u1", frame: int = 1001) -> str:
    """The notice once a mask of a click has come; empty for none."""
    job = Job("Clicking", lambda job: iter(()), on_event=lambda event: None)
    square = Mask.from_array(np.full((4, 4), 255, np.uint8))
    memory.take(HeroHost.PLATE, job, MaskCame(uid, frame, pack(square, presence, max_side_px=4)))
    return "" if memory.notice is None else memory.notice.sentence


def test_a_doubtful_click_is_told_of_until_its_mask_is_better() -> None:
    memory = PlateMemory(HeroHost())

    assert "hero on frame 1001 may be poor: draw a box" in told_after(memory, Presence.UNCERTAIN)
    assert memory.notice is not None
    assert not memory.notice.is_alarm
    assert "hero" in told_after(memory, Presence.PRESENT, "u2")
    assert told_after(memory, Presence.PRESENT) == ""
    assert "hero" in told_after(memory, Presence.UNCERTAIN)


def test_what_was_advised_of_an_object_is_not_told_with_every_click() -> None:
    memory = PlateMemory(HeroHost())
    memory.notice = Notice("5 frames were tracked", is_alarm=False)
    assert "hero on frame 1001" in told_after(memory, Presence.UNCERTAIN)

    memory.notice = None  # The artist has closed it.
    assert told_after(memory, Presence.UNCERTAIN) == ""
    assert told_after(memory, Presence.UNCERTAIN, frame=1005) == ""
    assert "second on frame 1001" in told_after(memory, Presence.UNCERTAIN, "u2")


@pytest.mark.parametrize(
    "notice", [Notice("the disk is full"), Notice("track again", is_alarm=False, remedy=Remedy.TRACK)]
)
def test_no_advice_takes_the_place_of_what_went_wrong_or_of_a_button(notice: Notice) -> None:
    memory = PlateMemory(HeroHost())
    memory.notice = notice

    assert told_after(memory, Presence.UNCERTAIN) == notice.sentence


class HeroHost(FakeHost):
    """Its one plate says single clicks on two objects."""

    PLATE = Handle()

    def document(self, plate: Handle) -> Document:
        frames = (*HERO.frames, FramePrompts(0, 1005, (Click(21.0, 18.0),)))
        return (replace(HERO, frames=frames), SaidObject("u2", "second", HERO.frames))
