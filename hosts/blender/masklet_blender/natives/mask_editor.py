"""An editor in which mask operators work, borrowed for a moment.

Keys of mask shapes can be made by an operator alone, and that wants an Image or Clip Editor in mask mode.
It reads the frame from the scene in context; an empty scene of our own stands in there, so that no step
evaluates the artist's scene or calls handlers of frame changes, and the artist's current frame never moves.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import MaskletError
from masklet.phrases import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class _Place:
    window: bpy.types.Window
    area: bpy.types.Area


@contextmanager
def mask_editor(mask: bpy.types.Mask) -> Iterator[bpy.types.Scene]:
    """Run mask operators on ``mask`` inside the block.

    Yields:
        The scene whose frame the operators use. Set ``frame_current`` and update its view layer; then the
        points of the mask may be written, and the operator called. In the other order the mask's animation
        overwrites them.

    Raises:
        MaskletError: Blender has no window.
    """
    place = _place_to_borrow()
    scene = bpy.data.scenes.new("masklet keys")
    with ExitStack() as restored:
        restored.callback(bpy.data.scenes.remove, scene)
        if place.area.type not in ("IMAGE_EDITOR", "CLIP_EDITOR"):
            restored.callback(setattr, place.area, "ui_type", place.area.ui_type)
            place.area.type = "IMAGE_EDITOR"
        space: Any = place.area.spaces.active
        for name, value in (("mode", "MASK"), ("mask", mask)):
            restored.callback(setattr, space, name, getattr(space, name))
            setattr(space, name, value)
        region = next(region for region in place.area.regions if region.type == "WINDOW")
        # Given a window, an override takes the scene from there; so the scene comes in a second one.
        restored.enter_context(bpy.context.temp_override(window=place.window))
        restored.enter_context(bpy.context.temp_override(area=place.area, region=region, scene=scene))
        yield scene


def _place_to_borrow() -> _Place:
    """The area whose borrowing disturbs least: one that can show masks, else the smallest not in use."""
    manager: Any = bpy.context.window_manager
    places = [
        _Place(window, area)
        for window in manager.windows
        for area in window.screen.areas
        if area.type not in ("TOPBAR", "STATUSBAR")
    ]
    if not places:
        raise MaskletError(
            phrase("Blender has no window here, and keys of masks need one: open a file that has a window")
        )
    return min(places, key=_disturbance)


def _disturbance(place: _Place) -> tuple[int, int]:
    area: Any = place.area
    size = area.width * area.height
    if area.type == "IMAGE_EDITOR":
        return (0, size)
    if area.type == "CLIP_EDITOR" and area.spaces.active.clip is not None:
        return (1, size)
    # Another type in the area whose operator is running would end the artist's tool there.
    return (3 if area == bpy.context.area else 2, size)
