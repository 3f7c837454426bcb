"""What an artist may do to an object's matte after it was tracked: values, no pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_DISTANCE_PX = 512.0
MAX_AREA_PX = 2**31 - 1
MIN_GAMMA, MAX_GAMMA = 0.05, 20.0
CALM_SPAN = 2
"""Frames to either side whose masks even out what flickers in a matte; see :attr:`MatteSettings.calm`."""


@dataclass(frozen=True)
class MatteSettings:
    """Applied in the order of the attributes, each at the plate's size; by default only calm does anything.

    Attributes:
        fill_holes_px: Holes of up to this area, in pixels, are filled; 0 leaves all.
        drop_specks_px: Pieces of up to this area, in pixels, are dropped; 0 leaves all.
        grow_px: How far the edge moves outwards; negative shrinks.
        feather_px: How far, to either side of the edge, coverage is softened.
        black: Coverage up to here becomes 0.
        white: Coverage from here on becomes 1.
        gamma: Of the coverage between the two; above 1 makes it denser.
        exclusive: Exclusive objects never overlap: each pixel that several of them cover goes to the
            one that covers most of it, of equals to the one that was added first.
        invert: What is inside becomes outside, after everything else.
        calm: How much of what flickers beside the plate's motion is evened out over the frames around,
            0 to 1, before anything else. Edges that follow the plate have it, exports and shapes that is;
            previews and raw edges show each frame by itself.
    """

    fill_holes_px: int = 0
    drop_specks_px: int = 0
    grow_px: float = 0.0
    feather_px: float = 0.0
    black: float = 0.0
    white: float = 1.0
    gamma: float = 1.0
    exclusive: bool = False
    invert: bool = False
    calm: float = 1.0

    def __post_init__(self) -> None:
        for name in ("grow_px", "feather_px", "black", "white", "gamma", "calm"):
            number = getattr(self, name)
            if not math.isfinite(number):
                raise ValueError(f"{name.partition('_')[0]} is {number}, which is no size: give a number")
        for area_px in (self.fill_holes_px, self.drop_specks_px):
            if not isinstance(area_px, int) or not 0 <= area_px <= MAX_AREA_PX:
                raise ValueError("areas of holes and specks are whole pixels, 0 or more: correct them")
        if abs(self.grow_px) > MAX_DISTANCE_PX:
            raise ValueError(f"a matte grows or shrinks by at most {MAX_DISTANCE_PX:g} pixels: use less")
        if not 0 <= self.feather_px <= MAX_DISTANCE_PX:
            raise ValueError(f"a feather is 0 to {MAX_DISTANCE_PX:g} pixels wide: correct it")
        if not 0 <= self.black < self.white <= 1:
            raise ValueError(
                f"levels need 0 <= black < white <= 1, got {self.black:g} and {self.white:g}: correct them"
            )
        if not MIN_GAMMA <= self.gamma <= MAX_GAMMA:
            raise ValueError(f"gamma lies between {MIN_GAMMA:g} and {MAX_GAMMA:g}: correct it")
        if not 0 <= self.calm <= 1:
            raise ValueError(f"calm lies between 0 and 1, got {self.calm:g}: correct it")

    @property
    def is_plain(self) -> bool:
        """True when nothing differs from the defaults."""
        return self == MatteSettings()
