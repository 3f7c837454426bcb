"""How soft a matte is across its edge, as the width of the ramp that a feather should have."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.contours import Contour
from masklet_server.shapes.samples import Array

_REACH_PX = 20
_POINT_PX = 6.0
_MAX_POINTS = 200
_RELAPSE = 0.06
# What a hard edge measures: its pixels are partly covered, and reading between pixels widens that.
_HARD_PX = 1.8


def ramp_px(alpha: NDArray[np.float32] | NDArray[np.uint8], contour: Contour) -> Array:
    """Full width of the soft band at evenly spaced points of a contour, ``(n,)``; 0 where it is hard.

    A linear ramp of width w has an integral of 4 a (1 - a) of two thirds of w, whatever the pixels do to it;
    on either side the integral ends where the coverage turns round, at the next edge.
    """
    count = int(np.clip(contour.length_px / _POINT_PX, 8, _MAX_POINTS))
    arcs = np.arange(count) / count * contour.length_px
    points = contour.at(arcs)
    along = contour.at(arcs + 1.5) - contour.at(arcs - 1.5)
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=-1)
    steps = np.arange(-_REACH_PX, _REACH_PX + 1)
    places = points[:, None] + normal[:, None] * steps[None, :, None] - 0.5  # (n, steps, 2)
    low = np.floor(places.min(axis=(0, 1))).astype(int)
    high = np.ceil(places.max(axis=(0, 1))).astype(int) + 2
    left, top = np.clip(low, 0, (alpha.shape[1] - 1, alpha.shape[0] - 1))
    crop = alpha[top : max(high[1], top + 1), left : max(high[0], left + 1)].astype(np.float32)
    local = (places - (left, top)).astype(np.float32)
    read = cv2.remap(crop, local[..., 0], local[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = read.astype(np.float64) / (255 if alpha.dtype == np.uint8 else 1)

    outward = profile[:, _REACH_PX:]
    inward = profile[:, _REACH_PX::-1]
    falling = outward <= np.minimum.accumulate(outward, axis=1) + _RELAPSE
    rising = inward >= np.maximum.accumulate(inward, axis=1) - _RELAPSE
    width_px = 1.5 * (_integral(outward, falling) + _integral(inward, rising))
    soft_px = np.sqrt(np.maximum(np.square(width_px) - _HARD_PX**2, 0))
    return np.asarray(np.where(soft_px > 1, soft_px, 0.0))


def _integral(side: Array, same_edge: NDArray[np.bool_]) -> Array:
    valid = np.logical_and.accumulate(same_edge, axis=1)
    bump = np.where(valid, 4 * side * (1 - side), 0.0)
    return np.asarray(bump.sum(axis=1) - 0.5 * bump[:, 0])
