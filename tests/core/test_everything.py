from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from masklet.commands import find as command
from masklet.commands.progress import Progress
from masklet.errors import BadInputError, MaskletError, NotPromptedError
from masklet.everything import Keyframe, come_back, find_everything
from masklet.found import Found, Look
from masklet.found_things import apart
from masklet.session import Session
from masklet.tracked_object import TrackedObject
from masklet.types import (
    Click,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    MaskUpdate,
    ObjectInfo,
    Presence,
)


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


@dataclass
class Gone:
    """Stands for an object without a mask on the frame."""

    name: str
    is_prompted: bool = True

    def look(self, *, frame: int) -> Look:
        if not self.is_prompted:
            raise NotPromptedError("click it first")
        return Look("network", 1, self.name.encode(), 0.1)


@dataclass
class Alike:
    """Stands for a session: what looks like the objects is given."""

    there: dict[bytes, tuple[Found, ...]]
    asked: list[bytes] = field(default_factory=list)

    def find(self, *, frame: int, like: Look, limit: int, mask_format: object) -> Iterator[Found]:
        self.asked.append(like.cells)
        return iter(self.there[like.cells][:limit])


def back(
    session: Alike, gone: list[Gone], things: list[Found]
) -> tuple[list[tuple[str, Found]], list[Found]]:
    returned, rest = come_back(cast("Session", session), 1, cast("list[TrackedObject]", gone), things)
    return [(item.name, thing) for item, thing in returned], rest


def test_a_thing_that_looks_like_an_object_that_was_gone_is_that_object_and_no_new_one() -> None:
    shed, car, tree = found(0, 6), found(10, 16), found(20, 26)
    session = Alike({b"hero": (replace(car, likeness=0.9),), b"dog": (replace(tree, likeness=0.7),)})

    returned, rest = back(session, [Gone("hero"), Gone("dog"), Gone("unsaid", False)], [shed, car, tree])

    assert returned == [("hero", car)]
    assert rest == [shed, tree], "what looks a little like an object is new"


def test_two_objects_that_were_gone_are_not_one_thing() -> None:
    car = found(10, 16)
    alike = {b"hero": (replace(car, likeness=0.9),), b"double": (replace(car, likeness=0.85),)}

    assert back(Alike(alike), [Gone("double"), Gone("hero")], [car]) == ([("hero", car)], [])


def test_nothing_is_looked_for_where_nothing_is_gone_or_nothing_is_new() -> None:
    session = Alike({})
    assert back(session, [], [found(0, 6)])[0] == []
    assert back(session, [Gone("hero")], []) == ([], [])
    assert session.asked == []


@dataclass
class Held:
    """Stands for an object of a session: what it becomes is kept."""

    object_id: int
    name: str
    taken: list[Found] = field(default_factory=list)

    def look(self, *, frame: int) -> Look:
        return Look("network", 1, self.name.encode(), 0.1)

    def accept(self, thing: Found) -> None:
        if self.name in ("locked", "drawn"):
            raise BadInputError(f"frame 1 is locked for {self.name}")
        self.taken.append(thing)

    def set_matte(self, settings: object) -> None:
        del settings


@dataclass
class Shot:
    """Stands for a session of three objects that are nowhere: locked, drawn as nothing, and lost."""

    thing: Found
    held: list[Held] = field(
        default_factory=lambda: [Held(1, "locked"), Held(2, "drawn"), Held(3, "lost"), Held(4, "unlocked")]
    )

    def info(self) -> Any:
        prompted = {"drawn": (1,), "locked": (5,)}
        objects = [ObjectInfo(each.object_id, each.name, prompted.get(each.name, ())) for each in self.held]
        locks = (LockedRange(1, FrameRange(1, 3)), LockedRange(4, FrameRange(2, 3)))
        return SimpleNamespace(objects=objects, locks=locks)

    def objects(self) -> list[Held]:
        return list(self.held)

    def object(self, name: str) -> Held:
        self.held.append(Held(9, name))
        return self.held[-1]

    def masks(self, **asked: object) -> Iterator[MaskUpdate]:
        return iter(())

    def find(self, *, like: Look | None = None, **asked: object) -> Any:
        if like is None:
            return SimpleNamespace(events=lambda: iter((self.thing,)))
        return iter((replace(self.thing, likeness=1.0 if like.cells == b"locked" else 0.9),))


def test_an_object_that_somebody_settled_on_a_frame_does_not_come_back_there() -> None:
    shot = Shot(found(4, 9))
    (told,) = find_everything(cast("Session", shot), (1,), options={}, max_objects=9)
    assert told.returned == ("lost",)
    assert told.fresh == ()
    assert {each.name for each in shot.held if each.taken} == {"lost"}


@pytest.mark.parametrize("stopped", [MaskletError("the plate is gone"), KeyboardInterrupt()])
def test_what_was_found_is_kept_where_a_later_frame_fails(
    stopped: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*asked: object, **options: object) -> Iterator[Keyframe]:
        yield Keyframe(1001, ("thing001",), ())
        raise stopped

    monkeypatch.setattr(command, "find_everything", failing)
    kept: list[bool] = []
    session = cast("Session", None)
    with pytest.raises(type(stopped)):
        command.find_on_keyframes(
            session, (1001, 1025), {}, 9, "thing", Progress(), lambda: kept.append(True)
        )
    assert kept == [True]
    assert "what was found up to frame 1001 is kept" in capsys.readouterr().err
