"""Splines that follow one object through a clip: values, and how they move between keyframes.

A shape is closed cubic Bezier paths in the plate's pixels (:mod:`masklet.types` states the
convention). A piece keeps the same vertices, in the same order, on every keyframe; between two
keyframes each number of each vertex runs by the piece's rule (:mod:`masklet.interpolation`; straight
unless it says otherwise), and outside the first and
the last keyframe the nearest one holds. Tangents are offsets from their vertex, so that a moved
vertex takes them along.

This module needs nothing but the standard library, so that writers of host formats can use it
inside a host application's interpreter (Python 3.9+).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.interpolation import Interpolation, weights

if TYPE_CHECKING:
    from masklet.types import FrameRange


@dataclass(frozen=True)
class BezierVertex:
    """One vertex of a closed path, with its two handles.

    The cubic from a vertex to the next has these control points: the vertex, the vertex plus its
    ``out`` offset, the next vertex plus its ``in`` offset, the next vertex.

    Attributes:
        x_px: Position from the left edge of the plate.
        y_px: Position from the top edge of the plate.
        in_dx_px: Handle towards the previous vertex, relative to this one.
        in_dy_px: Handle towards the previous vertex, relative to this one.
        out_dx_px: Handle towards the next vertex, relative to this one.
        out_dy_px: Handle towards the next vertex, relative to this one.
        feather_px: Full width of the soft band across the edge, centred on the path; 0 is hard.
    """

    x_px: float
    y_px: float
    in_dx_px: float = 0.0
    in_dy_px: float = 0.0
    out_dx_px: float = 0.0
    out_dy_px: float = 0.0
    feather_px: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in self.as_tuple()):
            raise ValueError(f"a vertex needs finite numbers, got {self.as_tuple()}")
        if self.feather_px < 0:
            raise ValueError(f"a feather is 0 or wider, got {self.feather_px}")

    def as_tuple(self) -> tuple[float, ...]:
        """The seven numbers in the order of the attributes."""
        return (
            self.x_px,
            self.y_px,
            self.in_dx_px,
            self.in_dy_px,
            self.out_dx_px,
            self.out_dy_px,
            self.feather_px,
        )


@dataclass(frozen=True)
class ShapeKey:
    """The whole path of a piece on one keyframe."""

    frame: int
    vertices: tuple[BezierVertex, ...]


@dataclass(frozen=True)
class Piece:
    """One closed path through its life: an outer contour, or a hole cut out of the object.

    Attributes:
        name: Unique in its object: ``piece 1``, ``hole 2``.
        hole: True where the path is taken away from what the pieces before it drew.
        visible: The frames on which the path is drawn, ascending, without overlap.
        keys: Ascending by frame, all with the same number of vertices.
        interpolation: How numbers run between keys. Nuke draws a curve for each visible range, so under its
            rule the keys of a range know nothing of those of another.
    """

    name: str
    hole: bool
    visible: tuple[FrameRange, ...]
    keys: tuple[ShapeKey, ...]
    interpolation: Interpolation = Interpolation.LINEAR

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError(f"'{self.name}' needs at least one keyframe")
        frames = [key.frame for key in self.keys]
        if frames != sorted(set(frames)):
            raise ValueError(f"'{self.name}' needs ascending keyframes, got {frames}")
        counts = {len(key.vertices) for key in self.keys}
        if len(counts) != 1 or min(counts) < 2:
            raise ValueError(
                f"'{self.name}' needs the same two or more vertices on every keyframe, got {sorted(counts)}"
            )
        spans = self.visible
        if any(spans[index].first <= spans[index - 1].last for index in range(1, len(spans))):
            raise ValueError(f"'{self.name}' needs ascending ranges that do not overlap, got {self.visible}")

    @property
    def vertex_count(self) -> int:
        """How many vertices the path has, on every frame."""
        return len(self.keys[0].vertices)

    def is_visible(self, frame: int) -> bool:
        """Whether the path is drawn on a frame."""
        return any(frame in span for span in self.visible)

    def path_at(self, frame: float) -> tuple[BezierVertex, ...]:
        """The path on any frame, interpolated; visibility is not asked."""
        keys = self._keys_around(frame)
        counted = weights([key.frame for key in keys], frame, self.interpolation)
        if len(counted) == 1:
            return keys[next(iter(counted))].vertices
        paths = [keys[index].vertices for index in counted]
        shares = tuple(counted.values())
        return tuple(_weighed(vertices, shares) for vertices in zip(*paths))  # noqa: B905 (Python 3.9)

    def _keys_around(self, frame: float) -> tuple[ShapeKey, ...]:
        """The keys of the curve that draws a frame: all, or under Nuke's rule those of one visible range."""
        if self.interpolation is Interpolation.LINEAR or not self.visible:
            return self.keys
        begun = [span for span in self.visible if span.first <= frame] or [self.visible[0]]
        return tuple(key for key in self.keys if key.frame in begun[-1]) or self.keys


@dataclass(frozen=True)
class ShapeReport:
    """What the splines achieved against the mattes they were made from.

    Attributes:
        tolerance_px: What was asked for.
        mean_iou: Over the frames; a frame that is empty in both counts as 1.
        worst_iou: The lowest of any frame.
        worst_frame: Where that was; None where no frame has a matte.
        largest_distance_px: The farthest any path lies from the contour it stands for, or that contour
            from it, on any frame.
        vertices: Of all pieces together.
        keyframes: Different frames that carry a key of any piece.
        frames: Frames that were given.
        interpolation: How the paths run between keys, and so what all distances were measured under.
        largest_between_keys_px: As the largest distance, on those frames only on which its piece has no key.
        left_out: Fragments and specks that were too small to become a piece, counted on each frame.
        gaps: Frames of the range without a matte, ascending: nothing is drawn there.
    """

    tolerance_px: float
    mean_iou: float
    worst_iou: float
    worst_frame: int | None
    largest_distance_px: float
    vertices: int
    keyframes: int
    frames: int
    left_out: int = 0
    gaps: tuple[FrameRange, ...] = ()
    interpolation: Interpolation = Interpolation.LINEAR
    largest_between_keys_px: float = 0.0


@dataclass(frozen=True)
class ObjectShapes:
    """All splines of one object, in the pixels of its plate.

    Attributes:
        name: The object's.
        width_px: Display window, which writers need where a tool counts from 0 to 1.
        height_px: Display window.
        pixel_aspect: Width of a pixel divided by its height.
        pieces: In the order in which they are drawn: outer paths add, holes take away, and an island
            in a hole comes after the hole. Empty where the object is never there.
        report: What was achieved.
    """

    name: str
    width_px: int
    height_px: int
    pixel_aspect: float
    pieces: tuple[Piece, ...]
    report: ShapeReport

    def visible_at(self, frame: int) -> tuple[Piece, ...]:
        """The pieces that are drawn on a frame."""
        return tuple(piece for piece in self.pieces if piece.is_visible(frame))


def _weighed(vertices: tuple[BezierVertex, ...], shares: tuple[float, ...]) -> BezierVertex:
    numbers = [
        sum(number * share for number, share in zip(column, shares))  # noqa: B905 (Python 3.9)
        for column in zip(*(vertex.as_tuple() for vertex in vertices))  # noqa: B905 (Python 3.9)
    ]
    # A smooth curve may swing below the narrowest key.
    numbers[-1] = max(numbers[-1], 0.0)
    return BezierVertex(*numbers)
