"""Pictures of a plate as people look at them."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_STOPS = 20.0
MAX_GAMMA = 10.0
MAX_FRAMES = 1000
"""Of one request: a viewer asks for those around its playhead."""


@dataclass(frozen=True)
class Grade:
    """How a picture is shown, for looking into its shadows and highlights; mattes do not depend on it.

    Attributes:
        exposure_stops: Light is multiplied by two to this power before it is shown.
        gamma: Shown values are raised to one divided by this.
    """

    exposure_stops: float = 0.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.exposure_stops) and abs(self.exposure_stops) <= MAX_STOPS):
            raise ValueError(f"an exposure of {self.exposure_stops:g} stops: give one from -20 to 20")
        if not (1.0 / MAX_GAMMA <= self.gamma <= MAX_GAMMA):
            raise ValueError(f"a gamma of {self.gamma:g}: give one from 0.1 to 10")


AS_IT_IS = Grade()
"""As the plate's colour space says."""


@dataclass(frozen=True)
class PictureRequest:
    """Which pictures are wanted.

    Attributes:
        frames: In the order in which they are wanted.
        max_side_px: Longest side; pictures keep the plate's proportions. 0: the plate's own size.
        grade: How they are shown.
    """

    frames: tuple[int, ...]
    max_side_px: int = 0
    grade: Grade = AS_IT_IS


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        frame: The plate's own number.
        width_px: Of this picture.
        height_px: The same.
        jpeg: In display-referred sRGB; empty where the frame has no picture that can be used.
        reason: Why there is none, for people.
    """

    frame: int
    width_px: int
    height_px: int
    jpeg: bytes
    reason: str = ""
