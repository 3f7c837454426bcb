"""How wide an object's edges are in the plate: motion blur and lenses make ramps wider than the band.

Across the outline, every few pixels, the plate's colours are read along the normal, from the ground's to
the object's, and compared with ramps of several widths and places. A width counts only where the ramp
explains the colours much better than a sharp edge at its best place does, and where most of the outline
around agrees: texture, corners and neighbours in between look like anything once.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.guided import enlarged, window_mean

Plane = NDArray[np.float32]
Channels = tuple[Plane, Plane, Plane]

# Samples along a normal, and how many of them at either end stand for pure ground and pure object.
_SAMPLES, _ENDS = 61, 9
# Between points on the outline, in parts of the normals' reach, and their most.
_SPACING, _MOST_POINTS = 0.08, 1500
# Points to either side that have a say in a point's width.
_AROUND = 6
# Widths and places that are tried, in parts of the reach.
_WIDTHS = (0.04, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1)
_PLACES = np.linspace(-0.4, 0.4, 17)
# Squared distance of ground and object in linear light that says something about an edge between them.
_LEAST_APART = 0.006
# Samples over which steps are measured, how much steeper than its ramp an edge may be anywhere, and how
# much more for grain.
_STEP, _STEEPEST, _UNEVEN = 5, 1.5, 0.1
# Beside how ground and object vary along the outline, over so many points to either side: texture makes
# ramps too.
_SCATTER, _SCATTER_AROUND = 4.0, 24
# A ramp's error by that of a sharp edge, and its mean square, beyond which it is not taken for one.
_EXPLAINS, _LEAST_FIT = 0.4, 0.02


def edge_width(alpha: Plane, light: Channels, *, reach_px: float) -> Plane:
    """Width of the object's edges in pixels, ``(H, W)``: that of the nearest, 0 where it is not wide.

    Args:
        alpha: ``(H, W)`` coverage, right about where the outline runs.
        light: The plate's channels in linear light, ``(H, W)`` each.
        reach_px: How far off the outline colours are compared; edges up to a little wider are measured.
    """
    points, normals = _outline(alpha, max(2, round(_SPACING * reach_px)))
    if not len(points):
        return np.zeros_like(alpha)
    widths = _measure(points, normals, light, reach_px)
    return _spread(points, _agreed(widths), (alpha.shape[0], alpha.shape[1]), reach_px)


def _outline(alpha: Plane, spacing_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points x, y on the outline in its order, and unit normals that point inwards, ``(P, 2)`` each."""
    contours, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    total = sum(len(contour) for contour in contours)
    step = max(spacing_px, total // _MOST_POINTS + 1)
    chosen = [contour[::step, 0] for contour in contours if len(contour) >= 4 * step]
    if not chosen:
        empty = np.zeros((0, 2), np.float32)
        return empty, empty
    points = np.concatenate(chosen).astype(np.float32)
    height, width = alpha.shape
    # What leaves the frame has no edge there.
    within = (points > 1).all(axis=1) & (points[:, 0] < width - 2) & (points[:, 1] < height - 2)
    points = points[within]
    smooth = window_mean(window_mean(alpha, 2 * spacing_px), 2 * spacing_px)
    at = points.astype(np.int32)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[at[:, 1], at[:, 0]]
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[at[:, 1], at[:, 0]]
    normals = np.stack([slope_x, slope_y], axis=-1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return points, normals.astype(np.float32)


def _measure(
    points: NDArray[np.float32], normals: NDArray[np.float32], light: Channels, reach_px: float
) -> NDArray[np.float32]:
    """Width at each point in pixels, 0 where the edge is sharp, NaN where nothing can be said."""
    offsets = np.linspace(-1.0, 1.0, _SAMPLES, dtype=np.float32)
    at = points[:, None] + normals[:, None] * (offsets * reach_px)[None, :, None]  # (P, S, 2)
    at_x, at_y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    colours = np.stack(
        [cv2.remap(each, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for each in light],
        axis=-1,
    )  # (P, S, 3)
    ground, object_ = colours[:, :_ENDS].mean(axis=1), colours[:, -_ENDS:].mean(axis=1)
    apart = object_ - ground
    square = np.sum(apart * apart, axis=-1)
    values = np.einsum("psc,pc->ps", colours - ground[:, None], apart) / np.maximum(square, 1e-6)[:, None]
    values = np.clip(values, -0.5, 1.5)
    ramps = np.clip(
        0.5 + (offsets - _PLACES[None, :, None]) / np.array(_WIDTHS)[:, None, None], 0.0, 1.0
    )  # (widths, places, S)
    errors = (
        np.mean(values * values, axis=-1)[:, None, None]
        - 2.0 / _SAMPLES * np.einsum("ps,wks->pwk", values, ramps)
        + np.mean(ramps * ramps, axis=-1)
    ).min(axis=-1)  # (P, widths)
    best = errors.argmin(axis=1)
    least = errors[np.arange(len(errors)), best]
    wide = (best > 0) & (least < _EXPLAINS * errors[:, 0])
    # A sharp edge between textures passes for a ramp by its ends, but not by its steepest part.
    even = cv2.blur(values, (3, 1))
    steps = np.abs(even[:, _STEP:] - even[:, :-_STEP]).max(axis=1)
    expected = np.minimum(1.0, _STEP * (2.0 / (_SAMPLES - 1)) / np.array(_WIDTHS)[best])
    wide &= steps < _STEEPEST * expected + _UNEVEN
    widths = np.where(wide, np.array(_WIDTHS)[best] * reach_px, 0.0)
    scatter = _scatter(ground) + _scatter(object_)
    widths[(square < np.maximum(_LEAST_APART, _SCATTER * scatter)) | (least > _LEAST_FIT)] = np.nan
    return widths.astype(np.float32)


def _scatter(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Variance of ``(P, 3)`` colours along the outline, channels added up."""
    around = min(_SCATTER_AROUND, max(1, len(colours) // 2 - 1))
    padded = np.pad(colours, ((around, around), (0, 0)), mode="wrap")
    size = (1, 2 * around + 1)
    mean = cv2.blur(padded, size)[around:-around]
    square = cv2.blur(padded * padded, size)[around:-around]
    return np.asarray(np.maximum(square - mean * mean, 0.0).sum(axis=-1), np.float32)


def _agreed(widths: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median around each point; 0 where too few have anything to say."""
    padded = np.pad(widths, _AROUND, mode="wrap") if len(widths) > 2 * _AROUND else widths
    if len(padded) == len(widths):
        return np.zeros_like(widths)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    known = np.isfinite(around)
    # Unknown counts as sharp, so that it takes a majority that is sure.
    median = np.median(np.where(known, around, 0.0), axis=-1)
    return np.asarray(median, np.float32)


def _spread(
    points: NDArray[np.float32], widths: NDArray[np.float32], shape: tuple[int, int], reach_px: float
) -> Plane:
    """Widths at points as a plane on which each pixel has the mean of the points nearby."""
    if not widths.any():
        return np.zeros(shape, np.float32)
    shrink = max(1, round(reach_px / 8))
    small = (max(1, -(-shape[0] // shrink)), max(1, -(-shape[1] // shrink)))
    total, count = np.zeros(small, np.float32), np.zeros(small, np.float32)
    row, column = (points[:, 1] / shrink).astype(int), (points[:, 0] / shrink).astype(int)
    np.add.at(total, (row, column), widths)
    np.add.at(count, (row, column), 1.0)
    radius_px = max(1, round(0.5 * reach_px / shrink))
    for _ in range(2):
        total, count = window_mean(total, radius_px), window_mean(count, radius_px)
    near = np.where(count > 1e-5, total / np.maximum(count, np.float32(1e-6)), np.float32(0))
    return enlarged(np.asarray(near, np.float32), (shape[1], shape[0]))
