"""Places that Find Again found: what is told of them, and taking one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.said.documents import with_click

if TYPE_CHECKING:
    from masklet.hosting.work.finding import FoundPlaces
    from masklet.phrases import Phrase
    from masklet.said.documents import SaidObject


def accepted(said: SaidObject, found: FoundPlaces, number: int) -> SaidObject:
    """The object with the click of a place, which a track then goes on from, both ways.

    Args:
        said: What is said now.
        found: What a look found.
        number: Of the place, from 1.

    Raises:
        BadInputError: There is no such place any more, the frame is locked, or something was said there
            since.
    """
    if found.uid != said.uid or not 1 <= number <= len(found.places):
        raise BadInputError(phrase("there is no such place: press Find Again on this frame"))
    if not said.at(found.frame).is_empty:
        raise BadInputError(
            phrase(
                "something is said about {name} on frame {frame} now: clear the frame, or go on from it",
                name=said.name,
                frame=found.frame,
            )
        )
    return with_click(said, found.frame, found.places[number - 1].click)


def found_sentence(name: str, frame: int, found: FoundPlaces) -> Phrase:
    """What a look found.

    Args:
        name: Of the object.
        frame: As the host counts it.
        found: The places.
    """
    if not found.places:
        return phrase(
            "Nothing on frame {frame} looks like {name}: click it, or look on another frame",
            name=name,
            frame=frame,
        )
    if len(found.places) == 1:
        return phrase(
            "One place on frame {frame} looks like {name}: take it, then track", frame=frame, name=name
        )
    return phrase(
        "{count} places on frame {frame} look like {name}, the likeliest is 1: take one, then track",
        count=len(found.places),
        frame=frame,
        name=name,
    )


def place_label(found: FoundPlaces, number: int) -> Phrase:
    """A button or an entry for a place: its number, and how much it looks like the object."""
    percent = round(100 * found.places[number - 1].likeness)
    return phrase("{number}: {percent} % alike", number=number, percent=percent)
