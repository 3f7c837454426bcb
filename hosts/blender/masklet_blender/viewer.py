"""The editors that show plates: where the picture lies in them, and where the mouse points."""

from __future__ import annotations

import bpy

from masklet.hosting.shown.view_maps import ViewMap
from masklet.phrases import phrase

from .plates import PlateBlock, size_px

VIEWERS = {"CLIP_EDITOR", "IMAGE_EDITOR"}


def view_map(region: bpy.types.Region, block: PlateBlock) -> ViewMap | None:
    """Where the plate lies in an editor's main region; None while there is nothing to see."""
    width_px, height_px = size_px(block)
    spread = float(max(region.width, region.height, 1))
    low = region.view2d.region_to_view(0.0, 0.0)
    high = region.view2d.region_to_view(spread, spread)
    if not width_px or not height_px or high[0] == low[0] or high[1] == low[1]:
        return None
    return ViewMap.between(
        (low[0], low[1]), (high[0], high[1]), spread_region=spread, width_px=width_px, height_px=height_px
    )


def main_region(area: bpy.types.Area | None) -> bpy.types.Region | None:
    """The region of an editor in which the picture is."""
    if area is None or area.type not in VIEWERS:
        return None
    return next((region for region in area.regions if region.type == "WINDOW"), None)


def point_in(area: bpy.types.Area | None, event: bpy.types.Event) -> tuple[float, float] | None:
    """The centre of the pixel under the mouse in the main region; None over panels and other editors."""
    region = main_region(area)
    if area is None or region is None:
        return None
    for other in area.regions:
        if _holds(other, event) and other != region and other.width > 1 and other.height > 1:
            return None
    if not _holds(region, event):
        return None
    return event.mouse_x - region.x + 0.5, event.mouse_y - region.y + 0.5


def why_not_true(space: bpy.types.Space | None) -> str | None:
    """Why the viewer does not show the plate as it is, so that clicks would miss; None where it does."""
    if not isinstance(space, bpy.types.SpaceClipEditor) or space.clip is None:
        return None
    if space.show_stable and space.clip.tracking.stabilization.use_2d_stabilization:
        return phrase(
            "The viewer shows the clip stabilised: turn off Show Stable to point at the plate itself"
        )
    if space.clip_user.use_render_undistorted:
        return phrase(
            "The viewer shows the clip undistorted: turn off Render Undistorted to point at the plate itself"
        )
    return None


def _holds(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    return bool(
        region.x <= event.mouse_x < region.x + region.width
        and region.y <= event.mouse_y < region.y + region.height
    )
