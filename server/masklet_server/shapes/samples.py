"""Contours as evenly spaced points with normals, all of one count, so that pairs can be treated at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.contours import Contour

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Evenly spaced points along contours.

    Attributes:
        points: ``(P, N, 2)``.
        normals: ``(P, N, 2)``, pointing away from the object.
        border: ``(P, N)``, true where the contour runs on the border of the picture.
        step_px: ``(P,)`` length along the contour from point to point.
    """

    points: Array
    normals: Array
    border: NDArray[np.bool_]
    step_px: Array

    def __getitem__(self, which: slice) -> Samples:
        return Samples(self.points[which], self.normals[which], self.border[which], self.step_px[which])


def sampled(contours: Sequence[Contour], count: int, size_px: tuple[float, float]) -> Samples:
    """``count`` points on each contour of a picture of width and height ``size_px``."""
    lengths = np.array([contour.length_px for contour in contours])
    share = np.arange(count) / count
    points = np.stack([c.at(share * c.length_px) for c in contours])  # (P, N, 2)
    along = np.roll(points, -1, axis=1) - np.roll(points, 1, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    normals = np.stack([along[..., 1], -along[..., 0]], axis=-1)
    border = np.asarray(((points <= 0) | (points >= size_px)).any(axis=-1))
    return Samples(points, normals, border, lengths / count)


def squared_distances(a: Array, b: Array) -> NDArray[np.float32]:
    """Squared distances between all points of each pair, ``(P, n, 2)`` and ``(P, N, 2)`` to ``(P, n, N)``."""
    centre = b.mean(axis=1, keepdims=True)
    near, far = (a - centre).astype(np.float32), (b - centre).astype(np.float32)
    result = near @ far.swapaxes(1, 2)
    result *= -2
    result += np.square(near).sum(axis=-1)[..., None]
    result += np.square(far).sum(axis=-1)[:, None]
    return np.asarray(np.maximum(result, 0, out=result))


def quantile(values: Array, share: float, axis: int) -> Array:
    """What ``numpy.quantile`` gives for one share of values without NaN, sooner where they are few."""
    place = (values.shape[axis] - 1) * share
    low = int(place)
    high = min(low + 1, values.shape[axis] - 1)
    sorted_there = np.partition(values, (low, high), axis=axis)
    below, above = sorted_there.take(low, axis), sorted_there.take(high, axis)
    return np.asarray(below + (above - below) * (place - low))
