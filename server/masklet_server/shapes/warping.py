"""The order in which the points of two closed lines correspond: dynamic time warping around the ring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.samples import Array, Samples, squared_distances

_NORMAL_WEIGHT = 2.0
_BORDER_COST = 4.0
_FAR_COST = 25.0
_STEP_COST = 0.35
_PLAIN_STEPS = 3


def warp(source: Samples, target: Samples) -> tuple[Array, Array]:
    """The first and last target sample of each source sample, ``(P, N)`` each, counted past the end."""
    pairs, count, _ = source.points.shape
    reach_px = 1.5 * np.maximum(source.step_px, target.step_px)
    cost = squared_distances(source.points, target.points)
    cost /= np.square(reach_px).astype(np.float32)[:, None, None]
    np.minimum(cost, _FAR_COST, out=cost)
    cost += _NORMAL_WEIGHT * (1 - source.normals @ target.normals.swapaxes(1, 2)).astype(np.float32)
    cost[source.border[:, :, None] != target.border[:, None, :]] += _BORDER_COST
    # The line is cut open where both sides agree best over a stretch.
    best = cost.min(axis=2)
    best = best + np.roll(best, 1, axis=1) + np.roll(best, -1, axis=1)
    start = best.argmin(axis=1)
    pair = np.arange(pairs)
    opposite = cost[pair, start].argmin(axis=1)
    ring = np.arange(count)
    rows = (start[:, None] + ring) % count
    columns = (opposite[:, None] + ring) % count
    cost = cost[pair[:, None, None], rows[:, :, None], columns[:, None, :]]

    low = np.zeros((pairs, count), np.int64)
    high = np.zeros((pairs, count), np.int64)
    arrival, came_down = _cheapest(cost)
    column = np.full(pairs, count - 1)
    for row in range(count - 1, -1, -1):
        high[:, row] = column
        low[:, row] = arrival[pair, row, column]
        column = low[:, row] - np.where(came_down[pair, row, low[:, row]], 0, 1)
        column = np.maximum(column, 0)
    # Back to the numbering of the samples; the row before the cut belongs to the round before.
    order = (ring[None] - start[:, None]) % count
    round_back = np.where(ring[None] < start[:, None], count, 0)
    low = np.take_along_axis(low, order, axis=1) + opposite[:, None] - round_back
    high = np.take_along_axis(high, order, axis=1) + opposite[:, None] - round_back
    return low.astype(np.float64), high.astype(np.float64)


def _cheapest(cost: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each cell, where its row was entered, and whether from above rather than from the left above."""
    pairs, count, _ = cost.shape
    arrival = np.zeros((pairs, count, count), np.int64)
    came_down = np.zeros((pairs, count, count), np.bool_)
    ring = np.arange(count)
    before = np.full((pairs, count), np.inf)
    for row in range(count):
        diagonal = np.concatenate([np.full((pairs, 1), 0.0 if row == 0 else np.inf), before[:, :-1]], axis=1)
        came_down[:, row] = before + _STEP_COST < diagonal
        entry = cost[:, row] + np.minimum(diagonal, before + _STEP_COST)
        along = np.cumsum(cost[:, row] + _STEP_COST, axis=1, dtype=np.float64)
        relative = entry - along
        lowest = np.minimum.accumulate(relative, axis=1)
        arrival[:, row] = np.maximum.accumulate(np.where(relative <= lowest, ring, 0), axis=1)
        before = lowest + along
    return arrival, came_down


def torn_share(
    low: Array, high: Array, source_border: NDArray[np.bool_], target_border: NDArray[np.bool_]
) -> Array:
    """Share of samples on both lines that share their counterpart with more than a few others."""
    pairs, count = low.shape
    spread = np.where(source_border, 0, np.maximum(high - low + 1 - _PLAIN_STEPS, 0)).sum(axis=1)
    torn = np.zeros(pairs)
    for pair in range(pairs):
        hits = np.bincount(np.mod(low[pair], count).astype(np.int64), minlength=count)
        crowded = np.where(target_border[pair], 0, np.maximum(hits - _PLAIN_STEPS, 0)).sum()
        torn[pair] = (spread[pair] + crowded) / (2 * count)
    return torn
