"""Having Blender draw again what changed."""

from __future__ import annotations

import bpy

_EDITORS = {"CLIP_EDITOR", "IMAGE_EDITOR", "DOPESHEET_EDITOR"}


def redraw(*, panels: bool = True, everything: bool = False) -> None:
    """Have viewers and timelines drawn again.

    Args:
        panels: With their sidebars and headers; otherwise the pictures alone.
        everything: All editors.
    """
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if everything or (panels and area.type in _EDITORS):
                area.tag_redraw()
            elif area.type in _EDITORS:
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()
