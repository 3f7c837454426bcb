from __future__ import annotations

import pytest

from masklet.errors import NameTakenError
from masklet.hosting.prompting import taken
from masklet.hosting.shown.found_things import FoundThing, FoundThings
from masklet.hosting.shown.overlay_masks import pack, share_of
from masklet.types import Click, FramePrompts, Mask, Presence


def thing(number: int, left: int, right: int) -> FoundThing:
    row = bytes(255 if left <= column < right else 0 for column in range(10))
    mask = Mask(10, 4, row * 4)
    packed = pack(mask, Presence.PRESENT, max_side_px=10)
    return FoundThing(number, FramePrompts(0, 7, (Click(left + 0.5, 1.5),)), packed, share_of(mask), 0.9)


FOUND = FoundThings(7, (thing(1, 0, 8), thing(2, 2, 4), thing(3, 6, 10)))


def test_what_lies_on_top_is_the_smallest_under_the_hand() -> None:
    assert [share.share for share in FOUND.things] == [0.8, 0.2, 0.4]
    numbers = [
        None if (under := FOUND.at(x / 10, 0.5)) is None else under.number for x in (1.5, 2.5, 6.5, 9.5)
    ]
    assert numbers == [1, 2, 3, 3]
    assert FOUND.without({1, 3}).at(0.15, 0.5) is None


def test_only_the_frame_that_was_looked_at_has_things() -> None:
    assert FOUND.on(7, 0.25, 0.5) is FOUND.things[1]
    assert FOUND.on(8, 0.25, 0.5) is None


def test_a_thing_keeps_its_colour_when_others_are_taken() -> None:
    before = [each.colour for each in FOUND.things]
    assert [each.colour for each in FOUND.without({1}).things] == before[1:]


def test_a_thing_that_is_taken_is_one_more_object() -> None:
    document, uid = taken((), FOUND.things[1], "post")
    (said,) = document
    assert (said.uid, said.name) == (uid, "post")
    assert said.at(7).clicks == (Click(2.5, 1.5),)
    with pytest.raises(NameTakenError):
        taken(document, FOUND.things[0], "post")
