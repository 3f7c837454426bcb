"""What is tracked, and where the next mark is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masklet.errors import BadInputError
from masklet.hosting.reviewing import (
    Extent,
    advised,
    inside,
    lock_range,
    marked_frame,
    policy_taken_sentence,
    prompted,
    seen_of,
    suggestion_sentence,
    track_request,
    with_advised_policy,
)
from masklet.hosting.shown.frame_book import FrameBook, Strip
from masklet.hosting.work.plate_events import TrackRequest
from masklet.said.documents import SaidObject
from masklet.suggestions import MAY_HELP, Sign, Suggestion
from masklet.types import Click, Direction, FramePrompts, FrameRange, MemoryPolicy, Presence, StateRange

CLICK = (Click(1.0, 1.0),)
HERO = SaidObject("u1", "hero", (FramePrompts(0, 5, CLICK), FramePrompts(0, 9, CLICK)))
SECOND = SaidObject("u2", "second", (FramePrompts(0, 7, CLICK),))
SILENT = SaidObject("u3", "silent")
ALL = (HERO, SECOND, SILENT)


def test_a_track_stays_between_in_and_out() -> None:
    span = FrameRange(10, 20)

    assert inside(TrackRequest(), span) == TrackRequest(10, 20)
    assert inside(track_request(Extent.CLIP, Direction.FORWARD, 15), span) == TrackRequest(
        15, 20, direction=Direction.FORWARD
    )
    assert inside(track_request(Extent.CLIP, Direction.BACKWARD, 15), span) == TrackRequest(
        10, 15, direction=Direction.BACKWARD
    )
    assert inside(TrackRequest(3, 30), None) == TrackRequest(3, 30)


def test_a_playhead_beside_the_range_is_told_where_the_range_is() -> None:
    request = track_request(Extent.CLIP, Direction.FORWARD, 25)

    with pytest.raises(BadInputError, match="from 10 to 20"):
        inside(request, FrameRange(10, 20))


def test_objects_of_which_nothing_was_said_are_left_out_and_nothing_at_all_is_refused() -> None:
    assert prompted(ALL) == ("u1", "u2")
    assert prompted(ALL, ("u2", "u3")) == ("u2",)
    with pytest.raises(BadInputError, match="chosen objects"):
        prompted(ALL, ("u3",))
    with pytest.raises(BadInputError, match="nothing was said yet"):
        prompted((SILENT,))


def test_marks_of_the_chosen_objects_are_found_in_both_directions() -> None:
    assert marked_frame(ALL, ("u1", "u2"), 5, backward=False) == 7
    assert marked_frame(ALL, ("u1",), 5, backward=False) == 9
    assert marked_frame(ALL, ("u1",), 9, backward=True) == 5
    assert marked_frame(ALL, ("u1",), 9, backward=False) is None


def test_a_lock_is_offered_for_the_range_else_for_the_run_of_equal_frames_else_for_the_frame() -> None:
    run = Strip(4, 8, Presence.PRESENT, prompted=False, locked=False, stale=False)

    assert lock_range(5, run, FrameRange(2, 20)) == FrameRange(2, 20)
    assert lock_range(5, run) == FrameRange(4, 8)
    assert lock_range(5, None) == FrameRange(5, 5)


def test_what_was_seen_of_an_object_is_told_with_what_may_help_and_nothing_changes() -> None:
    book = FrameBook()
    near = StateRange(1, FrameRange(5, 8), Presence.PRESENT, prompted=False, rival=True)
    book.replace({"u1": (near, replace(near, frames=FrameRange(9, 60), rival=False))})

    (seen,) = seen_of(HERO, book)

    assert seen.sign is Sign.LOOK_ALIKE
    assert suggestion_sentence(HERO.name, seen) == (
        "something that looks like hero came near on 5-8; if it went wrong, try the policy "
        f"{MAY_HELP[Sign.LOOK_ALIKE].value} and track again"
    )
    (told,) = seen_of(replace(HERO, policy=MemoryPolicy.GATED), book)
    assert suggestion_sentence(HERO.name, told) == "something that looks like hero came near on 5-8"


def test_what_may_help_is_taken_as_something_that_is_said_and_is_not_advised_again() -> None:
    book = FrameBook()
    gone = StateRange(1, FrameRange(5, 40), Presence.ABSENT, prompted=False)
    book.replace({"u1": (gone,)})

    seen = advised(HERO, book)
    assert seen is not None
    assert suggestion_sentence("hero", seen, lambda frame: frame - 4, key="P") == (
        "hero was gone for long on 1-36; if it went wrong, P tries the policy gated: then track again"
    )
    taken = with_advised_policy(HERO, book)

    assert taken == replace(HERO, policy=MemoryPolicy.GATED)
    assert "hero is tracked with the policy gated from now on" in policy_taken_sentence(taken)
    assert advised(taken, book) is None
    for said in (taken, SECOND):
        with pytest.raises(BadInputError, match=f"nothing was seen of {said.name} that another policy"):
            with_advised_policy(said, book)


def test_of_many_places_the_first_few_are_named() -> None:
    gone = tuple(FrameRange(first, first + 30) for first in range(0, 400, 100))

    sentence = suggestion_sentence("hero", Suggestion(1, Sign.LONG_ABSENCE, gone, None))

    assert sentence == "hero was gone for long on 0-30, 100-130, 200-230, …"
