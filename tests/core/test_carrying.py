"""Which of the things in another shot an object is taken for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from masklet.carrying import carry
from masklet.found import Found, Look
from masklet.session import Session
from masklet.types import Click, FramePrompts, Mask, MaskUpdate, Presence

SIDE_SHARE = 0.43
HERO, DOUBLE = (Look("network", 1, name, SIDE_SHARE) for name in (b"he", b"do"))
SHED, CAR, TREE = 0, 10, 20


def thing(left: int, likeness: float, *, rows: int = 8) -> Found:
    """Six columns of a picture, all of its rows or the uppermost."""
    codes = np.zeros((8, 32), np.uint8)
    codes[:rows, left : left + 6] = 255
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


def doubts(
    hero: tuple[Found, ...], double: tuple[Found, ...] = (), side_share: float = SIDE_SHARE
) -> str | None:
    """What is said of the hero."""
    session = cast("Session", OtherShot({HERO.cells: hero, DOUBLE.cells: double}))
    looks = {"hero": replace(HERO, side_share=side_share), "double": DOUBLE}
    return carry(looks, session, frame=1)[0].doubt


def test_a_thing_that_looks_like_the_object_and_like_nothing_else_is_not_doubtful() -> None:
    assert doubts((thing(CAR, 0.9), thing(TREE, 0.6))) is None


@pytest.mark.parametrize("side_share", [0.1, 0.9])
def test_a_thing_of_another_size_is_doubtful(side_share: float) -> None:
    found = doubts((thing(CAR, 0.9),), side_share=side_share)
    assert found is not None
    assert found.startswith("what was taken for hero on frame 1 is ")
    assert "times as large as it was: look, and click hero where it is" in found


def test_a_thing_on_another_object_is_doubtful() -> None:
    # A ball that is taken for a part of its juggler.
    found = doubts((thing(CAR, 0.8, rows=3),), (thing(CAR, 0.9),), side_share=0.3)
    assert found == (
        "what was taken for hero on frame 1 lies on double, and may be a part of that: look, and click hero "
        "where it is"
    )


def test_two_things_that_look_alike_are_doubtful() -> None:
    found = doubts((thing(CAR, 0.9), thing(TREE, 0.895)))
    assert found is not None
    assert "looks no more like it than something else there" in found


def test_a_thing_that_hardly_looks_like_it_is_doubtful() -> None:
    found = doubts((thing(CAR, 0.3),))
    assert found is not None
    assert "does not look much like it" in found


def test_an_object_that_nothing_looks_like_is_said() -> None:
    assert doubts(()) == "nothing on frame 1 looks like hero: click it if it is in this shot"
