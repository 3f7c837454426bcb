"""Paths as Blender draws them, so that what it rasterises is what was meant.

Blender's soft band lies outside a path, ours on both sides of the edge, so a path moves inwards by half its band. Blender
fades a path that runs clockwise on screen; one that runs the other way is neither faded nor smoothed. And it
smooths every edge by a band of its own, outside the path, as wide as the picture's long side measured in short ones:
1.78 pixels at 16:9. (Measured on renders of 3.4 to 5.2.)
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.shapes import BezierVertex

DrawnVertex = tuple[float, float, float, float, float, float, float]
"""The plate's x and y, both handles relative to it, and how far the path fades outwards; all in pixels."""

_SHARPEST_CORNER = 0.5
"""The cosine of half the turn beyond which a corner is not followed outwards: points would run far away."""
_DEEPEST = 0.9
"""How much of the path's half width the inner border may take; more would turn thin parts inside out."""
_MARGIN = 1.02
"""A band a little wider than Blender's own is left as it is."""
_BORDER_PX = 0.25
"""What lies nearer to the border of the picture than this lies on it."""
_TINY_PX = 1e-6


def runs_clockwise(vertices: Sequence[BezierVertex]) -> bool:
    """Whether a closed path runs clockwise on screen."""
    return _extent([vertex.as_tuple() for vertex in vertices])[0] >= 0


def turned(vertices: Sequence[BezierVertex]) -> list[BezierVertex]:
    """The same path, run through the other way."""
    return [
        replace(
            vertex,
            in_dx_px=vertex.out_dx_px,
            in_dy_px=vertex.out_dy_px,
            out_dx_px=vertex.in_dx_px,
            out_dy_px=vertex.in_dy_px,
        )
        for vertex in reversed(vertices)
    ]


def drawn_path(vertices: Sequence[BezierVertex], *, width_px: int, height_px: int) -> list[DrawnVertex]:
    """The path to draw so that coverage is one half where ``vertices`` have their edge.

    The path moves inwards by half its soft band, and its handles shrink with the distance of their vertices (W. Tiller and
    E. Hanson, Offsets of Two-Dimensional Profiles, 1984). Where the band is wider than the object itself the path
    moves as far as it can, and the band still ends where it should. What runs along the border of the picture stays
    there: the object goes on outside.

    Args:
        vertices: Of a closed path that runs clockwise on screen, in the plate's pixels.
        width_px: Of the plate.
        height_px: Of the plate.
    """
    narrowest_px = _MARGIN * max(width_px, height_px) / min(width_px, height_px)
    path = [vertex.as_tuple() for vertex in vertices]
    doubled_area, length_px = _extent(path)
    deepest_px = _DEEPEST * abs(doubled_area) / 2 / max(length_px, _TINY_PX)
    inwards = math.copysign(1.0, doubled_area)
    moved = []
    depths = []
    for index, (x, y, in_x, in_y, out_x, out_y, feather) in enumerate(path):
        depth = min(max(feather, narrowest_px) / 2, deepest_px)
        before, after = path[index - 1], path[(index + 1) % len(path)]
        arriving = _unit((-in_x, -in_y), (x - before[0], y - before[1]))
        leaving = _unit((out_x, out_y), (after[0] - x, after[1] - y))
        along_x, along_y = arriving[0] + leaving[0], arriving[1] + leaving[1]
        size = math.hypot(along_x, along_y)
        if size < _TINY_PX:
            moved.append((x, y))
        else:
            reach = inwards * depth / max(size / 2, _SHARPEST_CORNER) / size
            moved.append(
                (_inside(x, x - along_y * reach, width_px), _inside(y, y + along_x * reach, height_px))
            )
        depths.append(depth)
    shares = [_share(path, moved, index) for index in range(len(path))]
    return [
        (
            moved[index][0],
            moved[index][1],
            in_x * shares[index - 1],
            in_y * shares[index - 1],
            out_x * shares[index],
            out_y * shares[index],
            depths[index] + max(feather, narrowest_px) / 2,
        )
        for index, (_, _, in_x, in_y, out_x, out_y, feather) in enumerate(path)
    ]


def _extent(path: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Twice the signed area of the control polygon, and the length of the vertices' polygon."""
    doubled_area = length_px = 0.0
    for index, (x, y, in_x, in_y, out_x, out_y, _) in enumerate(path):
        last_x, last_y = path[index - 1][0], path[index - 1][1]
        length_px += math.hypot(x - last_x, y - last_y)
        corners = (
            (last_x + path[index - 1][4], last_y + path[index - 1][5]),
            (x + in_x, y + in_y),
            (x, y),
        )
        from_x, from_y = last_x, last_y
        for to_x, to_y in corners:
            doubled_area += from_x * to_y - to_x * from_y
            from_x, from_y = to_x, to_y
    return doubled_area, length_px


def _inside(at_px: float, moved_px: float, size_px: int) -> float:
    return at_px if at_px < _BORDER_PX or at_px > size_px - _BORDER_PX else moved_px


def _unit(vector: tuple[float, float], otherwise: tuple[float, float]) -> tuple[float, float]:
    for x, y in (vector, otherwise):
        size = math.hypot(x, y)
        if size > _TINY_PX:
            return (x / size, y / size)
    return (0.0, 0.0)


def _share(path: Sequence[Sequence[float]], moved: Sequence[tuple[float, float]], index: int) -> float:
    """How long the stretch after a vertex is once moved, as a share of what it was."""
    following = (index + 1) % len(path)
    before_px = math.hypot(path[following][0] - path[index][0], path[following][1] - path[index][1])
    if before_px < _TINY_PX:
        return 1.0
    return (
        math.hypot(moved[following][0] - moved[index][0], moved[following][1] - moved[index][1]) / before_px
    )
