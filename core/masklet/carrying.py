"""Objects of one shot proposed in another: by what they look like, each thing there to one object at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from masklet.found import Found, Look
from masklet.found_things import MASKS, is_same, plane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from masklet.found_things import Plane
    from masklet.session import Session

PER_OBJECT = 3
MOST_FACTOR = 1.6
"""By which the side of an object may change from shot to shot before that is doubtful."""
MOST_ON_ANOTHER = 0.5
"""Of a thing that may lie on what was carried for another object."""
LEAST_LEAD = 0.02
"""In likeness, of the likeliest thing before the next."""
LEAST_LIKENESS = 0.5
_LEAST_SIDE = 1e-4


@dataclass(frozen=True)
class Carried:
    """Where an object may be in the other shot.

    Attributes:
        name: The object's.
        things: The likeliest first; empty where nothing looks like it, or all that does more like another.
        doubt: Why the likeliest may be something else, and what helps; None where nothing says so.
    """

    name: str
    things: tuple[Found, ...]
    doubt: Optional[str] = None


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
    return tuple(
        Carried(name, tuple(things), _doubt(name, looks[name], given, frame))
        for name, things in given.items()
    )


def _doubt(name: str, look: Look, given: Mapping[str, list[Found]], frame: int) -> str | None:
    """Why the likeliest thing may not be the object; the first reason that holds."""
    things = given[name]
    if not things:
        return f"nothing on frame {frame} looks like {name}: click it if it is in this shot"
    mask = plane(things[0].update)
    factor = float(mask.mean()) ** 0.5 / max(look.side_share, _LEAST_SIDE)
    if not 1 / MOST_FACTOR <= factor <= MOST_FACTOR:
        reason = f"is {factor:.2g} times as large as it was"
    elif lies_on := [
        other
        for other, own in given.items()
        if other != name and own and _share_in(mask, plane(own[0].update)) > MOST_ON_ANOTHER
    ]:
        reason = f"lies on {lies_on[0]}, and may be a part of that"
    elif len(things) > 1 and things[0].likeness - things[1].likeness < LEAST_LEAD:
        reason = "looks no more like it than something else there"
    elif things[0].likeness < LEAST_LIKENESS:
        reason = "does not look much like it"
    else:
        return None
    return f"what was taken for {name} on frame {frame} {reason}: look, and click {name} where it is"


def _share_in(mask: Plane, other: Plane) -> float:
    """How much of a mask lies in another one."""
    size = int(mask.sum())
    return int((mask & other).sum()) / size if size else 0.0
