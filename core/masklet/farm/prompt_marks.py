"""What an artist said of an object, as mattes are compared with it: places, and a box. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.types import Click

if TYPE_CHECKING:
    from masklet.types import FramePrompts, PromptDocument

_STROKE_POINTS = 16
"""That are looked at along a stroke."""


@dataclass(frozen=True)
class Mark:
    """A click, or points along a stroke.

    Attributes:
        points_px: x and y, in pixels of the plate.
        positive: On the object.
    """

    points_px: tuple[tuple[float, float], ...]
    positive: bool


def prompts_of(document: PromptDocument, name: str) -> tuple[FramePrompts, ...]:
    """All that was said of an object."""
    ids = {info.object_id for info in document.objects if info.name == name}
    return tuple(item for item in document.prompts if item.object_id in ids)


def marks_of(item: FramePrompts) -> tuple[Mark, ...]:
    """Clicks and strokes on a frame."""
    found = []
    for mark in item.marks:
        if isinstance(mark, Click):
            found.append(Mark(((mark.x_px, mark.y_px),), mark.positive))
        else:
            step = -(-len(mark.points_px) // _STROKE_POINTS)
            found.append(Mark(tuple(mark.points_px[::step]), mark.positive))
    return tuple(found)


def box_of(item: FramePrompts) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of the box of a frame, in pixels.

    None without one, and where a click or a stroke outside of it says that the object reaches further.
    """
    box = item.box
    if box is None:
        return None
    for mark in marks_of(item):
        for x_px, y_px in mark.points_px:
            inside = box.left_px <= x_px <= box.right_px and box.top_px <= y_px <= box.bottom_px
            if mark.positive and not inside:
                return None
    return box.left_px, box.top_px, box.right_px, box.bottom_px
