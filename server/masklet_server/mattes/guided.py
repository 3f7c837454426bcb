"""Guided filter: a plane as a local linear function of a picture's colours.

Source: K. He, J. Sun, X. Tang, "Guided Image Filtering" (PAMI 2013), in its colour form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.row_blocks import by_rows, each_of

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
        (values,) = by_rows(lambda *rows: (linear(*rows),), self.offset, *self.slopes, *channels, makes=1)
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
        # What is averaged: the channels, what is fitted, and their products.
        pairs: list[tuple[Plane, ...]] = [(each,) for each in (red, green, blue, plane)]
        pairs += [(red, red), (red, green), (red, blue), (green, green), (green, blue), (blue, blue)]
        pairs += [(red, plane), (green, plane), (blue, plane), (plane, plane)]
        means = each_of(lambda pair: window_mean(_product(*pair), radius_px), pairs)
        functions = by_rows(partial(_functions, smoothness=self._smoothness), *means, makes=5)
        # Every pixel lies in many windows; the mean of their functions is the filter's.
        slope_r, slope_g, slope_b, offset, explained = each_of(
            lambda function: window_mean(function, radius_px), functions
        )
        return ColourFunction((slope_r, slope_g, slope_b), offset, explained)


def _product(first: Plane, second: Plane | None = None) -> Plane:
    return first if second is None else first * second


def _functions(*means: Plane, smoothness: float) -> tuple[Plane, ...]:
    """Slopes, offset and explained share of each window, from its fourteen means."""
    mean_r, mean_g, mean_b, mean_plane, rr, rg, rb, gg, gb, bb, with_r, with_g, with_b, square = means
    # Covariance of the three channels, symmetric.
    rr, rg, rb = rr - mean_r * mean_r, rg - mean_r * mean_g, rb - mean_r * mean_b
    gg, gb, bb = gg - mean_g * mean_g, gb - mean_g * mean_b, bb - mean_b * mean_b
    with_r, with_g, with_b = (
        product - mean * mean_plane
        for product, mean in ((with_r, mean_r), (with_g, mean_g), (with_b, mean_b))
    )
    slope_r, slope_g, slope_b = solve_symmetric(
        (rr, rg, rb, gg, gb, bb), (with_r, with_g, with_b), smoothness=smoothness
    )
    offset = mean_plane - slope_r * mean_r - slope_g * mean_g - slope_b * mean_b
    variance = square - mean_plane * mean_plane
    along = slope_r * with_r + slope_g * with_g + slope_b * with_b
    explained = np.clip(along / (variance + _LEAST_VARIANCE), 0.0, 1.0)
    return slope_r, slope_g, slope_b, offset, np.asarray(explained, np.float32)


def linear(
    offset: Plane,
    slope_r: Plane,
    slope_g: Plane,
    slope_b: Plane,
    red: Plane,
    green: Plane,
    blue: Plane,
) -> Plane:
    """An offset and a multiple of each channel, added up in this order."""
    values = offset.copy()
    for slope, channel in ((slope_r, red), (slope_g, green), (slope_b, blue)):
        values += slope * channel
    return values


def smoothed_by_itself(plane: Plane, radius_px: int, *, variance: float) -> Plane:
    """The guided filter of a plane by itself: evens out what varies less than ``variance``, keeps edges."""

    def function(mean: Plane, square: Plane) -> tuple[Plane, Plane]:
        varies = square - mean * mean
        slope = np.asarray(varies / (varies + np.float32(variance)), np.float32)
        return slope, mean * (np.float32(1.0) - slope)

    means = each_of(lambda pair: window_mean(_product(*pair), radius_px), [(plane,), (plane, plane)])
    functions = by_rows(function, *means, makes=2)
    slope, offset = each_of(lambda each: window_mean(each, radius_px), functions)
    (smooth,) = by_rows(lambda *rows: (rows[0] * rows[1] + rows[2],), slope, plane, offset, makes=1)
    return smooth


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
