"""What the buttons of a viewer may say: a click, a box, a stroke, a thing found, nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.names import checked_object_name
from masklet.phrases import phrase
from masklet.prompt_kinds import MAX_SCRIBBLE_POINTS
from masklet.said.documents import SaidObject, cleared, new_uid, with_prompts
from masklet.types import Box, Scribble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.hosting.shown.found_things import FoundThing
    from masklet.said.documents import Document


def check_inside(x_px: float, y_px: float, *, width_px: int, height_px: int) -> None:
    """Refuse a place beside the picture.

    Raises:
        BadInputError: It lies outside.
    """
    if not (0.0 <= x_px <= width_px and 0.0 <= y_px <= height_px):
        raise BadInputError(phrase("the click lies outside the picture: click inside it"))


def box_inside(
    left_px: float, top_px: float, right_px: float, bottom_px: float, *, width_px: int, height_px: int
) -> Box:
    """The part of a drawn rectangle that lies on the plate.

    Raises:
        BadInputError: There is none.
    """
    try:
        return Box(
            max(0.0, left_px),
            max(0.0, top_px),
            min(float(width_px), right_px),
            min(float(height_px), bottom_px),
        )
    except ValueError:
        raise BadInputError(
            phrase("the box lies outside the picture: draw it inside, from corner to corner")
        ) from None


def stroke(points_px: Sequence[tuple[float, float]], width_px: float, *, positive: bool) -> Scribble:
    """A stroke with as many points as are needed to see where the hand went."""
    kept = [points_px[0]]
    for point in points_px[1:]:
        near_px = abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1])
        if near_px >= max(0.5, width_px / 8):
            kept.append(point)
    return Scribble(tuple(kept[:MAX_SCRIBBLE_POINTS]), width_px, positive)


def taken_back(said: SaidObject, frame: int) -> SaidObject:
    """The object with nothing said on a frame.

    Raises:
        BadInputError: Nothing was said there, or the frame is locked.
    """
    if said.at(frame).is_empty:
        raise BadInputError(
            phrase(
                "nothing is said about {name} on frame {frame}: go to a marked frame",
                name=said.name,
                frame=frame,
            )
        )
    return cleared(said, frame)


def taken(document: Document, thing: FoundThing, name: str) -> tuple[Document, str]:
    """The document with a thing that was found as one more object, and that one's uid.

    Raises:
        BadInputError: The name cannot be a layer.
        NameTakenError: Another object has it.
    """
    checked = checked_object_name(name, [said.name for said in document])
    made = with_prompts(SaidObject(new_uid(), checked), thing.prompts)
    return (*document, made), made.uid
