"""An object's splines in Blender's numbers, ready to be written: arithmetic alone, for any thread."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .coordinates import SQUARE_PIXELS, MaskRaster, MaskSpace
from .feathering import drawn_path, runs_clockwise, turned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.shapes import BezierVertex, ObjectShapes, Piece

    from .coordinates import FrameMap

_HALF_A_FRAME = 0.5


@dataclass(frozen=True)
class DrawnKey:
    """The path of one layer on one frame.

    Attributes:
        frame: Of the scene.
        centres: x and y of each point in mask space, one after the other.
        handles_in: The same for the handles towards the previous point; absolute, as Blender has them.
        handles_out: The same for the handles towards the next point.
        weights: How far each point fades outwards, in mask space.
    """

    frame: int
    centres: array[float]
    handles_in: array[float]
    handles_out: array[float]
    weights: array[float]


@dataclass(frozen=True)
class DrawnPiece:
    """One layer of a mask.

    Attributes:
        name: Of the piece.
        hole: Taken away from the layers before it.
        switches: Frame of the scene and opacity from there on, ascending.
        keys: Ascending, each with as many points.
    """

    name: str
    hole: bool
    switches: tuple[tuple[float, float], ...]
    keys: tuple[DrawnKey, ...]

    @property
    def point_count(self) -> int:
        """Points of the path, on every frame."""
        return len(self.keys[0].weights)


@dataclass(frozen=True)
class MaskDrawing:
    """All layers of an object's mask.

    Attributes:
        name: The object's.
        pieces: In the order in which they add and take away.
        first_frame: Of the scene: where the object is first drawn; 0 without pieces.
        last_frame: Where it is last drawn.
        pixel_aspect: Of the scene that renders it.
    """

    name: str
    pieces: tuple[DrawnPiece, ...]
    first_frame: int
    last_frame: int
    pixel_aspect: float


def drawing_of(shapes: ObjectShapes, frames: FrameMap, *, raster: MaskRaster = SQUARE_PIXELS) -> MaskDrawing:
    """What Blender needs of an object's splines; pieces that are never seen are left out.

    Args:
        shapes: In the plate's pixels and frames.
        frames: Where the plate lies in the scene.
        raster: From :func:`.masks.mask_raster`, for the scene that renders the mask.
    """
    space = MaskSpace(shapes.width_px, shapes.height_px, raster)
    pieces = [piece for piece in shapes.pieces if piece.visible]
    spans = [span for piece in pieces for span in piece.visible]
    return MaskDrawing(
        shapes.name,
        tuple(_piece(piece, space, frames) for piece in pieces),
        frames.scene_frame(min((span.first for span in spans), default=frames.plate_frame(0))),
        frames.scene_frame(max((span.last for span in spans), default=frames.plate_frame(0))),
        raster.pixel_aspect,
    )


def _piece(piece: Piece, space: MaskSpace, frames: FrameMap) -> DrawnPiece:
    # The same way round on all keys, whatever a path that crosses itself says on one of them.
    clockwise = runs_clockwise(piece.keys[0].vertices)
    keys = (
        _key(key.vertices if clockwise else turned(key.vertices), frames.scene_frame(key.frame), space)
        for key in piece.keys
    )
    return DrawnPiece(piece.name, piece.hole, _switches(piece, frames), tuple(keys))


def _key(vertices: Sequence[BezierVertex], frame: int, space: MaskSpace) -> DrawnKey:
    unit = space.unit
    left, top = space.corner
    centres, handles_in, handles_out, weights = array("f"), array("f"), array("f"), array("f")
    for x, y, in_x, in_y, out_x, out_y, fade in drawn_path(vertices, space):
        centres.extend((left + x / unit, top - y / unit))
        handles_in.extend((left + (x + in_x) / unit, top - (y + in_y) / unit))
        handles_out.extend((left + (x + out_x) / unit, top - (y + out_y) / unit))
        weights.append(fade / unit)
    return DrawnKey(frame, centres, handles_in, handles_out, weights)


def _switches(piece: Piece, frames: FrameMap) -> tuple[tuple[float, float], ...]:
    """When the layer is drawn. Switches lie between frames: motion blur looks to both sides of a frame."""
    switches: list[tuple[float, float]] = []
    for span in piece.visible:
        on = frames.scene_frame(span.first) - _HALF_A_FRAME
        off = frames.scene_frame(span.last) + _HALF_A_FRAME
        if not switches:
            switches.append((on - 1, 0.0))
        if switches[-1] == (on, 0.0):
            switches.pop()
        else:
            switches.append((on, 1.0))
        switches.append((off, 0.0))
    return tuple(switches)
