"""Where the coverage crosses one half: closed contours with sub-pixel precision.

Marching squares between pixel centres (Lorensen and Cline's marching cubes, 1987, in two
dimensions), all cells at once, then one walk along the linked crossings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

LEVEL = 0.5

_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
_INSIDE_TL, _INSIDE_TR, _INSIDE_BR, _INSIDE_BL = 1, 2, 4, 8
# From which side of a cell to which, with the inside on the right hand, so that outer contours run
# clockwise on the screen and holes the other way. The two saddles are added where they are decided.
_STEPS = {
    _INSIDE_TL: (_TOP, _LEFT),
    _INSIDE_TR: (_RIGHT, _TOP),
    _INSIDE_BR: (_BOTTOM, _RIGHT),
    _INSIDE_BL: (_LEFT, _BOTTOM),
    _INSIDE_TL | _INSIDE_TR: (_RIGHT, _LEFT),
    _INSIDE_BL | _INSIDE_BR: (_LEFT, _RIGHT),
    _INSIDE_TL | _INSIDE_BL: (_TOP, _BOTTOM),
    _INSIDE_TR | _INSIDE_BR: (_BOTTOM, _TOP),
    15 - _INSIDE_BR: (_RIGHT, _BOTTOM),
    15 - _INSIDE_BL: (_BOTTOM, _LEFT),
    15 - _INSIDE_TL: (_LEFT, _TOP),
    15 - _INSIDE_TR: (_TOP, _RIGHT),
}
_SADDLE_TL_BR, _SADDLE_TR_BL = _INSIDE_TL | _INSIDE_BR, _INSIDE_TR | _INSIDE_BL


@dataclass(frozen=True, eq=False)
class Contour:
    """One closed line around or inside the object.

    Attributes:
        points: ``(n, 2)``, x and y in the plate's pixels, no point twice, the object on the right hand.
        area_px: Positive for outer contours, negative for holes.
        arc_px: ``(n + 1,)`` length along the line from the first point; the last entry is the whole.
    """

    points: NDArray[np.float64]
    area_px: float
    arc_px: NDArray[np.float64]

    @property
    def length_px(self) -> float:
        """Length of the line."""
        return float(self.arc_px[-1])

    @property
    def is_hole(self) -> bool:
        """Whether the object lies outside."""
        return self.area_px < 0

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """Centre of the enclosed area, ``(2,)``."""
        origin = self.points[0]
        x, y = self.path.real - origin[0], self.path.imag - origin[1]
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        moments = np.array([((x[:-1] + x[1:]) * cross).sum(), ((y[:-1] + y[1:]) * cross).sum()])
        return np.asarray(origin + moments / (6 * self.area_px))

    @cached_property
    def box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The upper left and the lower right corner, ``(2,)`` each."""
        return self.points.min(axis=0), self.points.max(axis=0)

    def at(self, arc_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points at lengths along the line, which may run past its end: ``(...)`` to ``(..., 2)``."""
        return np.interp(np.mod(arc_px, self.length_px), self.arc_px, self.path)[..., None].view(np.float64)

    @cached_property
    def path(self) -> NDArray[np.complex128]:
        """``(n + 1,)``, the points as x + iy and the first once more: one number a point to interpolate."""
        return np.concatenate([self.points, self.points[:1]]).view(np.complex128)[:, 0]


def contour_from_points(points: NDArray[np.float64]) -> Contour | None:
    """The contour through points in order; None where they enclose next to nothing."""
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    if len(points) < 3:
        return None
    x, y = (points - points[0]).T
    area_px = 0.5 * float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    if abs(area_px) < 1e-3:
        return None
    steps = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    return Contour(points, area_px, np.concatenate([[0.0], np.cumsum(steps)]))


def trace(alpha: NDArray[np.float32] | NDArray[np.uint8]) -> list[Contour]:
    """All contours of a matte, the largest enclosed area first.

    What lies beyond the border of the picture counts as outside, and there the contour runs on the
    border itself.

    Args:
        alpha: ``(H, W)`` coverage, 0 to 1 in float32 or 0 to 255 in uint8.
    """
    inside = alpha >= (128 if alpha.dtype == np.uint8 else LEVEL)
    left, top, columns, rows = cv2.boundingRect(inside.view(np.uint8))
    if not rows:
        return []
    left, top, right, bottom = left - 1, top - 1, left + columns + 1, top + rows + 1
    height_px, width_px = alpha.shape
    crop = alpha[max(top, 0) : bottom, max(left, 0) : right].astype(np.float32)
    if alpha.dtype == np.uint8:
        crop /= np.float32(255)
    else:
        crop = np.nan_to_num(crop)
    border = ((int(top < 0), int(bottom > height_px)), (int(left < 0), int(right > width_px)))
    crop = np.pad(crop, border)
    sources, targets = _links(crop)
    points = _on_frame(_crossings(sources, crop) + np.array([left, top]), width_px, height_px)
    contours = [contour_from_points(points[loop]) for loop in _loops(sources, targets)]
    return sorted((c for c in contours if c is not None), key=lambda c: -abs(c.area_px))


def _links(crop: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From which crossing to which: sorted ids, twice the index of a pixel plus 1 for downwards."""
    inside = (crop >= LEVEL).astype(np.uint8)
    codes = inside[:-1, :-1] | inside[:-1, 1:] << 1 | inside[1:, 1:] << 2 | inside[1:, :-1] << 3
    y, x = np.nonzero((codes > 0) & (codes < 15))
    code = codes[y, x].astype(np.int64)
    ambiguous = (code == _SADDLE_TL_BR) | (code == _SADDLE_TR_BL)
    filled = np.zeros(len(code), np.bool_)
    ya, xa = y[ambiguous], x[ambiguous]
    filled[ambiguous] = crop[ya, xa] + crop[ya, xa + 1] + crop[ya + 1, xa] + crop[ya + 1, xa + 1] >= 4 * LEVEL

    sources, targets = [], []
    for pattern, parts in _parts().items():
        wanted, is_filled = pattern
        chosen = (code == wanted) & (filled == is_filled)
        sides = _sides(y[chosen], x[chosen], crop.shape[1])
        for start, end in parts:
            sources.append(sides[start])
            targets.append(sides[end])
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.argsort(source)
    return source[order], target[order]


def _parts() -> dict[tuple[int, bool], list[tuple[int, int]]]:
    """The steps of each pattern of corners; a saddle's middle is filled or not."""
    parts = {(code, False): [step] for code, step in _STEPS.items()}
    parts[_SADDLE_TL_BR, False] = [_STEPS[_INSIDE_TL], _STEPS[_INSIDE_BR]]
    parts[_SADDLE_TL_BR, True] = [_STEPS[15 - _INSIDE_TR], _STEPS[15 - _INSIDE_BL]]
    parts[_SADDLE_TR_BL, False] = [_STEPS[_INSIDE_TR], _STEPS[_INSIDE_BL]]
    parts[_SADDLE_TR_BL, True] = [_STEPS[15 - _INSIDE_TL], _STEPS[15 - _INSIDE_BR]]
    return parts


def _sides(y: NDArray[np.int64], x: NDArray[np.int64], width_px: int) -> dict[int, NDArray[np.int64]]:
    pixel = y * width_px + x
    return {
        _TOP: 2 * pixel,
        _RIGHT: 2 * (pixel + 1) + 1,
        _BOTTOM: 2 * (pixel + width_px),
        _LEFT: 2 * pixel + 1,
    }


def _crossings(ids: NDArray[np.int64], crop: NDArray[np.float32]) -> NDArray[np.float64]:
    pixel, downwards = ids >> 1, ids & 1
    values = crop.ravel()
    here = values[pixel].astype(np.float64)
    there = values[pixel + np.where(downwards, crop.shape[1], 1)]
    share = (LEVEL - here) / (there - here)
    y, x = np.divmod(pixel, crop.shape[1])
    return np.stack([x + 0.5 + share * (1 - downwards), y + 0.5 + share * downwards], axis=-1)


def _on_frame(points: NDArray[np.float64], width_px: int, height_px: int) -> NDArray[np.float64]:
    """Crossings beyond the outermost pixel centres, put on the border, however soft the matte is there."""
    for axis, limit_px in enumerate((width_px, height_px)):
        column = points[:, axis]
        points[:, axis] = np.where(column < 0.5, 0.0, np.where(column > limit_px - 0.5, limit_px, column))
    return points


def _loops(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    following = np.searchsorted(sources, targets).tolist()
    loops = []
    for start in range(len(following)):
        if following[start] < 0:
            continue
        loop = []
        index = start
        # What was walked along leads nowhere any more.
        while (after := following[index]) >= 0:
            loop.append(index)
            following[index] = -1
            index = after
        loops.append(np.array(loop))
    return loops
