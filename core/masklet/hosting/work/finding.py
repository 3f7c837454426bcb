"""Where an object may be on a frame after an absence or a cut. Nothing is said by looking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.hosting.shown.overlay_masks import PackedMask, packed_for_overlay
from masklet.hosting.work.plate_events import Event, ResultCame
from masklet.phrases import phrase
from masklet.said.documents import find

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.types import Click

PLACES = 3
"""How many are looked for: more nobody looks through while working."""


@dataclass(frozen=True)
class Place:
    """A place that looks like the object.

    Attributes:
        click: Saying it accepts the place.
        mask: What that click would give, for the overlay; None where nothing of it is to be seen.
        likeness: How much the place looks like the object on its prompted frames, up to 1.
    """

    click: Click
    mask: PackedMask | None
    likeness: float


@dataclass(frozen=True)
class FoundPlaces:
    """What a look found.

    Attributes:
        uid: Of the object.
        frame: The plate's own number.
        places: The likeliest first; none where nothing looks like the object.
    """

    uid: str
    frame: int
    places: tuple[Place, ...]


def find_again(plate: PlateSession, job: Job, server: Server, uid: str, frame: int) -> Iterator[Event]:
    """Tell, as one :class:`FoundPlaces`, where an object may be on a frame.

    Raises:
        BadInputError: Nothing is said of the object, or something is said on this frame already.
    """
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    said = find(plate.request.wanted, uid)
    if said is None or not said.frames:
        raise BadInputError(phrase("nothing is known of this object yet: click it on a frame that shows it"))
    if not said.at(frame).is_empty:
        raise BadInputError(
            phrase(
                "something is said about {name} on frame {frame} already: go to a frame without prompts, or "
                "clear this one",
                name=said.name,
                frame=frame,
            )
        )
    max_side_px = plate.request.max_side_px
    found = plate.object(uid).find_again(frame=frame, limit=PLACES)
    places = tuple(
        Place(one.prompts.clicks[0], packed_for_overlay(one.update, max_side_px), one.likeness)
        for one in found
    )
    yield ResultCame(FoundPlaces(uid, frame, places))
