"""Anchors: keyframed transforms that follow an object, for effects to hang on.

Positions, corners and matrices are in the coordinates of :mod:`masklet.types`: stored pixels, y
downwards, pixel centres at half-integers. Rotation, scale and shear describe what the eye sees, so
they are measured in square pixels (x multiplied by the track's ``pixel_aspect``); a host that
unsqueezes the picture can use them as they are. A positive rotation turns the x axis towards the y
axis, which is clockwise on screen; hosts whose y grows upwards negate it. Rotations are continuous:
an object that turns twice ends at 720.

Standard library only: this also runs in a host application's interpreter (Python 3.9+).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from masklet.types import FrameRange

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
Matrix = tuple[float, float, float, float, float, float, float, float, float]


class AnchorKind(Enum):
    """What an anchor follows.

    The first five follow the matte's outline and give a position; ``box`` adds the bounding box's
    size and corners. The last four follow the surface inside the matte.
    """

    CENTROID = "centroid"
    TOP = "top"
    BOTTOM = "bottom"
    LEFT = "left"
    RIGHT = "right"
    BOX = "box"
    SIMILARITY = "similarity"
    AFFINE = "affine"
    PLANAR = "planar"
    POINT = "point"

    @property
    def follows_surface(self) -> bool:
        """True where the texture is tracked, False where only the matte's outline is read."""
        return self in (AnchorKind.SIMILARITY, AnchorKind.AFFINE, AnchorKind.PLANAR, AnchorKind.POINT)


class Absence(Enum):
    """What an anchor does while its object cannot be seen.

    Attributes:
        HOLD: Stays where the object was seen last.
        EXTRAPOLATE: Goes on as the object moved, slowing down; between two sightings it goes
            smoothly from the one to the other.
        FADE: Holds, and the weight falls to 0 within a few frames and rises again on return.
        CUT: Holds with weight 0.
    """

    HOLD = "hold"
    EXTRAPOLATE = "extrapolate"
    FADE = "fade"
    CUT = "cut"


@dataclass(frozen=True)
class AnchorKey:
    """Where an anchor is on one frame.

    Attributes:
        frame: The plate's own number.
        x_px: Where the anchor's position of the reference frame has gone.
        y_px: The same, from the top.
        rotation_deg: Since the reference frame; clockwise on screen is positive.
        scale_x: Since the reference frame, along the object's own x axis.
        scale_y: Along its y axis; equal to ``scale_x`` for a similarity.
        shear: Of an affine or planar track; 0 for the others. The linear part is
            ``rotation @ [[1, shear], [0, 1]] @ diag(scale_x, scale_y)``.
        corners: Top left, top right, bottom right, bottom left of the object's bounding box: for
            ``box`` the box of this frame, for surface tracks the box of the reference frame carried
            along. None for anchors that are only a position.
        matrix: Row by row, 3 x 3: takes stored pixels of the reference frame to this frame. None for
            anchors that are only a position.
        confidence: From 0 (a guess) to 1 (measured well).
        weight: How much of the effect should show, 0 to 1; below 1 only for fade and cut.
        jump_px: How far the anchor leaps on this frame from where it had been carried: above 0 only
            on the first frame after an absence, or where a lost surface was found again.
        held: True where the object was not seen and the anchor was carried over.
        keyed: True where the artist put the anchor by hand.
    """

    frame: int
    x_px: float
    y_px: float
    rotation_deg: float = 0.0
    scale_x: float = 1.0
    scale_y: float = 1.0
    shear: float = 0.0
    corners: Corners | None = None
    matrix: Matrix | None = None
    confidence: float = 1.0
    weight: float = 1.0
    jump_px: float = 0.0
    held: bool = False
    keyed: bool = False

    def __post_init__(self) -> None:
        numbers = [self.x_px, self.y_px, self.rotation_deg, self.scale_x, self.scale_y, self.shear]
        numbers.extend(self.matrix or ())
        for corner in self.corners or ():
            numbers.extend(corner)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"the anchor on frame {self.frame} has a value that is no finite number")
        if not (0.0 <= self.confidence <= 1.0 and 0.0 <= self.weight <= 1.0):
            raise ValueError(
                f"confidence and weight go from 0 to 1, got {self.confidence} and {self.weight} "
                f"on frame {self.frame}"
            )


class GapWay(Enum):
    """What an anchor did on frames on which its object was not seen."""

    HELD = "held"
    EXTRAPOLATED = "extrapolated"
    FADED = "faded"
    CUT = "cut"
    CARRIED = "carried"
    """There is no picture and no key: tools go straight from the key before to the key after."""


_WAYS = {
    Absence.HOLD: GapWay.HELD,
    Absence.EXTRAPOLATE: GapWay.EXTRAPOLATED,
    Absence.FADE: GapWay.FADED,
    Absence.CUT: GapWay.CUT,
}


@dataclass(frozen=True)
class AnchorGap:
    """Frames on which nothing was measured, and what the anchor did there."""

    frames: FrameRange
    way: GapWay


@dataclass(frozen=True)
class AnchorTrack:
    """An anchor over time.

    Attributes:
        name: For people and for hosts: "ball_similarity".
        object: Name of the object it follows.
        kind: What it follows.
        reference_frame: Where rotation is 0, scale is 1 and the matrix is the identity.
        keys: One a frame, ascending; frames without a picture have none.
        pixel_aspect: Width of a stored pixel divided by its height.
        absence: What it was asked to do while its object is not seen.
    """

    name: str
    object: str
    kind: AnchorKind
    reference_frame: int
    keys: tuple[AnchorKey, ...]
    pixel_aspect: float = 1.0
    absence: Absence = Absence.HOLD

    def __post_init__(self) -> None:
        frames = [key.frame for key in self.keys]
        if any(frames[i] <= frames[i - 1] for i in range(1, len(frames))):
            raise ValueError(f"the keys of anchor {self.name!r} must ascend by frame, one key a frame")
        if not (math.isfinite(self.pixel_aspect) and self.pixel_aspect > 0.0):
            raise ValueError(f"the pixel aspect must be above 0, got {self.pixel_aspect}")

    def key_at(self, frame: int) -> AnchorKey | None:
        """The key of ``frame``, or None where there is none."""
        low, high = 0, len(self.keys)
        while low < high:
            middle = (low + high) // 2
            if self.keys[middle].frame < frame:
                low = middle + 1
            else:
                high = middle
        return self.keys[low] if low < len(self.keys) and self.keys[low].frame == frame else None

    @property
    def gaps(self) -> tuple[AnchorGap, ...]:
        """Where nothing was measured, ascending, and what the anchor did there."""
        found: list[AnchorGap] = []
        before: int | None = None
        for key in self.keys:
            if before is not None and key.frame > before + 1:
                _grow(found, FrameRange(before + 1, key.frame - 1), GapWay.CARRIED)
            if key.held:
                _grow(found, FrameRange(key.frame, key.frame), _WAYS[self.absence])
            before = key.frame
        return tuple(found)

    @property
    def fades(self) -> bool:
        """True where the effect is not to show in full on every frame: an absence that fades or cuts."""
        return any(key.weight < 1.0 for key in self.keys)

    @property
    def is_animated_in_size(self) -> bool:
        """True where rotation, scale or shear carry information: more than a position."""
        return self.kind not in (
            AnchorKind.CENTROID,
            AnchorKind.TOP,
            AnchorKind.BOTTOM,
            AnchorKind.LEFT,
            AnchorKind.RIGHT,
            AnchorKind.POINT,
        )


def _grow(gaps: list[AnchorGap], frames: FrameRange, way: GapWay) -> None:
    """Add frames to the last gap, where they go on with it, or as one of their own."""
    if gaps and gaps[-1].way is way and gaps[-1].frames.last == frames.first - 1:
        gaps[-1] = AnchorGap(FrameRange(gaps[-1].frames.first, frames.last), way)
    else:
        gaps.append(AnchorGap(frames, way))
