"""Where the plate lies in the viewer, at any zoom and pan."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_SCALE = 0.02
MAX_SCALE = 64.0
_STEP = 1.25
MARGIN = 12.0
"""Around a plate that is fitted, in the viewer's own pixels."""


@dataclass(frozen=True)
class Placement:
    """From pixels of the plate to those of the viewer and back.

    Attributes:
        left: Viewer x of the plate's left edge.
        top: Viewer y of the plate's top edge.
        scale: Viewer pixels for one row of the plate.
        aspect: Width of a plate's pixel divided by its height.
    """

    left: float = 0.0
    top: float = 0.0
    scale: float = 1.0
    aspect: float = 1.0

    def to_plate(self, x: float, y: float) -> tuple[float, float]:
        """Plate pixels of a point in the viewer."""
        return (x - self.left) / (self.scale * self.aspect), (y - self.top) / self.scale

    def to_view(self, x_px: float, y_px: float) -> tuple[float, float]:
        """The viewer's point of a place on the plate."""
        return self.left + x_px * self.scale * self.aspect, self.top + y_px * self.scale

    def zoomed(self, factor: float, x: float, y: float) -> Placement:
        """Closer or further away, with the point under the hand staying where it is."""
        scale = min(max(self.scale * factor, MIN_SCALE), MAX_SCALE)
        x_px, y_px = self.to_plate(x, y)
        return replace(self, left=x - x_px * scale * self.aspect, top=y - y_px * scale, scale=scale)

    def stepped(self, steps: float, x: float, y: float) -> Placement:
        """The same by notches of a wheel."""
        return self.zoomed(_STEP**steps, x, y)

    def moved(self, dx: float, dy: float) -> Placement:
        """Moved by so much of the viewer."""
        return replace(self, left=self.left + dx, top=self.top + dy)


def fitted(
    width_px: int, height_px: int, view_width: float, view_height: float, *, aspect: float = 1.0
) -> Placement:
    """The whole plate in the middle of the viewer."""
    room_x, room_y = max(1.0, view_width - 2 * MARGIN), max(1.0, view_height - 2 * MARGIN)
    scale = min(room_x / (width_px * aspect), room_y / height_px)
    return centred(
        width_px,
        height_px,
        view_width,
        view_height,
        scale=min(max(scale, MIN_SCALE), MAX_SCALE),
        aspect=aspect,
    )


def centred(
    width_px: int, height_px: int, view_width: float, view_height: float, *, scale: float, aspect: float = 1.0
) -> Placement:
    """The middle of the plate in the middle of the viewer."""
    return Placement(
        (view_width - width_px * aspect * scale) / 2, (view_height - height_px * scale) / 2, scale, aspect
    )
