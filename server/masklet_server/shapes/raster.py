"""Splines drawn as coverage: exact areas under the path, and a soft band where it is feathered.

Coverage is accumulated from signed areas, edge by edge and pixel by pixel, and summed along rows,
as font rasterisers do it; no pixel is sampled, so a path that lies a tenth of a pixel further to
the right also looks so.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.shapes import BezierVertex, ObjectShapes

_STEP_PX = 1.5
_MAX_STEPS = 64


def draw(shapes: ObjectShapes, frame: int, *, feathered: bool = True) -> NDArray[np.float32]:
    """The coverage of an object's splines on one frame, ``(height, width)``, 0 to 1.

    Pieces are drawn in their order: an outer path adds, a hole takes away. Not ``feathered``, all edges
    are hard, which is faster.
    """
    canvas = np.zeros((shapes.height_px, shapes.width_px), np.float32)
    (top, left), part = draw_part(shapes, frame, feathered=feathered)
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas


def draw_part(
    shapes: ObjectShapes, frame: int, *, feathered: bool = True
) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """What :func:`draw` gives without the empty part around it: its corner ``(top, left)`` and itself."""
    drawn = []
    for piece in shapes.visible_at(frame):
        points, feather_px = flatten(piece.path_at(frame))
        widths = feather_px if feathered else None
        drawn.append((piece.hole, *coverage(points, shapes.width_px, shapes.height_px, feather_px=widths)))
    top, left = (min((corner[axis] for _, corner, _ in drawn), default=0) for axis in (0, 1))
    bottom, right = (
        max((corner[axis] + covered.shape[axis] for _, corner, covered in drawn), default=0)
        for axis in (0, 1)
    )
    canvas = np.zeros((bottom - top, right - left), np.float32)
    for is_hole, corner, covered in drawn:
        row, column = corner[0] - top, corner[1] - left
        part = canvas[row : row + covered.shape[0], column : column + covered.shape[1]]
        if is_hole:
            part *= 1 - covered
        else:
            part += (1 - part) * covered
    return (top, left), canvas


def flatten(path: Sequence[BezierVertex]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points along a closed path, ``(n, 2)``, and the width of the soft band at each, ``(n,)``."""
    table = np.array([vertex.as_tuple() for vertex in path])  # (V, 7)
    start = table[:, 0:2]
    following = np.roll(table, -1, axis=0)
    end = following[:, 0:2]
    controls = np.stack([start, start + table[:, 4:6], end + following[:, 2:4], end], axis=1)  # (V, 4, 2)
    reach_px = np.linalg.norm(np.diff(controls, axis=1), axis=-1).sum(axis=1)
    steps = np.clip(np.ceil(reach_px / _STEP_PX), 1, _MAX_STEPS).astype(np.int64)
    segment = np.repeat(np.arange(len(path)), steps)
    u = (np.arange(len(segment)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[segment]
    weights = np.stack([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3], axis=-1)
    points = np.einsum("nk,nkc->nc", weights, controls[segment])
    feather_px = table[segment, 6] * (1 - u) + following[segment, 6] * u
    return points, feather_px


def coverage(
    points: NDArray[np.float64],
    width_px: int,
    height_px: int,
    *,
    feather_px: NDArray[np.float64] | None = None,
) -> tuple[tuple[int, int], NDArray[np.float32]]:
    """The coverage of a closed polygon, as the corner ``(top, left)`` of a part of the picture and that part.

    Args:
        points: ``(n, 2)`` in the plate's pixels; may lie outside the picture.
        width_px: Of the picture.
        height_px: Of the picture.
        feather_px: ``(n,)`` full width of the soft band at each point; None or zeros for hard.
    """
    margin_px = 1 + int(np.ceil(0.5 * feather_px.max())) if feather_px is not None else 1
    left, top = np.clip(np.floor(points.min(axis=0)) - margin_px, 0, (width_px, height_px)).astype(int)
    right, bottom = np.clip(np.ceil(points.max(axis=0)) + margin_px, 0, (width_px, height_px)).astype(int)
    local = points - (left, top)
    hard = _areas(local, int(right - left), int(bottom - top))
    if feather_px is not None and feather_px.max() > 0 and hard.size:
        hard = _softened(hard, local, feather_px)
    return (int(top), int(left)), hard


def _areas(points: NDArray[np.float64], columns: int, rows: int) -> NDArray[np.float32]:
    """Signed area per pixel of a polygon in a part of the picture, made positive and cut at 1."""
    if columns <= 0 or rows <= 0:
        return np.zeros((max(rows, 0), max(columns, 0)), np.float32)
    start, end = _chopped(points, np.roll(points, -1, axis=0))
    middle = 0.5 * (start + end)
    rise = end[:, 1] - start[:, 1]
    row = np.floor(middle[:, 1]).astype(np.int64)
    seen = (row >= 0) & (row < rows) & (rise != 0)
    # Left of the picture an edge covers whole rows; right of it, nothing.
    column = np.clip(np.floor(middle[:, 0]), -1, columns)[seen].astype(np.int64)
    to_the_right = np.where(column < 0, 1.0, np.where(column >= columns, 0.0, column + 1 - middle[seen, 0]))
    cell = row[seen] * (columns + 2) + np.maximum(column, 0)
    size = rows * (columns + 2)
    sums = np.bincount(cell, rise[seen] * to_the_right, size)
    sums += np.bincount(cell + 1, rise[seen] * (1 - to_the_right), size)
    signed = np.cumsum(sums.reshape(rows, columns + 2), axis=1)[:, :columns]
    return np.minimum(np.abs(signed), 1).astype(np.float32)


def _chopped(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges cut at every whole x and y, so that each part lies in one pixel."""
    for axis in (0, 1):
        low, high = np.minimum(start[:, axis], end[:, axis]), np.maximum(start[:, axis], end[:, axis])
        first = np.floor(low) + 1
        cuts = np.maximum(np.ceil(high) - first, 0).astype(np.int64)
        edge = np.repeat(np.arange(len(start)), cuts + 1)
        rank = np.arange(len(edge)) - np.repeat(np.cumsum(cuts + 1) - cuts - 1, cuts + 1)
        span = end - start
        backwards = span[edge, axis] < 0
        line = np.where(backwards, first[edge] + cuts[edge] - rank, first[edge] + rank - 1)
        length = np.where(span[edge, axis] == 0, 1.0, span[edge, axis])
        share = np.clip((line - start[edge, axis]) / length, 0, 1)
        share[rank == 0] = 0
        after = np.append(share[1:], 1.0)
        after[rank == cuts[edge]] = 1
        begin = start[edge] + share[:, None] * span[edge]
        start, end = begin, start[edge] + after[:, None] * span[edge]
    return start, end


def _softened(
    hard: NDArray[np.float32], points: NDArray[np.float64], feather_px: NDArray[np.float64]
) -> NDArray[np.float32]:
    """A linear ramp across the path where it is feathered, as wide as the nearest point asks."""
    rows, columns = hard.shape
    pixel = np.floor(points).astype(np.int64)
    near = np.all((pixel >= 0) & (pixel < (columns, rows)), axis=1)
    if not near.any():
        return hard
    marks = np.ones((rows, columns), np.uint8)
    marks[pixel[near, 1], pixel[near, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        marks, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    point_of_label = np.zeros(int(labels.max()) + 1, np.int64)
    point_of_label[labels[pixel[near, 1], pixel[near, 0]]] = np.flatnonzero(near)

    reach_px = 0.5 * float(feather_px.max()) + 2
    ys, xs = np.nonzero(cv2.dilate(1 - marks, _disc(reach_px)))
    nearest = point_of_label[labels[ys, xs]]
    along = np.roll(points, -1, axis=0)[nearest] - np.roll(points, 1, axis=0)[nearest]
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    offset = np.stack([xs + 0.5, ys + 0.5], axis=-1) - points[nearest]
    # The nearest marked point may be a step away along the path; only the part across the path counts,
    # except at the tips of corners, where the distance itself is right.
    across = np.abs(offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0]) / length
    beside = np.abs(np.einsum("nc,nc->n", offset, along)) / length
    distance_px = np.where(beside < 2, across, np.hypot(across, beside))
    signed_px = np.where(hard[ys, xs] >= 0.5, distance_px, -distance_px)
    width_px = feather_px[nearest]
    ramp = np.clip(0.5 + signed_px / np.maximum(width_px, 1e-6), 0, 1)
    soft = hard.copy()
    soft[ys, xs] = np.where(width_px > 1, ramp, hard[ys, xs])
    return soft


def _disc(radius_px: float) -> NDArray[np.uint8]:
    side = 2 * int(np.ceil(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
