"""Everything in a shot as objects: found on keyframes, tracked between them, each thing one object."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from masklet.found import FindProgress, Found
from masklet.matte_settings import MatteSettings
from masklet.types import CutPolicy, Direction, FrameRange, MaskFormat, MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from masklet.found import FindOptions
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject

    Plane = NDArray[np.bool_]

MASKS = MaskFormat(max_side_px=256, bits=True)
"""Fine enough to tell what lies where."""
_FREE_FROM = 0.6
"""So much of a thing must lie on nothing that is an object already."""
_SAME_FROM = 0.5


@dataclass(frozen=True)
class Keyframe:
    """What was found on one keyframe.

    Attributes:
        frame: The plate's own number.
        fresh: Names of objects that are new on it.
        known: Names of objects that were found again.
        left_over: Things for which the server takes no more objects.
    """

    frame: int
    fresh: tuple[str, ...]
    known: tuple[str, ...]
    left_over: int = 0


def apart(found: Iterable[Found], taken: Sequence[Plane] = ()) -> list[Found]:
    """Of things on one frame those that lie beside each other: what is mostly on a better one is left out.

    Args:
        found: The best first, with masks of one size.
        taken: Masks of that size which are spoken for.
    """
    kept: list[Found] = []
    union = None
    for mask in taken:
        union = mask if union is None else union | mask
    for thing in found:
        mask = plane(thing.update)
        area = int(mask.sum())
        if area and (union is None or int((mask & ~union).sum()) >= _FREE_FROM * area):
            kept.append(thing)
            union = mask if union is None else union | mask
    return kept


def plane(update: MaskUpdate) -> Plane:
    """``(height, width)``: inside or outside (needs NumPy)."""
    inside: Plane = update.mask.as_array() > 127
    return inside


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
) -> Iterator[Keyframe]:
    """Make everything on the keyframes an object, and tell of each keyframe.

    Between two keyframes all objects are tracked. What is found on the later one is an object that is there,
    or new where it lies on none. Afterwards the shot still has to be tracked: new objects backward too.

    Args:
        session: Objects of its own stay and are not found once more.
        keyframes: Ascending.
        options: Of each search.
        max_objects: The server takes no more.
        name: Objects are called this and a number.
        on_progress: Told how far the search on a keyframe is.
        on_track: Told each mask that is tracked on the way.
        at_cuts: As for tracking.
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
        fresh = apart(things, tuple(there.values()))
        room = max(0, max_objects - len(objects))
        made = make_objects(session, fresh[:room], name)
        yield Keyframe(frame, tuple(each.name for each in made), known, len(fresh) - len(made))


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


def is_same(one: Plane, other: Plane) -> bool:
    """Whether two masks of one size are of one thing."""
    either = int((one | other).sum())
    return either > 0 and int((one & other).sum()) >= _SAME_FROM * either
