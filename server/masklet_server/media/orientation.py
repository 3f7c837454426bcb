"""How a movie wants its stored pictures to be held: the eight ways in which a rectangle lies upright."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType

from masklet.errors import ClipError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

# Of the larger entry of a row: what is smaller is rounding.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Orientation:
    """A mirroring and a turn, in this order.

    Attributes:
        mirrored: The stored picture is mirrored left to right.
        quarter_turns: Then it is turned clockwise so many times, 0 to 3.
    """

    mirrored: bool = False
    quarter_turns: int = 0

    @property
    def swaps_sides(self) -> bool:
        """True where a picture that is stored wide is shown high."""
        return self.quarter_turns % 2 == 1

    def upright(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The picture ``(h, w, C)`` as it is shown; ``(w, h, C)`` where sides are swapped."""
        if self.mirrored:
            picture = picture[:, ::-1]
        # NumPy turns counter-clockwise.
        return np.rot90(picture, -self.quarter_turns) if self.quarter_turns else picture


def orientation_of(frame: VideoFrame, *, name: str) -> Orientation:
    """What a decoded picture's display matrix asks for; a picture without one is upright.

    Args:
        frame: As it comes out of the decoder.
        name: Begins the sentence when it is refused.

    Raises:
        ClipError: It asks for something else than mirroring and quarter turns.
    """
    # Not ``frame.side_data``: the frame would keep what keeps the frame, and its picture would stay in memory
    # until the cyclic collector comes. Found by kind as well as by place, which its type does not tell.
    data: Any = SideDataContainer(frame).get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-arg]
    if data is None:
        return Orientation()
    return orientation_from(struct.unpack("=9i", bytes(data)[:36]), name=name)


def orientation_from(matrix: tuple[int, ...], *, name: str) -> Orientation:
    """What a display matrix asks for: nine numbers as in ISO/IEC 14496-12, section 8.2.2.

    Of ``a, b, u, c, d, v, …``: a stored point ``(x, y)``, y downwards, is shown at
    ``(a x + c y, b x + d y)``.
    How much it stretches is the pixel's aspect and not looked at here.

    Raises:
        ClipError: It shears, turns by other angles, or is a perspective.
    """
    a, b, u, c, d, v = matrix[:6]
    largest = max(map(abs, (a, b, c, d)))
    small = _TOLERANCE * largest
    if max(abs(a), abs(d)) <= small and min(abs(b), abs(c)) > small and not (u or v):
        # x' = c y, y' = b x: b > 0 > c is a quarter turn clockwise.
        if (b > 0) == (c > 0):
            return Orientation(mirrored=True, quarter_turns=3 if b > 0 else 1)
        return Orientation(quarter_turns=1 if b > 0 else 3)
    if max(abs(b), abs(c)) <= small and min(abs(a), abs(d)) > small and not (u or v):
        if (a > 0) == (d > 0):
            return Orientation(quarter_turns=0 if a > 0 else 2)
        return Orientation(mirrored=True, quarter_turns=0 if a < 0 else 2)
    angle_deg = math.degrees(math.atan2(b, a)) if largest else 0.0
    raise ClipError(
        f"{name} asks to be shown askew (turned by {angle_deg:.0f} degrees, or sheared): render it upright, "
        "or turned by 90, 180 or 270 degrees."
    )
