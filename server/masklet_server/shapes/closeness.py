"""How close splines keep to a matte, given how uncertain its edge is of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from masklet_server.shapes.life import Life
from masklet_server.shapes.samples import Array, quantile

CERTAIN_PX = 0.08
"""Edges that tremble by less are what rendering makes: a spline follows them wherever they go."""

CERTAIN_AT_BORDER_PX = 0.15
"""The same for pieces that reach the border of the frame. Where their outline meets it there is a corner, at
another place of the outline on each frame: followed less closely it comes out round, and the piece falls
short of the border."""

_MOST = 0.95
_OUTLYING = 3.0
_STRETCH_PX = 60.0
_SIGMA_OF_MEDIAN = 1.4826
_FOLLOWED = 6.0
"""Edges differ from frame to frame on every scale; this is found on the shortest."""
_LEAST_THICKNESS_SHARE = 1 / 45
"""Of a piece's area over its length: keeps what is left unfollowed near a hundredth of the area."""


def raggedness_px(lives: Sequence[Life]) -> float:
    """By how much an outline that is drawn anew on each frame differs from one that moves, in pixels.

    The standard deviation, robustly, of where points of the outline lie across it, judged by their second
    difference over three frames. What neighbours on the outline share is motion and is taken off. Rendered
    edges have a twentieth of a pixel, tracked mattes with refined edges a tenth and more, masks drawn by hand
    and enlarged a third to one.
    """
    rest = [_unshared(life) for life in lives if len(life.contours) >= 3]
    if not rest:
        return 0.0
    return _SIGMA_OF_MEDIAN * float(np.median(np.concatenate(rest))) / math.sqrt(6.0)


@dataclass(frozen=True)
class Closeness:
    """How close the paths of one piece keep to the matte.

    Attributes:
        limit_px: How far they may be off, on every frame.
        everywhere: True where all of a path keeps the limit; otherwise 95 % of it do, and the rest keeps
            three times as much, so that no vertex is spent on a notch that is there for one frame.
    """

    limit_px: float
    everywhere: bool

    def beyond(self, gaps_px: Array, limits_px: Array | float | None = None) -> Array:
        """By what factor each frame is beyond its limit, ``(F,)``, given distances ``(F, n)``.

        ``limits_px`` takes the place of this limit, frame by frame.
        """
        worst_px = gaps_px.max(axis=1)
        if not self.everywhere:
            worst_px = np.maximum(quantile(gaps_px, _MOST, axis=1), worst_px / _OUTLYING)
        return np.asarray(worst_px / (self.limit_px if limits_px is None else limits_px))


def closeness(life: Life, tolerance_px: float, ragged_px: float, size_px: tuple[float, float]) -> Closeness:
    """What the tolerance means for a life: an edge that is uncertain is not followed into its uncertainty.

    The share of the latter ends where it would cost a thin piece more than about a hundredth of its area.
    ``size_px`` is the picture's width and height, in the contours' coordinates.
    """
    if ragged_px < (CERTAIN_AT_BORDER_PX if _reaches_border(life, size_px) else CERTAIN_PX):
        return Closeness(tolerance_px, everywhere=True)
    thickness_px = float(np.median([abs(c.area_px) / c.length_px for c in life.contours]))
    wide_px = float(np.hypot(tolerance_px, _FOLLOWED * ragged_px))
    return Closeness(max(tolerance_px, min(wide_px, _LEAST_THICKNESS_SHARE * thickness_px)), everywhere=False)


def _reaches_border(life: Life, size_px: tuple[float, float]) -> bool:
    boxes = (contour.box for contour in life.contours)
    return any(bool((low <= 0).any() or (high >= size_px).any()) for low, high in boxes)


def _unshared(life: Life) -> Array:
    points = life.at(life.nodes)  # (F, M, 2)
    along = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    bend = points[:-2] - 2 * points[1:-1] + points[2:]
    across = bend[..., 0] * along[1:-1, :, 1] - bend[..., 1] * along[1:-1, :, 0]
    count = points.shape[1]
    spacing_px = float(life.lengths_px.mean()) / count
    half = int(np.clip(0.5 * _STRETCH_PX / spacing_px, 1, (count - 1) // 2))
    ring = np.concatenate([across[:, -half - 1 :], across, across[:, :half]], axis=1)
    sums = np.cumsum(ring, axis=1)
    shared = (sums[:, 2 * half + 1 :] - sums[:, : -2 * half - 1]) / (2 * half + 1)
    return np.asarray(np.abs(across - shared).ravel())
