"""What a list of objects does to a document."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from masklet.errors import BadInputError, NameTakenError
from masklet.hosting.object_edits import duplicated, locked, merged, moved, removed, renamed
from masklet.said.documents import SaidObject, find
from masklet.types import Box, Click, FramePrompts, FrameRange, Mask, MaskDepth

LEFT = SaidObject("a", "left", (FramePrompts(0, 1, (Click(10.0, 10.0), Click(90.0, 10.0, positive=False))),))
RIGHT = SaidObject("b", "right", (FramePrompts(0, 1, box=Box(80.0, 0.0, 100.0, 20.0)),))
THIRD = SaidObject("c", "third")
ALL = (LEFT, RIGHT, THIRD)


def names(document: tuple[SaidObject, ...]) -> list[str]:
    return [said.name for said in document]


def test_a_name_that_another_object_has_is_refused_and_its_own_is_not() -> None:
    with pytest.raises(NameTakenError):
        renamed(ALL, "a", "right")
    assert names(renamed(ALL, "a", "left")) == ["left", "right", "third"]


def test_objects_move_among_the_others_and_no_further_than_the_ends() -> None:
    assert names(moved(ALL, "a", 2)) == ["right", "third", "left"]
    assert names(moved(ALL, "c", -5)) == ["third", "left", "right"]
    assert names(moved(ALL, "a", 99)) == ["right", "third", "left"]


def test_a_copy_says_the_same_under_another_name_and_locks_nothing() -> None:
    original = replace(LEFT, locks=(FrameRange(1, 5),))

    document, uid = duplicated((original, RIGHT), "a")
    again, _ = duplicated(document, "a")

    copy = find(document, uid)
    assert copy is not None
    assert names(document) == ["left", "left 2", "right"]
    assert names(again) == ["left", "left 3", "left 2", "right"]
    assert (copy.frames, copy.locks) == (original.frames, ())


def test_a_copy_of_the_longest_name_has_a_name() -> None:
    long = replace(LEFT, name="x" * 64)

    document, _ = duplicated((long,), "a")

    assert len(document[1].name) <= 64


def test_one_object_of_two_is_both_and_takes_away_neither() -> None:
    document = merged(ALL, ("a", "b"))

    assert names(document) == ["left", "third"]
    (prompts,) = document[0].frames
    assert prompts.clicks == (Click(10.0, 10.0),)
    assert prompts.box == Box(80.0, 0.0, 100.0, 20.0)


def test_a_click_that_took_away_what_a_mask_covers_is_not_kept_and_another_is() -> None:
    away, elsewhere = Click(90.0, 10.0, positive=False), Click(50.0, 50.0, positive=False)
    one = replace(LEFT, frames=(FramePrompts(0, 1, (Click(10.0, 10.0), away, elsewhere)),))
    other = SaidObject("b", "right", (FramePrompts(0, 4, (Click(90.0, 10.0),)),))

    document = merged((one, other), ("a", "b"), lambda uid, frame, x, y: uid == "b" and x > 80)

    assert document[0].at(1).clicks == (Click(10.0, 10.0), elsewhere)
    assert document[0].at(4).clicks == (Click(90.0, 10.0),)


@pytest.mark.parametrize("depth", MaskDepth)
def test_masks_drawn_by_hand_become_one_of_their_own_depth(depth: MaskDepth) -> None:
    kind = "B" if depth is MaskDepth.BITS_8 else "H"
    one, other = (array(kind, codes).tobytes() for codes in ((0, 200, 7), (90, 100, 7)))
    document = (
        SaidObject("a", "left", (FramePrompts(0, 1, mask=Mask(3, 1, one, depth)),)),
        SaidObject("b", "right", (FramePrompts(0, 1, mask=Mask(3, 1, other, depth)),)),
    )

    mask = merged(document, ("a", "b"))[0].at(1).mask

    assert mask is not None
    assert (mask.depth, array(kind, mask.alpha).tolist()) == (depth, [90, 200, 7])


def test_what_cannot_be_one_object_stays_as_it_is_and_says_why() -> None:
    drawn = SaidObject("b", "right", (FramePrompts(0, 1, mask=Mask(1, 1, b"\xff")),))

    with pytest.raises(BadInputError, match="frame 1 has a mask drawn by hand and clicks"):
        merged((LEFT, drawn), ("a", "b"))
    with pytest.raises(BadInputError, match="left is locked on frames 3 to 4"):
        merged((replace(LEFT, locks=(FrameRange(3, 4),)), RIGHT), ("a", "b"))
    with pytest.raises(BadInputError, match="choose two or more"):
        merged(ALL, ("a",))


def test_locks_and_deletions_are_of_the_objects_that_were_chosen() -> None:
    document = locked(ALL, ("a", "b"), FrameRange(2, 3), locks=True)

    assert [said.is_locked(2) for said in document] == [True, True, False]
    assert names(removed(document, ("a", "c"))) == ["right"]
