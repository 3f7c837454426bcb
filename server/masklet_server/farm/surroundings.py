"""What an object and what lies around it look like where an artist prompted it, and how other frames compare.

Colours of the object and of a ring around it are counted on the prompted frames. A matte that slides off its
object, or takes in the ground, then holds colours that are the ring's and not the object's. It is the model
of foreground and background colours of graph cuts (Boykov and Jolly 2001), asked about whole mattes. Shape
letters: H and W are those of the small pictures that are compared.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_BINS = 8
_RING_SHARE = 0.4
"""Width of the ring, of the square root of the object's area."""
_MUCH = 2.0
"""So many times likelier around the object than on it."""
_FLOOR = 1e-3
_LEAST_PX = 20
_INSIDE = 0.5


class Surroundings:
    """Colours of one object and of what lies around it."""

    def __init__(self) -> None:
        self._on = np.zeros(_BINS**3)
        self._around = np.zeros(_BINS**3)
        self._table: NDArray[np.bool_] | None = None

    def learn(self, picture: NDArray[np.uint8], alpha: NDArray[np.float32]) -> None:
        """Count the colours of a prompted frame: ``(H, W, 3)`` RGB, and its matte ``(H, W)``."""
        inside = alpha > _INSIDE
        size = int(inside.sum())
        if size < _LEAST_PX:
            return
        reach = max(3, int(_RING_SHARE * size**0.5))
        flat = inside.astype(np.uint8)
        ring = (_grown(flat, reach) > 0) & (_grown(flat, 1) == 0)
        bins = _bins(picture)
        self._on += np.bincount(bins[inside], minlength=_BINS**3)
        self._around += np.bincount(bins[ring], minlength=_BINS**3)
        self._table = None

    def share(self, picture: NDArray[np.uint8], alpha: NDArray[np.float32]) -> float | None:
        """The share of a matte that looks like the surroundings; None where nothing was learnt."""
        inside = alpha > _INSIDE
        if not self._on.any() or not self._around.any() or int(inside.sum()) < _LEAST_PX:
            return None
        if self._table is None:
            self._table = _likely(self._around) > _MUCH * _likely(self._on)
        return float(self._table[_bins(picture)[inside]].mean())


def _grown(mask: NDArray[np.uint8], reach_px: int) -> NDArray[np.uint8]:
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)


def _bins(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The bin of each pixel, ``(H, W)``, in CIE Lab, where steps look alike."""
    parts = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.int64) // (256 // _BINS)
    return np.asarray((parts[..., 0] * _BINS + parts[..., 1]) * _BINS + parts[..., 2], np.int64)


def _likely(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each bin is; neighbours help each other, as light changes."""
    cube = counts.reshape(_BINS, _BINS, _BINS)
    for axis in range(3):
        padded = np.pad(cube, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
        low, middle, high = (np.take(padded, range(start, start + _BINS), axis=axis) for start in (0, 1, 2))
        cube = 0.25 * low + 0.5 * middle + 0.25 * high
    smooth = cube.ravel() + _FLOOR * counts.sum() / counts.size
    return np.asarray(smooth / smooth.sum(), np.float64)
