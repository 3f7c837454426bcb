"""Objects of one shot proposed in another: by what they look like, each thing there to one object at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.found import Found, Look
from masklet.found_things import MASKS, is_same, plane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from masklet.session import Session

PER_OBJECT = 3


@dataclass(frozen=True)
class Carried:
    """Where an object may be in the other shot.

    Attributes:
        name: The object's.
        things: The likeliest first; empty where nothing looks like it, or all that does more like another.
    """

    name: str
    things: tuple[Found, ...]


def looks_of(session: Session, *, frame: int, names: Iterable[str] = ()) -> dict[str, Look]:
    """What the objects of a shot that have prompts look like, on those nearest to a frame, by name."""
    wanted = set(names)
    prompted = {info.object_id for info in session.info().objects if info.prompted_frames}
    objects = [each for each in session.objects() if each.object_id in prompted]
    return {each.name: each.look(frame=frame) for each in objects if not wanted or each.name in wanted}


def carry(
    looks: Mapping[str, Look], session: Session, *, frame: int, per_object: int = PER_OBJECT
) -> tuple[Carried, ...]:
    """Where objects of another shot may be on a frame of this one; nothing is said yet.

    Args:
        looks: By name, of :func:`looks_of`.
        session: The other shot.
        frame: Of it.
        per_object: How many proposals at most.
    """
    asked = {
        name: list(session.find(frame=frame, like=look, limit=2 * per_object, mask_format=MASKS))
        for name, look in looks.items()
    }
    ranked = sorted(
        (
            (thing.likeness, name, number)
            for name, things in asked.items()
            for number, thing in enumerate(things)
        ),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    given: dict[str, list[Found]] = {name: [] for name in looks}
    for _, name, number in ranked:
        thing = asked[name][number]
        mask = plane(thing.update)
        others = (each for other, things in given.items() if other != name for each in things[:1])
        # Only what an object takes first is its own; the rest are guesses that others may have, too.
        if any(is_same(mask, plane(each.update)) for each in others):
            continue
        if len(given[name]) < per_object:
            given[name].append(thing)
    return tuple(Carried(name, tuple(things)) for name, things in given.items())
