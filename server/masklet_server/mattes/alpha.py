"""Coverage from logits, at any resolution, without an 8-bit step in between.

The network gives logits on a coarse grid (a quarter of its input side). They are a smooth field
whose zero is the object's edge, so the edge is drawn at plate resolution from that field: logits
are interpolated, and how far a pixel lies from the edge is the logit divided by its slope. This is
the anti-aliasing of signed distance fields (C. Green, "Improved Alpha-Tested Magnification", 2007).
A plain sigmoid would draw an edge as wide as the network was unsure, several pixels on HD plates.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.row_blocks import by_rows

# Beyond this the sigmoid is 0 or 1 to a thousandth; wider logits only make interpolation overshoot.
_CLAMP = 24.0
# Sigmoid argument at which coverage is exactly 0 or 1: mattes need clean black and clean white.
_SATURATION = 5.0
# A millionth above the sigmoid there, or rounding would leave specks of 1e-10.
_FLOOR = 1.0 / (1.0 + float(np.exp(_SATURATION))) + 1e-6
# The 10 % to 90 % stretch of a sigmoid, in its argument.
_TEN_TO_NINETY = 2.0 * float(np.log(9.0))


@dataclass(frozen=True)
class EdgeSettings:
    """How a matte's edge looks.

    Attributes:
        width_px: From 10 % to 90 % coverage, in pixels of the picture that is made.
        ramp_cells: A ramp of the logits up to this wide, from 10 % to 90 % and in cells of the
            network's grid, is drawn as such an edge. Wider ones (hair, motion blur) stay soft in
            proportion.
    """

    width_px: float = 1.8
    ramp_cells: float = 6.0


def render_alpha(
    logits: NDArray[np.floating], width_px: int, height_px: int, *, edge: EdgeSettings | None = None
) -> NDArray[np.float32]:
    """Coverage ``(H, W)`` float32, exactly 0 outside and exactly 1 inside.

    Args:
        logits: ``(h, w)``, positive inside; the whole plate is stretched to this grid.
        width_px: W, columns of the result.
        height_px: H, rows of the result.
        edge: How the edge looks.
    """
    low = _clamped(logits)
    if not (low > -_SATURATION).any():
        return np.zeros((height_px, width_px), np.float32)
    alpha = _steepened(low, width_px, height_px, edge or EdgeSettings())
    (alpha,) = by_rows(lambda rows: (_sigmoid(rows),), alpha, makes=1)
    return alpha


def _sigmoid(steep: NDArray[np.float32]) -> NDArray[np.float32]:
    """Coverage, exactly 0 and exactly 1 where the argument is saturated."""
    alpha = np.clip(steep, -_SATURATION, _SATURATION)
    # In place from here on: every temporary costs.
    np.negative(alpha, out=alpha)
    np.exp(alpha, out=alpha)
    alpha += 1.0
    np.reciprocal(alpha, out=alpha)
    alpha -= _FLOOR
    alpha *= 1.0 / (1.0 - 2.0 * _FLOOR)
    return np.clip(alpha, 0.0, 1.0, out=alpha)


def render_preview(
    logits: NDArray[np.floating], width_px: int, height_px: int, *, edge: EdgeSettings | None = None
) -> NDArray[np.uint8]:
    """Coverage ``(H, W)`` uint8, 0 outside and 255 inside: for looking at while tracking.

    Same arguments as :func:`render_alpha`, a few times faster, and never on the way to a file.
    """
    low = _clamped(logits)
    if not (low > -_SATURATION).any():
        return np.zeros((height_px, width_px), np.uint8)
    steep = _steepened(low, width_px, height_px, edge or EdgeSettings())
    # The conversion saturates above and mirrors below zero.
    np.maximum(steep, -_SATURATION, out=steep)
    codes: NDArray[np.uint8] = np.empty(steep.shape, np.uint8)
    cv2.convertScaleAbs(steep, dst=codes, alpha=127.0 / _SATURATION, beta=128.0)
    cv2.LUT(codes, _PREVIEW_TABLE, dst=codes)
    return codes


def render_inside(logits: NDArray[np.floating], width_px: int, height_px: int) -> NDArray[np.uint8]:
    """What is covered by half and more ``(H, W)`` uint8, 255 there and 0 elsewhere.

    Same arguments as :func:`render_preview`, a few times faster again: how wide the edge is does not matter.
    """
    up: NDArray[np.float32] = np.empty((height_px, width_px), np.float32)
    cv2.resize(_clamped(logits), (width_px, height_px), dst=up, interpolation=cv2.INTER_CUBIC)  # (H, W)
    return (up >= 0.0).view(np.uint8) * np.uint8(255)


def _clamped(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Logits ``(h, w)`` that can be reckoned with; what is not a number lies outside."""
    # NumPy widens half floats one by one.
    low: NDArray[np.float32] = np.empty(logits.shape, np.float32)
    cv2.add(logits, 0.0, dst=low, dtype=cv2.CV_32F)  # type: ignore[call-overload]  # knows no numbers
    np.fmax(low, np.float32(-_CLAMP), out=low)
    return np.minimum(low, np.float32(_CLAMP), out=low)


def _steepened(
    low: NDArray[np.float32], width_px: int, height_px: int, edge: EdgeSettings
) -> NDArray[np.float32]:
    """Clamped logits at ``(H, W)``, scaled so that the sigmoid draws edges of the wanted width."""
    # In place where that can be: this runs for every mask on its way.
    rows, columns = low.shape
    # Slope across one pixel of the result. Sobel's kernel weighs eight neighbours.
    slope_x = cv2.Sobel(low, cv2.CV_32F, 1, 0, ksize=3, scale=columns / width_px / 8.0)
    slope_y = cv2.Sobel(low, cv2.CV_32F, 0, 1, ksize=3, scale=rows / height_px / 8.0)
    # cv2.magnitude rounds as the planes happen to lie in memory: the same logits would not always give the
    # same matte.
    np.square(slope_x, out=slope_x)
    np.square(slope_y, out=slope_y)
    slope = np.add(slope_x, slope_y, out=slope_x)
    np.sqrt(slope, out=slope)
    # Smoothed, so that the gain follows the outline and not every cell of the grid.
    slope = cv2.GaussianBlur(slope, (5, 5), 1.2, dst=slope_y)
    least_slope = _TEN_TO_NINETY / edge.ramp_cells * min(columns / width_px, rows / height_px)
    np.maximum(slope, least_slope, out=slope)
    gain = np.divide(_TEN_TO_NINETY / edge.width_px, slope, out=slope)
    np.maximum(gain, 1.0, out=gain)
    size = (width_px, height_px)
    steep: NDArray[np.float32] = np.empty((height_px, width_px), np.float32)
    gain_up: NDArray[np.float32] = np.empty((height_px, width_px), np.float32)
    cv2.resize(low, size, dst=steep, interpolation=cv2.INTER_CUBIC)  # (H, W)
    cv2.resize(gain, size, dst=gain_up, interpolation=cv2.INTER_LINEAR)  # (H, W)
    steep *= gain_up
    return steep


def _preview_table() -> NDArray[np.uint8]:
    argument = (np.arange(256) - 128.0) * (_SATURATION / 127.0)
    alpha = (1.0 / (1.0 + np.exp(-argument)) - _FLOOR) / (1.0 - 2.0 * _FLOOR)
    table: NDArray[np.uint8] = np.clip(np.rint(alpha * 255.0), 0, 255).astype(np.uint8)
    return table


_PREVIEW_TABLE = _preview_table()
