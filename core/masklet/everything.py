"""Everything in a shot as objects: found on keyframes, tracked between them, each thing one object."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from masklet.carrying import carry
from masklet.errors import NotPromptedError
from masklet.found import FindProgress, Found
from masklet.found_things import MASKS, apart, is_same, plane
from masklet.matte_settings import MatteSettings
from masklet.types import CutPolicy, Direction, FrameRange, MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from masklet.found import FindOptions, Look
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import SessionInfo

RETURNED_FROM = 0.8
"""So much a thing must look like an object that is gone, to be it."""


@dataclass(frozen=True)
class Keyframe:
    """What was found on one keyframe.

    Attributes:
        frame: The plate's own number.
        fresh: Names of objects that are new on it.
        known: Names of objects that were there and were found.
        returned: Names of objects that were gone, by tracking or behind a cut, and are one of the things.
        left_over: Things for which the server takes no more objects.
    """

    frame: int
    fresh: tuple[str, ...]
    known: tuple[str, ...]
    returned: tuple[str, ...] = ()
    left_over: int = 0


def find_everything(
    session: Session,
    keyframes: Sequence[int],
    *,
    options: FindOptions,
    max_objects: int,
    name: str = "thing",
    on_progress: Callable[[int, FindProgress], None] = lambda frame, progress: None,
    on_track: Callable[[MaskUpdate], None] = lambda update: None,
    at_cuts: CutPolicy = CutPolicy.STOP,
    returned_from: float = RETURNED_FROM,
) -> Iterator[Keyframe]:
    """Make everything on the keyframes an object, and tell of each keyframe.

    Between two keyframes all objects are tracked. What is found on the later one is an object that is there,
    or one that was gone and looks like it, or new. Afterwards the shot still has to be tracked: new objects
    backward too.

    Args:
        session: Objects of its own stay and are not found once more.
        keyframes: Ascending.
        options: Of each search.
        max_objects: The server takes no more.
        name: Objects are called this and a number.
        on_progress: Told how far the search on a keyframe is.
        on_track: Told each mask that is tracked on the way.
        at_cuts: As for tracking.
        returned_from: So much a thing must look like an object that is gone, to be it.
    """
    for place, frame in enumerate(keyframes):
        objects = session.objects()
        if place and objects:
            between = FrameRange(keyframes[place - 1], frame)
            track = session.track(
                frames=between, direction=Direction.FORWARD, mask_format=MASKS, at_cuts=at_cuts
            )
            for update in track:
                on_track(update)
        there = {
            update.object_name: plane(update)
            for update in session.masks(frames=FrameRange(frame, frame), mask_format=MASKS)
        }
        things: list[Found] = []
        for event in session.find(frame=frame, mask_format=MASKS, **options).events():
            if isinstance(event, Found):
                things.append(event)
            else:
                on_progress(frame, event)
        known = tuple(
            named
            for named, mask in there.items()
            if any(is_same(mask, plane(each.update)) for each in things)
        )
        settled = settled_on(session.info(), frame)
        gone = [
            each
            for each in objects
            if each.object_id not in settled and (each.name not in there or not there[each.name].any())
        ]
        returned, fresh = come_back(session, frame, gone, apart(things, tuple(there.values())), returned_from)
        for item, thing in returned:
            item.accept(thing)
        room = max(0, max_objects - len(objects))
        made = make_objects(session, fresh[:room], name)
        names, back = ((each.name for each in each_of) for each_of in (made, (item for item, _ in returned)))
        yield Keyframe(frame, tuple(names), known, tuple(back), len(fresh) - len(made))


def settled_on(info: SessionInfo, frame: int) -> set[int]:
    """Ids of objects that are locked on a frame, or of which somebody said there what they are."""
    locked = {lock.object_id for lock in info.locks if frame in lock.frames}
    return locked | {each.object_id for each in info.objects if frame in each.prompted_frames}


def come_back(
    session: Session,
    frame: int,
    gone: Sequence[TrackedObject],
    things: Sequence[Found],
    returned_from: float = RETURNED_FROM,
) -> tuple[list[tuple[TrackedObject, Found]], list[Found]]:
    """Which things are objects that were gone, by what they look like; and those that are none of them.

    Args:
        session: Whose objects.
        frame: The things are on it.
        gone: Objects without a mask there.
        things: On no object that is there.
        returned_from: So much a thing must look like an object, to be it.
    """
    rest = list(things)
    if not gone or not rest:
        return [], rest
    items = {each.name: each for each in gone}
    looks: dict[str, Look] = {}
    for name, item in items.items():
        # Nothing was said of it, or that it is not there.
        with suppress(NotPromptedError):
            looks[name] = item.look(frame=frame)
    returned: list[tuple[TrackedObject, Found]] = []
    for proposed in carry(looks, session, frame=frame, per_object=1):
        for like in proposed.things:
            masks = [plane(thing.update) for thing in rest]
            number = next((n for n, mask in enumerate(masks) if is_same(mask, plane(like.update))), None)
            if number is not None and like.likeness >= returned_from:
                returned.append((items[proposed.name], rest.pop(number)))
    return returned, rest


def make_objects(session: Session, things: Iterable[Found], name: str = "thing") -> list[TrackedObject]:
    """Things as objects called ``name`` and a number that is free; their mattes share no pixel."""
    used = {each.name for each in session.objects()}
    names = (f"{name}{number:03d}" for number in count(1))
    free = (each for each in names if each not in used)
    made = []
    for thing in things:
        item = session.object(next(free))
        item.accept(thing)
        item.set_matte(MatteSettings(exclusive=True))
        made.append(item)
    return made
