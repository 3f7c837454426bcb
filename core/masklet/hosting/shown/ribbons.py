"""A stroke while it is drawn, as a ribbon of the brush's width: covered once, it can be seen through."""

from __future__ import annotations

import math
from collections.abc import Sequence

Place = tuple[float, float]

_NEAREST = 0.25
"""Of the width: what lies closer than this to the place before it says nothing about the direction."""


def ribbon_of(points: Sequence[Place], width: float) -> list[Place]:
    """Corners of a strip of triangles along a stroke, left and right in turn; each end half a width longer.

    Args:
        points: Where the hand was, in order; one at least.
        width: Of the brush, in the same unit.
    """
    half = width / 2
    kept = [points[0]]
    for point in points[1:]:
        if math.dist(point, kept[-1]) > max(1e-6, width * _NEAREST):
            kept.append(point)
    ways = [_way(start, end) for start, end in zip(kept, kept[1:])] or [(1.0, 0.0)]  # noqa: B905, RUF007 (Python 3.9)
    first, last = ways[0], ways[-1]
    spine = [
        (kept[0][0] - first[0] * half, kept[0][1] - first[1] * half),
        *kept[1:-1],
        (kept[-1][0] + last[0] * half, kept[-1][1] + last[1] * half),
    ]
    corners: list[Place] = []
    for number, (x, y) in enumerate(spine):
        before, after = ways[max(0, number - 1)], ways[min(number, len(ways) - 1)]
        across = _way((0.0, 0.0), (before[0] + after[0], before[1] + after[1]))
        corners += [
            (x - across[1] * half, y + across[0] * half),
            (x + across[1] * half, y - across[0] * half),
        ]
    return corners


def _way(start: Place, end: Place) -> Place:
    """From one place to another, of length 1; to the right where they are the same."""
    length = math.dist(start, end)
    if length == 0.0:
        return (1.0, 0.0)
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
