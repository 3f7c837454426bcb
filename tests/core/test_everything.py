from __future__ import annotations

import numpy as np

from masklet.everything import apart
from masklet.found import Found
from masklet.types import Click, FramePrompts, Mask, MaskUpdate, Presence


def found(left: int, right: int) -> Found:
    codes = np.zeros((8, 32), np.uint8)
    codes[:, left:right] = 255
    update = MaskUpdate(0, "new", 1, Mask.from_array(codes), Presence.PRESENT, 1.0, 0.9, prompted=True)
    return Found(FramePrompts(0, 1, (Click(1.0, 1.0),)), update, 0.9)


def test_things_apart_share_little_and_the_better_one_stays() -> None:
    wall, door, picture = found(0, 16), found(4, 8), found(14, 26)
    assert apart([wall, door, picture]) == [wall, picture]
    assert apart([door, wall, picture]) == [door, wall, picture]


def test_what_lies_on_an_object_is_not_new() -> None:
    taken = np.zeros((8, 32), np.bool_)
    taken[:, :10] = True
    assert apart([found(0, 9), found(8, 20)], [taken]) == [found(8, 20)]


def test_nothing_is_apart_from_nothing() -> None:
    assert apart([found(3, 3)]) == []
