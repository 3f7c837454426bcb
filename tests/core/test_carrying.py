"""Which of the things in another shot an object is taken for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from masklet.carrying import carry
from masklet.found import Found, Look
from masklet.session import Session
from masklet.types import Click, FramePrompts, Mask, MaskUpdate, Presence

HERO, DOUBLE = (Look("network", 1, name, 0.1) for name in (b"he", b"do"))
SHED, CAR, TREE = 0, 10, 20


def thing(left: int, likeness: float) -> Found:
    """Six columns of a picture."""
    codes = np.zeros((8, 32), np.uint8)
    codes[:, left : left + 6] = 255
    update = MaskUpdate(0, "new", 1, Mask.from_array(codes), Presence.PRESENT, 1.0, 0.9, prompted=True)
    return Found(FramePrompts(0, 1, (Click(left + 3.0, 4.0),)), update, 0.9, likeness)


class OtherShot:
    """Stands for a session: what is found there is given."""

    def __init__(self, there: Mapping[bytes, tuple[Found, ...]]) -> None:
        self._there = there

    def find(self, *, frame: int, like: Look, limit: int, mask_format: object) -> Iterator[Found]:
        assert frame == 1
        return iter(self._there[like.cells][:limit])


def carried(hero: tuple[Found, ...], double: tuple[Found, ...] = ()) -> dict[str, list[float]]:
    """Where objects are proposed: the left sides of the things, by name."""
    session = cast("Session", OtherShot({HERO.cells: hero, DOUBLE.cells: double}))
    given = carry({"hero": HERO, "double": DOUBLE}, session, frame=1)
    return {each.name: [one.prompts.clicks[0].x_px - 3 for one in each.things] for each in given}


def test_the_likeliest_thing_comes_first() -> None:
    found = carried((thing(SHED, 0.5), thing(CAR, 0.9), thing(TREE, 0.7)))
    assert found == {"hero": [CAR, TREE, SHED], "double": []}


def test_a_thing_goes_to_the_object_that_it_is_more_like() -> None:
    hero = (thing(CAR, 0.9), thing(TREE, 0.6))
    double = tuple(replace(each, likeness=each.likeness - 0.2) for each in hero)
    assert carried(hero, double)["hero"][0] == CAR
    assert carried(hero, double)["double"] == [TREE]
    assert carried(double, hero)["double"][0] == CAR
    assert carried(double, hero)["hero"] == [TREE]
