"""Guided filter: a plane as a local linear function of a picture's colours.

Source: K. He, J. Sun, X. Tang, "Guided Image Filtering" (PAMI 2013), in its colour form.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Coverage that varies less than this in a window has no edge there to explain.
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, eq=False)
class ColourFunction:
    """At every pixel a linear function of colour.

    Attributes:
        slopes: One ``(H, W)`` plane for each of red, green and blue.
        offset: ``(H, W)``.
        explained: ``(H, W)``, the share of variance that the function explains, 0 to 1.
    """

    slopes: tuple[Plane, Plane, Plane]
    offset: Plane
    explained: Plane

    def of(self, channels: tuple[Plane, Plane, Plane]) -> Plane:
        """The function's values ``(H, W)`` for red, green and blue of ``(H, W)`` each."""
        values = self.offset.copy()
        for slope, channel in zip(self.slopes, channels, strict=True):
            values += slope * channel
        return values

    def resized(self, size: tuple[int, int]) -> ColourFunction:
        """The same function on a grid of another width and height."""
        planes = (*self.slopes, self.offset, self.explained)
        red, green, blue, offset, explained = (enlarged(plane, size) for plane in planes)
        return ColourFunction((red, green, blue), offset, explained)


class Guide:
    """A picture prepared for fitting planes to its colours.

    Args:
        channels: Red, green and blue ``(H, W)``, 0 to 1.
        smoothness: Variance of colour below which differences are taken for grain.
    """

    def __init__(self, channels: tuple[Plane, Plane, Plane], smoothness: float) -> None:
        self.channels = channels
        self._smoothness = smoothness

    def fit(self, plane: Plane, radius_px: int) -> ColourFunction:
        """The linear function of colour that is nearest to the plane in the window around each pixel."""
        red, green, blue = self.channels
        means = [window_mean(channel, radius_px) for channel in self.channels]
        mean_r, mean_g, mean_b = means
        mean_plane = window_mean(plane, radius_px)
        # Covariance of the three channels, symmetric.
        rr = window_mean(red * red, radius_px) - mean_r * mean_r
        rg = window_mean(red * green, radius_px) - mean_r * mean_g
        rb = window_mean(red * blue, radius_px) - mean_r * mean_b
        gg = window_mean(green * green, radius_px) - mean_g * mean_g
        gb = window_mean(green * blue, radius_px) - mean_g * mean_b
        bb = window_mean(blue * blue, radius_px) - mean_b * mean_b
        with_r, with_g, with_b = (
            window_mean(channel * plane, radius_px) - mean * mean_plane
            for channel, mean in zip(self.channels, means, strict=True)
        )
        slope_r, slope_g, slope_b = solve_symmetric(
            (rr, rg, rb, gg, gb, bb), (with_r, with_g, with_b), smoothness=self._smoothness
        )
        offset = mean_plane - slope_r * mean_r - slope_g * mean_g - slope_b * mean_b
        variance = window_mean(plane * plane, radius_px) - mean_plane * mean_plane
        along = slope_r * with_r + slope_g * with_g + slope_b * with_b
        explained = np.clip(along / (variance + _LEAST_VARIANCE), 0.0, 1.0)
        # Every pixel lies in many windows; the mean of their functions is the filter's.
        return ColourFunction(
            slopes=(
                window_mean(slope_r, radius_px),
                window_mean(slope_g, radius_px),
                window_mean(slope_b, radius_px),
            ),
            offset=window_mean(offset, radius_px),
            explained=window_mean(np.asarray(explained, np.float32), radius_px),
        )


def smoothed_by_itself(plane: Plane, radius_px: int, *, variance: float) -> Plane:
    """The guided filter of a plane by itself: evens out what varies less than ``variance``, keeps edges."""
    mean = window_mean(plane, radius_px)
    varies = window_mean(plane * plane, radius_px)
    varies -= mean * mean
    slope = varies / (varies + np.float32(variance))
    mean *= 1.0 - slope
    return window_mean(slope, radius_px) * plane + window_mean(mean, radius_px)


def solve_symmetric(
    matrix: tuple[Plane, Plane, Plane, Plane, Plane, Plane],
    right: tuple[Plane, Plane, Plane],
    *,
    smoothness: float,
) -> tuple[Plane, Plane, Plane]:
    """Cramer's rule on the symmetric 3 x 3 system of every pixel at once.

    Args:
        matrix: The elements 00, 01, 02, 11, 12 and 22, ``(H, W)`` each.
        right: The right-hand side.
        smoothness: Added to the diagonal.
    """
    rr, rg, rb, gg, gb, bb = matrix
    own = np.float32(smoothness)
    rr, gg, bb = rr + own, gg + own, bb + own
    with_r, with_g, with_b = right
    rr_, rg_, rb_ = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    gg_, gb_, bb_ = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    # Positive by construction; rounding in flat areas is what the bound is for.
    scale = 1.0 / np.maximum(rr * rr_ + rg * rg_ + rb * rb_, own**3)
    return (
        (rr_ * with_r + rg_ * with_g + rb_ * with_b) * scale,
        (rg_ * with_r + gg_ * with_g + gb_ * with_b) * scale,
        (rb_ * with_r + gb_ * with_g + bb_ * with_b) * scale,
    )


def window_mean(plane: Plane, radius_px: int) -> Plane:
    """The mean of the square window around each pixel; the plane is mirrored at its border."""
    side_px = 2 * radius_px + 1
    return np.asarray(cv2.blur(plane, (side_px, side_px), borderType=cv2.BORDER_REFLECT), np.float32)


def reduced(plane: Plane, size: tuple[int, int]) -> Plane:
    """A plane on a coarser grid of this width and height, by averaging."""
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def enlarged(plane: Plane, size: tuple[int, int]) -> Plane:
    """A plane on a finer grid of this width and height, linearly."""
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)
