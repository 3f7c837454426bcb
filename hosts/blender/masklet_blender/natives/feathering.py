"""Paths as Blender draws them, so that what it rasterises is what was meant.

Blender's soft band lies outside a path, ours on both sides of the edge, so a path moves inwards by half its
band. Blender fades a path that runs clockwise on screen; one that runs the other way is neither faded nor
smoothed. And it smooths every edge by a band of its own, outside the path, as wide as the picture's long side
measured in short ones: 1.78 pixels at 16:9. (Measured on renders of 3.4 to 5.2.)
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

    The path moves inwards by half its soft band, and its handles shrink with the distance of their vertices
    (W. Tiller and E. Hanson, Offsets of Two-Dimensional Profiles, 1984). Where the band is wider than the
    object itself the path moves as far as it can, and the band still ends where it should. What runs along
    the border of the picture stays there: the object goes on outside.

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
    right_px, bottom_px = width_px - _BORDER_PX, height_px - _BORDER_PX
    hypot = math.hypot
    depths: list[float] = []
    moved: list[tuple[float, float]] = []
    # One plain loop: a long shot has a hundred thousand vertices.
    for (last_x, last_y, *_), (x, y, in_x, in_y, out_x, out_y, feather), (next_x, next_y, *_) in zip(
        path[-1:] + path[:-1], path, path[1:] + path[:1]
    ):
        depth = min(max(feather, narrowest_px) / 2, deepest_px)
        depths.append(depth)
        in_px, out_px = hypot(in_x, in_y), hypot(out_x, out_y)
        if in_px < _TINY_PX:
            in_x, in_y = last_x - x, last_y - y
            in_px = hypot(in_x, in_y) or 1.0
        if out_px < _TINY_PX:
            out_x, out_y = next_x - x, next_y - y
            out_px = hypot(out_x, out_y) or 1.0
        along_x, along_y = out_x / out_px - in_x / in_px, out_y / out_px - in_y / in_px
        # Twice the cosine of half the corner's turn.
        size = hypot(along_x, along_y)
        if size > _TINY_PX:
            reach = inwards * depth / (size * max(size / 2, _SHARPEST_CORNER))
            if _BORDER_PX <= x <= right_px:
                x -= along_y * reach
            if _BORDER_PX <= y <= bottom_px:
                y += along_x * reach
        moved.append((x, y))
    shares = [
        hypot(next_moved[0] - here_moved[0], next_moved[1] - here_moved[1])
        / (hypot(after[0] - here[0], after[1] - here[1]) or 1.0)
        for here, after, here_moved, next_moved in zip(
            path, path[1:] + path[:1], moved, moved[1:] + moved[:1]
        )
    ]
    return [
        (
            x,
            y,
            in_x * before,
            in_y * before,
            out_x * after,
            out_y * after,
            depth + max(feather, narrowest_px) / 2,
        )
        for (x, y), (_, _, in_x, in_y, out_x, out_y, feather), depth, before, after in zip(
            moved, path, depths, shares[-1:] + shares[:-1], shares
        )
    ]


def _extent(path: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Twice the signed area of the control polygon, and the length of the vertices' polygon."""
    doubled_area = length_px = 0.0
    last_x, last_y, _, _, out_x, out_y, _ = path[-1]
    for x, y, in_x, in_y, next_out_x, next_out_y, _ in path:
        length_px += math.hypot(x - last_x, y - last_y)
        first_x, first_y, second_x, second_y = last_x + out_x, last_y + out_y, x + in_x, y + in_y
        doubled_area += (
            last_x * first_y
            - first_x * last_y
            + first_x * second_y
            - second_x * first_y
            + second_x * y
            - x * second_y
        )
        last_x, last_y, out_x, out_y = x, y, next_out_x, next_out_y
    return doubled_area, length_px
