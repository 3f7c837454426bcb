"""What a contour does as a whole from one frame to the next: shift, turn and growth.

Closest points, robustly weighted, brought onto each other's tangents (Chen and Medioni, 1991).
"""

from __future__ import annotations

import numpy as np

from masklet_server.shapes.samples import Array, Samples, squared_distances

_ROUNDS = 10
_WIDE_ROUNDS = 3
_NORMAL_WEIGHT = 2.0
_EVERY = 4


def similarity(source: Samples, target: Samples) -> tuple[Array, Array]:
    """The source's points moved as a whole, ``(P, N, 2)``, and the rotations, ``(P, 2, 2)``."""
    pairs = len(source.points)
    some = source.points[:, ::_EVERY]
    facing_out = source.normals[:, ::_EVERY]
    weight = np.where(source.border[:, ::_EVERY], 0.02, 1.0)
    linear = np.broadcast_to(np.eye(2), (pairs, 2, 2)).copy()
    shift = target.points.mean(axis=1) - source.points.mean(axis=1)
    spread = some - some.mean(axis=1, keepdims=True)
    size_px = np.sqrt(np.square(spread).sum(axis=-1).mean(axis=1))
    for round_number in range(_ROUNDS):
        moved = some @ linear.swapaxes(1, 2) + shift[:, None]
        normals = facing_out @ linear.swapaxes(1, 2)
        reach_px = size_px * (0.3 if round_number < _WIDE_ROUNDS else 0.1)
        cost = squared_distances(moved, target.points)
        cost /= np.square(reach_px).astype(np.float32)[:, None, None]
        cost -= _NORMAL_WEIGHT * (normals @ target.normals.swapaxes(1, 2)).astype(np.float32)
        nearest = cost.argmin(axis=2)[..., None]
        goal = np.take_along_axis(target.points, nearest, axis=1)
        facing = np.take_along_axis(target.normals, nearest, axis=1)
        gap_px = ((goal - moved) * facing).sum(axis=-1)
        scale_px = 2.5 * np.median(np.abs(gap_px), axis=1, keepdims=True) + 0.25
        trust = weight / (1 + np.square(gap_px / scale_px)) ** 2
        turn, way = _step(moved, goal, facing, trust)
        linear = turn @ linear
        shift = (turn @ shift[..., None])[..., 0] + way
    moved = source.points @ linear.swapaxes(1, 2) + shift[:, None]
    scale = np.sqrt(np.maximum(np.linalg.det(linear), 1e-6))[:, None, None]
    return moved, linear / scale


def _step(points: Array, goal: Array, normals: Array, trust: Array) -> tuple[Array, Array]:
    """The similarity, as a matrix and a shift, that brings points nearer to lines through their goals."""
    centre = (points * trust[..., None]).sum(axis=1) / trust.sum(axis=1)[:, None]
    local = points - centre[:, None]  # (P, n, 2)
    size_px = np.sqrt((np.square(local).sum(axis=-1) * trust).sum(axis=1) / trust.sum(axis=1)) + 1e-6
    local = local / size_px[:, None, None]
    # Unknown: shift in x, in y, growth, turn; the last two in pixels at the object's size.
    growing = (local * normals).sum(axis=-1)
    turning = local[..., 0] * normals[..., 1] - local[..., 1] * normals[..., 0]
    rows = np.stack([normals[..., 0], normals[..., 1], growing, turning], axis=-1)  # (P, n, 4)
    gap = ((goal - points) * normals).sum(axis=-1)
    weighted = (rows * trust[..., None]).swapaxes(1, 2)
    # A circle does not tell its rotation: then it does not rotate.
    left = weighted @ rows + np.eye(4) * (1e-3 * trust.sum(axis=1))[:, None, None]
    found = np.linalg.solve(left, weighted @ gap[..., None])[..., 0]
    growth, turn = 1 + found[:, 2] / size_px, found[:, 3] / size_px
    linear = np.stack([np.stack([growth, -turn], axis=-1), np.stack([turn, growth], axis=-1)], axis=1)
    return linear, centre - (linear @ centre[..., None])[..., 0] + found[:, :2]
