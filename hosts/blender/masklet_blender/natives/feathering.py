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

    from .coordinates import MaskSpace

    _Item = TypeVar("_Item")

_Numbers = tuple[float, ...]
"""A vertex as :meth:`masklet.shapes.BezierVertex.as_tuple` gives it."""

DrawnVertex = tuple[float, float, float, float, float, float, float]
"""x and y from the top left, both handles relative to it, and how far it fades outwards; in square pixels."""

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
_QUARTERS = (
    (54 / 64, 10 / 64, 27 / 64, 9 / 64, 9 / 16, 6 / 16, 1 / 16, 3 / 4),
    (10 / 64, 54 / 64, 9 / 64, 27 / 64, 1 / 16, 6 / 16, 9 / 16, 1 / 4),
)
"""For the points a quarter from either end of a cubic: the shares of start, end, first and second handle in
their place; of the control polygon's three sides in their direction; of the start in what is mixed."""
_FLAT_PX = 0.25
"""Handles that lie nearer to the chord than this cannot do much: their lengths need not be exact."""
_STIFFNESS_PX2 = 0.01
"""How much handles resist a length other than the chord's."""
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


def drawn_path(vertices: Sequence[BezierVertex], space: MaskSpace) -> list[DrawnVertex]:
    """The path to draw so that coverage is one half where ``vertices`` have their edge.

    The path moves inwards by half its soft band. Where the band is wider than the object itself the path
    moves as far as it can, and the band still ends where it should. What runs along the border of the picture
    stays there: the object goes on outside.

    Args:
        vertices: Of a closed path that runs clockwise on screen, in the plate's stored pixels.
        space: Gives the lengths of the answer, which are those of square pixels.
    """
    aspect = space.raster.pixel_aspect
    path = [vertex.as_tuple() for vertex in vertices]
    if aspect != 1.0:
        path = [
            (x * aspect, y, in_x * aspect, in_y, out_x * aspect, out_y, feather)
            for x, y, in_x, in_y, out_x, out_y, feather in path
        ]
    doubled_area, length_px = _extent(path)
    steps = _steps_inwards(path, space)
    narrowest = _MARGIN * space.unit / min(space.width_px, space.height_px)
    feathers = [vertex[6] for vertex in path]
    if aspect != 1.0:
        feathers = [_band_in_square_pixels(band, step, aspect) for band, step in zip(feathers, steps)]
    bands = [max(band, narrowest) / 2 for band in feathers]
    deepest = _DEEPEST * abs(doubled_area) / 2 / max(length_px, _TINY_PX)
    depths = [min(band, deepest) for band in bands]
    ways = [depth - cut for depth, cut in zip(depths, _cut_by_chords(path, _CHORD_PX * aspect))]
    moved = [
        (x + step_x * way, y + step_y * way) for (x, y, *_), (step_x, step_y), way in zip(path, steps, ways)
    ]
    kept = [
        _kept_lengths(here, after, start, end, way, next_way)
        for here, after, start, end, way, next_way in zip(
            path, _next(path), moved, _next(moved), ways, _next(ways)
        )
    ]
    return [
        (x, y, in_x * before, in_y * before, out_x * after, out_y * after, depth + band)
        for (x, y), (_, _, in_x, in_y, out_x, out_y, _), depth, band, (_, before), (after, _) in zip(
            moved, path, depths, bands, _previous(kept), kept
        )
    ]


def _kept_lengths(
    here: _Numbers,
    after: _Numbers,
    start: tuple[float, float],
    end: tuple[float, float],
    way: float,
    next_way: float,
) -> tuple[float, float]:
    """How much of their lengths a stretch's two handles keep when it moves inwards.

    Least squares: so much that the points a quarter from either end move inwards like the ends; where handles
    cannot move these points, on straight stretches, they shrink as the chord does.
    """
    x, y, _, _, out_x, out_y, _ = here
    next_x, next_y, in_x, in_y, _, _, _ = after
    chord_x, chord_y = next_x - x, next_y - y
    inner_x, inner_y = chord_x + in_x - out_x, chord_y + in_y - out_y
    chord = math.hypot(chord_x, chord_y)
    shrunk = math.hypot(end[0] - start[0], end[1] - start[1]) / chord if chord > _TINY_PX else 1.0
    flat = _FLAT_PX * chord
    if abs(out_x * chord_y - out_y * chord_x) < flat and abs(in_x * chord_y - in_y * chord_x) < flat:
        return (shrunk, shrunk)
    first_first = second_second = _STIFFNESS_PX2
    first_second = first_rest = second_rest = 0.0
    for near, far, first, second, leaving, between, arriving, early in _QUARTERS:
        along_x = leaving * out_x + between * inner_x - arriving * in_x
        along_y = leaving * out_y + between * inner_y - arriving * in_y
        along = math.hypot(along_x, along_y) or 1.0
        normal_x, normal_y = -along_y / along, along_x / along
        by_first = first * (out_x * normal_x + out_y * normal_y)
        by_second = second * (in_x * normal_x + in_y * normal_y)
        rest = (
            (near * (x - start[0]) + far * (next_x - end[0])) * normal_x
            + (near * (y - start[1]) + far * (next_y - end[1])) * normal_y
            + (1 - shrunk) * (by_first + by_second)
            + early * way
            + (1 - early) * next_way
        )
        first_first += by_first * by_first
        second_second += by_second * by_second
        first_second += by_first * by_second
        first_rest += by_first * rest
        second_rest += by_second * rest
    determinant = first_first * second_second - first_second * first_second
    one = shrunk + (first_rest * second_second - second_rest * first_second) / determinant
    two = shrunk + (second_rest * first_first - first_rest * first_second) / determinant
    return (min(max(one, shrunk / 2), shrunk * 2), min(max(two, shrunk / 2), shrunk * 2))


def _band_in_square_pixels(feather_px: float, inwards: tuple[float, float], aspect: float) -> float:
    """The width of a band that is so many stored pixels wide across the line."""
    across, down = inwards
    stored = math.hypot(across / aspect, down)
    return feather_px * math.hypot(across, down) / stored if stored > _TINY_PX else feather_px


def _steps_inwards(path: Sequence[_Numbers], space: MaskSpace) -> list[tuple[float, float]]:
    """Where each vertex of a clockwise path goes when the line moves inwards by one pixel."""
    hypot = math.hypot
    left = _BORDER_PX * space.raster.pixel_aspect
    right, bottom = space.width_px * space.raster.pixel_aspect - left, space.height_px - _BORDER_PX
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
        if left < x < right and _BORDER_PX < y < bottom:
            steps.append(_mitre((-in_x / in_px, -in_y / in_px), (out_x / out_px, out_y / out_px)))
        else:
            steps.append(
                _along_border(
                    (x - last_x, y - last_y),
                    (next_x - x, next_y - y),
                    beside=not left < x < right,
                    above_or_below=not _BORDER_PX < y < bottom,
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
    """A vertex on the border of the picture stays on it; where the line leaves the border it slides along.

    Asks where the neighbours lie, since handles of such a corner may point anywhere.
    """
    if beside and above_or_below:
        return (0.0, 0.0)
    axis = 0 if beside else 1
    across = max(
        (way[axis] / (math.hypot(*way) or 1.0) for way in (arriving, leaving)),
        key=abs,
    )
    if abs(across) < _STEEPEST:
        return (0.0, 0.0)
    return (0.0, 1.0 / across) if beside else (-1.0 / across, 0.0)


def _cut_by_chords(path: Sequence[_Numbers], chord_px: float) -> list[float]:
    """How far inside the line Blender's own runs at each vertex, since it draws chords of about four pixels.

    With n equal steps the chords of a cubic leave out the integral of B' x B'' over 12 n².
    """
    stretches = [_stretch(here, after) for here, after in zip(path, _next(path))]
    longest_px = max(length_px for length_px, _ in stretches)
    steps = min(max(int(longest_px / chord_px), _FEWEST_STEPS), _MOST_STEPS)
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
