"""Where the plate's picture stands in a 3D scene: before a camera, or upright at the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import bpy

    from .coordinates import PlateSpace

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class PicturePlane:
    """A rectangle that the picture fills.

    Attributes:
        left: In x.
        top: In y before a camera, in z upright.
        width: In units of the scene.
        height: In units of the scene.
        distance: Before the camera; None for an upright picture at the origin, seen from the front.
    """

    left: float
    top: float
    width: float
    height: float
    distance: float | None = None

    def at(self, across: float, down: float) -> Triple:
        """The place of a point of the picture, given as shares of its width and height from the top left."""
        x, y = self.left + across * self.width, self.top - down * self.height
        return (x, 0.0, y) if self.distance is None else (x, y, -self.distance)

    def turn(self, clockwise_rad: float) -> Triple:
        """Euler angles of a rotation that the picture shows."""
        return (0.0, clockwise_rad, 0.0) if self.distance is None else (0.0, 0.0, -clockwise_rad)

    def size(self, across: float, down: float) -> Triple:
        """Scale of an object that is stretched in the picture; in depth it grows by the mean of both."""
        deep = abs(across * down) ** 0.5
        return (across, deep, down) if self.distance is None else (across, down, deep)


def upright(space: PlateSpace) -> PicturePlane:
    """One unit high, its middle at the origin, with pixels as wide as they are seen."""
    width = space.width_px * space.pixel_aspect / space.height_px
    return PicturePlane(-width / 2, 0.5, width, 1.0)


def before_camera(camera: bpy.types.Object, scene: bpy.types.Scene, distance: float) -> PicturePlane:
    """What a camera sees at a distance, in its own space, with the lens and the shift it has now."""
    lens: Any = camera.data
    corners = lens.view_frame(scene=scene)
    right, bottom = max(corner[0] for corner in corners), min(corner[1] for corner in corners)
    left, top = min(corner[0] for corner in corners), max(corner[1] for corner in corners)
    share = distance / -corners[0][2] if lens.type == "PERSP" else 1.0
    return PicturePlane(left * share, top * share, (right - left) * share, (top - bottom) * share, distance)
