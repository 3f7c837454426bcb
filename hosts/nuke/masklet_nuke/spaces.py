"""From Nuke's numbers to the plate's and back: frames of the time line, and pixels counted from the bottom.

Nuke counts pixels of the format from its bottom left corner, y upwards, pixel centres at half-integers.
Knobs hold such pixels of the full format whatever proxy is shown, and stored ones whatever the pixel aspect
is; the data window of a picture moves nothing. So one flip of y is all that places need, and one shift all
that frames do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FrameMap:
    """Which picture of the plate shows on a frame of the script.

    Attributes:
        shift: How much later the script counts: frame 1001 of the script shows picture ``1001 - shift``.
    """

    shift: int = 0

    def plate_frame(self, frame: int) -> int:
        """The plate's own number of the picture that shows on a frame of the script."""
        return frame - self.shift

    def script_frame(self, plate_frame: int) -> int:
        """The frame of the script on which a picture of the plate shows."""
        return plate_frame + self.shift


@dataclass(frozen=True)
class PlateSpace:
    """Places on a plate, as :mod:`masklet.types` counts them, and as Nuke does.

    Attributes:
        width_px: Of the format.
        height_px: Of the format.
        pixel_aspect: Width of a pixel divided by its height.
    """

    width_px: int
    height_px: int
    pixel_aspect: float = 1.0

    def to_nuke(self, x_px: float, y_px: float) -> tuple[float, float]:
        """A place for a knob."""
        return x_px, self.height_px - y_px

    def to_plate(self, x: float, y: float) -> tuple[float, float]:
        """The place that a knob says."""
        return x, self.height_px - y

    def of_sample(self, across: float, up: float) -> tuple[float, float]:
        """The place on the plate that a viewer's sample says.

        A viewer tells its samples as shares of half the picture's width, from its middle, in both directions;
        pixels count as wide as they are shown. Zoom, pan and proxy change nothing about them.
        """
        half = self.width_px / 2
        return half + across * half, self.height_px / 2 - up * half * self.pixel_aspect
