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
    from typing import TypeVar

    from masklet.shapes import BezierVertex

    _Item = TypeVar("_Item")

_Numbers = tuple[float, ...]
"""A vertex as :meth:`masklet.shapes.BezierVertex.as_tuple` gives it."""

DrawnVertex = tuple[float, float, float, float, float, float, float]
"""The plate's x and y, both handles relative to it, and how far the path fades outwards; all in pixels."""

_SHARPEST_CORNER = 0.5
"""The cosine of half the turn beyond which a corner is not followed outwards: points would run far away."""
_DEEPEST = 0.9
"""How much of the path's half width the inner border may take; more would turn thin parts inside out."""
_CHORD_PX = 4.0
_FEWEST_STEPS = 4
_MOST_STEPS = 32
"""Blender cuts every stretch of a path into as many steps as the longest has chords."""
_MARGIN = 1.02
"""A band a little wider than Blender's own is left as it is."""
_STEEPEST = 0.25
"""A line that leaves the border of the picture at less than this sine runs along it."""
_BORDER_PX = 0.75
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
    bands = [max(vertex[6], narrowest_px) / 2 for vertex in path]
    depths = [min(band, deepest_px) for band in bands]
    moved = [
        (x + step_x * (depth - cut), y + step_y * (depth - cut))
        for (x, y, *_), (step_x, step_y), depth, cut in zip(
            path, _steps_inwards(path, width_px, height_px), depths, _cut_by_chords(path)
        )
    ]
    shares = [
        math.hypot(next_moved[0] - here_moved[0], next_moved[1] - here_moved[1])
        / (math.hypot(after[0] - here[0], after[1] - here[1]) or 1.0)
        for here, after, here_moved, next_moved in zip(path, _next(path), moved, _next(moved))
    ]
    return [
        (x, y, in_x * before, in_y * before, out_x * after, out_y * after, depth + band)
        for (x, y), (_, _, in_x, in_y, out_x, out_y, _), depth, band, before, after in zip(
            moved, path, depths, bands, _previous(shares), shares
        )
    ]


def _steps_inwards(path: Sequence[_Numbers], width_px: int, height_px: int) -> list[tuple[float, float]]:
    """Where each vertex of a clockwise path goes when the line moves inwards by one pixel."""
    hypot = math.hypot
    right_px, bottom_px = width_px - _BORDER_PX, height_px - _BORDER_PX
    steps = []
    for (last_x, last_y, *_), (x, y, in_x, in_y, out_x, out_y, _), (next_x, next_y, *_) in zip(
        _previous(path), path, _next(path)
    ):
        in_px, out_px = hypot(in_x, in_y), hypot(out_x, out_y)
        if in_px < _TINY_PX:
            in_x, in_y = last_x - x, last_y - y
            in_px = hypot(in_x, in_y) or 1.0
        if out_px < _TINY_PX:
            out_x, out_y = next_x - x, next_y - y
            out_px = hypot(out_x, out_y) or 1.0
        arriving, leaving = (-in_x / in_px, -in_y / in_px), (out_x / out_px, out_y / out_px)
        if _BORDER_PX < x < right_px and _BORDER_PX < y < bottom_px:
            steps.append(_mitre(arriving, leaving))
        else:
            steps.append(
                _along_border(
                    arriving,
                    leaving,
                    beside=not _BORDER_PX < x < right_px,
                    above_or_below=not _BORDER_PX < y < bottom_px,
                )
            )
    return steps


def _mitre(arriving: tuple[float, float], leaving: tuple[float, float]) -> tuple[float, float]:
    along_x, along_y = arriving[0] + leaving[0], arriving[1] + leaving[1]
    # Twice the cosine of half the corner's turn; the mitre of a corner is longer than its sides' distance.
    size = math.hypot(along_x, along_y)
    reach = 0.0 if size < _TINY_PX else 1.0 / (size * max(size / 2, _SHARPEST_CORNER))
    return (-along_y * reach, along_x * reach)


def _along_border(
    arriving: tuple[float, float], leaving: tuple[float, float], *, beside: bool, above_or_below: bool
) -> tuple[float, float]:
    """A vertex on the border of the picture stays on it; where the line leaves the border it slides along."""
    if beside and above_or_below:
        return (0.0, 0.0)
    axis = 0 if beside else 1
    across = max(arriving[axis], leaving[axis], key=abs)
    if abs(across) < _STEEPEST:
        return (0.0, 0.0)
    return (0.0, 1.0 / across) if beside else (-1.0 / across, 0.0)


def _cut_by_chords(path: Sequence[_Numbers]) -> list[float]:
    """How far inside the line Blender's own runs at each vertex, since it draws chords of about four pixels.

    With n equal steps the chords of a cubic leave out the integral of B' x B'' over 12 n².
    """
    stretches = [_stretch(here, after) for here, after in zip(path, _next(path))]
    longest_px = max(length_px for length_px, _ in stretches)
    steps = min(max(int(longest_px / _CHORD_PX), _FEWEST_STEPS), _MOST_STEPS)
    cut = [bulge / (12 * steps**2) / max(length_px, 1.0) for length_px, bulge in stretches]
    return [(before + after) / 2 for before, after in zip(_previous(cut), cut)]


def _stretch(here: _Numbers, after: _Numbers) -> tuple[float, float]:
    """The length of a cubic's control polygon, and the integral of B' x B''."""
    x, y, _, _, first_x, first_y, _ = here
    next_x, next_y, in_x, in_y, _, _, _ = after
    last_x, last_y = -in_x, -in_y
    middle_x, middle_y = next_x - x - first_x - last_x, next_y - y - first_y - last_y
    length_px = math.hypot(first_x, first_y) + math.hypot(middle_x, middle_y) + math.hypot(last_x, last_y)
    bulge = 6 * (first_x * middle_y - middle_x * first_y + middle_x * last_y - last_x * middle_y)
    return length_px, bulge + 3 * (first_x * last_y - last_x * first_y)


def _extent(path: Sequence[_Numbers]) -> tuple[float, float]:
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


def _next(items: Sequence[_Item]) -> list[_Item]:
    """Around the ring: the item after each."""
    return [*items[1:], items[0]]


def _previous(items: Sequence[_Item]) -> list[_Item]:
    """Around the ring: the item before each."""
    return [items[-1], *items[:-1]]
