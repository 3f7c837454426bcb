"""From the pixels of an editor's region to those of the plate and back, at any zoom and pan.

Both editors draw the picture over the square from (0, 0) to (1, 1) of their view, y upwards, whatever its
size, pixel aspect and proxy; so the way to the plate is one scale and one offset in each direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .plates import PlateBlock

VIEWERS = {"CLIP_EDITOR", "IMAGE_EDITOR"}


@dataclass(frozen=True)
class ViewMap:
    """Where a plate lies in a region.

    Attributes:
        left_region: Region x of the plate's left edge.
        top_region: Region y of the plate's top edge.
        scale_x: Region pixels for one plate pixel.
        scale_y: The same in y; negative, since regions count upwards.
    """

    left_region: float
    top_region: float
    scale_x: float
    scale_y: float

    @staticmethod
    def between(
        low: tuple[float, float],
        high: tuple[float, float],
        *,
        spread_region: float,
        width_px: int,
        height_px: int,
    ) -> ViewMap:
        """The map from what the view says of two points.

        Args:
            low: View coordinates of region point (0, 0).
            high: View coordinates of region point (spread_region, spread_region).
            spread_region: How far the two are apart, in each direction.
            width_px: Of the plate.
            height_px: Of the plate.
        """
        unit_x = spread_region / (high[0] - low[0])
        unit_y = spread_region / (high[1] - low[1])
        return ViewMap(-low[0] * unit_x, (1.0 - low[1]) * unit_y, unit_x / width_px, -unit_y / height_px)

    def to_plate(self, x_region: float, y_region: float) -> tuple[float, float]:
        """Plate pixels of a point in the region."""
        return (x_region - self.left_region) / self.scale_x, (y_region - self.top_region) / self.scale_y

    def to_region(self, x_px: float, y_px: float) -> tuple[float, float]:
        """The region's point of a place on the plate."""
        return self.left_region + x_px * self.scale_x, self.top_region + y_px * self.scale_y


def view_map(region: bpy.types.Region, block: PlateBlock) -> ViewMap | None:
    """Where the plate lies in an editor's main region; None while there is nothing to see."""
    width_px, height_px = (int(side) for side in block.size)
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
        return "The viewer shows the clip stabilised: turn off Show Stable to point at the plate itself"
    if space.clip_user.use_render_undistorted:
        return (
            "The viewer shows the clip undistorted: turn off Render Undistorted to point at the plate itself"
        )
    return None


def _holds(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    return bool(
        region.x <= event.mouse_x < region.x + region.width
        and region.y <= event.mouse_y < region.y + region.height
    )
