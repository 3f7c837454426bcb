"""From the pixels of an editor's region to those of the plate and back, at any zoom and pan.

Both editors draw the picture over the square from (0, 0) to (1, 1) of their view, y upwards, whatever its
size, pixel aspect and proxy; so the way to the plate is one scale and one offset in each direction.
"""

from __future__ import annotations

from dataclasses import dataclass


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
