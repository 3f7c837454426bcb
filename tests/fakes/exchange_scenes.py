"""Scenes to export, and a rasteriser that draws closed Bezier paths whatever tool they came back from."""

from __future__ import annotations

import math

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack, Corners
from masklet.exchange.scene import ExchangeScene, MatteSequence
from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import ClipInfo, FrameRange, Presence, StateRange

WIDTH_PX, HEIGHT_PX = 640, 360
CLIP = ClipInfo("shot_010", WIDTH_PX, HEIGHT_PX, -3, 8, frames_per_s=25.0)
WRITTEN = (FrameRange(-2, 2), FrameRange(5, 7))
"""Frames that have a matte file."""
REPORT = ShapeReport(1.0, 0.99, 0.98, 1, 0.9, 8, 3, 12)

Vertex = tuple[float, float, float, float, float, float]
"""x, y, and both handles relative to it, in the plate's pixels."""


def ellipse(centre: tuple[float, float], radii: tuple[float, float], turn_deg: float = 0.0) -> ShapeKey:
    """Four vertices with the handles that make a circle, on frame 0; turned and stretched."""
    handle = 4 / 3 * math.tan(math.pi / 8)
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))

    def placed(x: float, y: float) -> tuple[float, float]:
        x, y = x * radii[0], y * radii[1]
        return x * cos - y * sin, x * sin + y * cos

    vertices = []
    for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        at, out = placed(x, y), placed(-y * handle, x * handle)
        vertices.append(
            BezierVertex(centre[0] + at[0], centre[1] + at[1], -out[0], -out[1], out[0], out[1], 3.0)
        )
    return ShapeKey(0, tuple(vertices))


def at_frame(key: ShapeKey, frame: int) -> ShapeKey:
    return ShapeKey(frame, key.vertices)


def scene() -> ExchangeScene:
    """A turning ring with an island in its hole, away for two frames; a second piece; anchors; states."""
    outer = Piece(
        "piece 1",
        False,
        (FrameRange(-3, 2), FrameRange(5, 8)),
        (
            at_frame(ellipse((200, 150), (90, 60)), -3),
            at_frame(ellipse((260, 180), (80, 70), 20), 2),
            at_frame(ellipse((400, 200), (90, 50), 45), 8),
        ),
    )
    second = Piece("piece 2", False, (FrameRange(0, 8),), (at_frame(ellipse((80, 300), (40, 20)), 0),))
    hole = Piece(
        "hole 1",
        True,
        (FrameRange(-3, 2),),
        (at_frame(ellipse((200, 150), (30, 20)), -3), at_frame(ellipse((262, 182), (25, 25)), 2)),
    )
    island = Piece("piece 3", False, (FrameRange(-3, 2),), (at_frame(ellipse((230, 165), (8, 6)), -3),))
    shapes = ObjectShapes('héro {1} "a"', WIDTH_PX, HEIGHT_PX, 1.0, (outer, second, hole, island), REPORT)
    return ExchangeScene(
        clip=CLIP,
        shapes=(shapes,),
        anchors=(similarity(), position()),
        mattes=(MatteSequence("50%_d [a]", "shot_mattes.%04d.exr", WRITTEN, ("hero",)),),
        states=(
            StateRange(1, FrameRange(-3, 2), Presence.PRESENT, prompted=True, locked=True),
            StateRange(1, FrameRange(3, 4), Presence.ABSENT, prompted=False),
        ),
        object_names=((1, "hero"),),
    )


def similarity() -> AnchorTrack:
    corners: Corners = ((100.0, 80.0), (220.0, 80.0), (220.0, 200.0), (100.0, 200.0))
    keys = []
    for frame in range(-3, 9):
        moved = tuple((x + 7.5 * frame, y - 2.25 * frame) for x, y in corners)
        keys.append(
            AnchorKey(
                frame,
                160.0 + 7.5 * frame,
                140.0 - 2.25 * frame,
                rotation_deg=4.5 * frame,
                scale_x=1 + 0.01 * frame,
                scale_y=1 + 0.01 * frame,
                corners=(moved[0], moved[1], moved[2], moved[3]),
                confidence=0.75,
            )
        )
    return AnchorTrack("hero similarity", "hero", AnchorKind.SIMILARITY, 0, tuple(keys))


def position() -> AnchorTrack:
    keys = tuple(AnchorKey(frame, 12.5 + frame, 30.0) for frame in (-1, 0, 4))
    return AnchorTrack("hero top", "hero", AnchorKind.TOP, 0, keys)


_NUMBERS = st.floats(-3000, 6000, allow_nan=False, width=32)
_VERTICES = st.builds(BezierVertex, *([_NUMBERS] * 6), st.floats(0, 50, width=32))


_STRAIGHT = st.just(Interpolation.LINEAR)


@st.composite
def random_shapes(draw: st.DrawFn, rules: st.SearchStrategy[Interpolation] = _STRAIGHT) -> ObjectShapes:
    """Any shapes that the values allow, on the frames of :data:`CLIP`."""
    pieces = []
    rule = draw(rules)
    for number in range(draw(st.integers(1, 3))):
        count = draw(st.integers(2, 6))
        frames = sorted(draw(st.sets(st.integers(-3, 8), min_size=1, max_size=4)))
        path = st.lists(_VERTICES, min_size=count, max_size=count).map(tuple)
        keys = tuple(ShapeKey(frame, draw(path)) for frame in frames)
        ends = sorted(draw(st.sets(st.integers(-3, 8), min_size=2, max_size=4)))
        visible = tuple(FrameRange(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False))
        if rule is Interpolation.NUKE_SMOOTH:
            # As they are fitted: each visible range begins and ends with a key.
            edges = {edge for span in visible for edge in (span.first, span.last)}
            keys = tuple(
                ShapeKey(frame, draw(path)) for frame in sorted({*edges, *(key.frame for key in keys)})
            )
        pieces.append(Piece(f"p{number}", draw(st.booleans()), visible, keys, rule))
    return ObjectShapes("any", WIDTH_PX, HEIGHT_PX, 1.0, tuple(pieces), REPORT)


@st.composite
def random_tracks(draw: st.DrawFn) -> AnchorTrack:
    """Any anchor that the values allow, on the frames of :data:`CLIP`."""
    numbers = st.floats(-3000, 6000, allow_nan=False, width=32)
    shares, sizes = st.floats(0, 1, width=32), st.floats(0.015625, 64, width=32)
    corner = st.tuples(numbers, numbers)
    corners = st.tuples(corner, corner, corner, corner) if draw(st.booleans()) else st.none()
    kind = draw(st.sampled_from([AnchorKind.TOP, AnchorKind.SIMILARITY, AnchorKind.PLANAR]))
    frames = sorted(draw(st.sets(st.integers(-3, 8), min_size=1, max_size=6)))
    keys = tuple(
        AnchorKey(
            frame,
            draw(numbers),
            draw(numbers),
            rotation_deg=draw(numbers),
            scale_x=draw(sizes),
            scale_y=draw(sizes),
            corners=draw(corners),
            confidence=draw(shares),
            weight=draw(shares),
        )
        for frame in frames
    )
    return AnchorTrack("any anchor", "any", kind, draw(st.sampled_from(frames)), keys)


def widest_feathers_px(shapes: ObjectShapes, frame: int) -> list[float]:
    """Of the pieces drawn on a frame, in their order: the softest vertex of any key that draws them."""
    return [widest_feather_of_px(piece) for piece in shapes.visible_at(frame)]


def widest_feather_of_px(piece: Piece) -> float:
    """The softest vertex on the ends of the piece's ranges and on the keys within."""
    edges = {edge for span in piece.visible for edge in (span.first, span.last)}
    drawn = edges | {key.frame for key in piece.keys if piece.is_visible(key.frame)}
    return max(one.feather_px for each in drawn for one in piece.path_at(each))


def draw_paths(
    paths: list[tuple[bool, list[Vertex]]], *, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX
) -> NDArray[np.bool_]:
    """Closed paths that add, or take away where the first of a pair is True, one after the other."""
    matte = np.zeros((height_px, width_px), np.uint8)
    for hole, path in paths:
        polygon = np.round((sampled(path) - 0.5) * 256).astype(np.int32)
        cv2.fillPoly(matte, [polygon[:, None]], 0 if hole else 1, lineType=cv2.LINE_8, shift=8)
    return matte > 0


def sampled(path: list[Vertex], steps: int = 32) -> NDArray[np.float64]:
    """Points along a closed path, ``(vertices * steps, 2)``."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    points = []
    for one, two in zip(path, [*path[1:], path[0]], strict=True):
        a, d = np.array(one[:2]), np.array(two[:2])
        b, c = a + one[4:6], d + two[2:4]
        points.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
    return np.concatenate(points)


def expected_matte(shapes: ObjectShapes, frame: int) -> NDArray[np.bool_]:
    """What the values themselves say, drawn by the same rasteriser."""
    return draw_paths(true_paths(shapes, frame))


def true_paths(shapes: ObjectShapes, frame: int) -> list[tuple[bool, list[Vertex]]]:
    """The paths drawn on a frame in their order; True for those that take away."""
    return [
        (piece.hole, [_vertex(one) for one in piece.path_at(frame)]) for piece in shapes.visible_at(frame)
    ]


def _vertex(one: BezierVertex) -> Vertex:
    return (one.x_px, one.y_px, one.in_dx_px, one.in_dy_px, one.out_dx_px, one.out_dy_px)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    either = (a | b).sum()
    return float((a & b).sum() / either) if either else 1.0
