"""Edges from the plate's own pixels: where the network says "about here", the picture says where.

Around the outline a band is left open; inside and outside of it coverage is taken as known. The
guided filter (K. He, J. Sun, X. Tang, "Guided Image Filtering", PAMI 2013) makes coverage a local
linear function of colour; applied again and again with shrinking windows, and with the known parts
put back each time, it approaches the closed-form matte of Levin, Lischinski and Weiss (2008) at
the cost of a few box filters. Where colour does not explain coverage (object and ground look alike,
or there is nothing to see), the network's edge stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.alpha import EdgeSettings, render_alpha

if TYPE_CHECKING:
    from masklet_server.sessions.tracking import FrameSource, ObjectFrame

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class RefineSettings:
    """How far and how hard edges are refined.

    Attributes:
        reach_cells: Half the width of the open band, in cells of the network's grid: how far off
            its outline may be. 1 where the network is exact, 2.4 for hair and fur.
        smoothness: Variance of colour (0 to 1) below which differences are taken for grain.
        contrast: How much of both ends each pass pushes to 0 and 1; keeps repeated filtering from
            ending in a blur.
    """

    reach_cells: float = 1.6
    smoothness: float = 2e-5
    contrast: float = 0.1


# Windows of the passes, in parts of the reach: wide ones carry colour across the band, narrow ones
# then find the edge in it.
_PASSES = (1.2, 1.0, 0.8, 0.6)
# Radius of the narrowest window, in pixels of the picture that the passes run on.
_LEAST_RADIUS = 3
# Coverage that varies less than this in a window has no edge there to explain.
_LEAST_VARIANCE = 1e-4


def refine_alpha(
    alpha: Plane, picture: NDArray[np.uint8], *, cell_px: float, settings: RefineSettings | None = None
) -> Plane:
    """Coverage ``(H, W)`` whose edges follow the picture's.

    Args:
        alpha: ``(H, W)`` coverage as :func:`render_alpha` makes it; stays as it is.
        picture: ``(H, W, 3)`` sRGB.
        cell_px: Side of one cell of the network's grid, in pixels of the plate.
        settings: How far and how hard.
    """
    settings = settings or RefineSettings()
    reach_px = max(1, round(settings.reach_cells * cell_px))
    top, bottom, left, right = _open_box(alpha, margin_px=4 * reach_px)
    if bottom <= top:
        return alpha.copy()
    part = np.ascontiguousarray(alpha[top:bottom, left:right])
    guide = picture[top:bottom, left:right]
    inside, outside = _known(part, reach_px)
    # Windows many pixels wide need not be computed at every pixel (K. He, J. Sun, "Fast Guided
    # Filter", 2015): all passes run on a smaller picture, and only the last one's function of
    # colour is evaluated on the plate itself.
    shrink = max(1, int(reach_px * _PASSES[-1]) // _LEAST_RADIUS)
    small_size = (max(1, part.shape[1] // shrink), max(1, part.shape[0] // shrink))
    small = np.asarray(cv2.resize(part, small_size, interpolation=cv2.INTER_AREA), np.float32)
    small_picture = np.asarray(cv2.resize(guide, small_size, interpolation=cv2.INTER_AREA), np.uint8)
    small_guide = _Guide(small_picture, settings.smoothness)
    small_inside, small_outside = _known(small, max(1, reach_px // shrink))
    for share in _PASSES:
        function = small_guide.fit(small, max(1, round(share * reach_px / shrink)))
        small = _push(function.of(small_guide.channels), settings.contrast)
        small[small_inside] = 1.0
        small[small_outside] = 0.0
    function = function.resized((part.shape[1], part.shape[0]))
    followed = _push(function.of(_channels(guide)), settings.contrast)
    refined = alpha.copy()
    before = refined[top:bottom, left:right]
    changed = ~(inside | outside)
    before[changed] += (function.explained * (followed - before))[changed]
    return refined


class RefinedAlpha:
    """Coverage from logits, with edges from the plate: an ``export.AlphaSource``.

    Args:
        source: The plate. Its last picture is kept, since all objects of a frame come one after
            another.
        edge: How the edge looks before it is refined.
        refine: How far and how hard it is refined.
        is_exact: True for results whose outline is not to be touched, such as a mask that the artist
            drew; none when None.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        edge: EdgeSettings | None = None,
        refine: RefineSettings | None = None,
        is_exact: Callable[[ObjectFrame], bool] | None = None,
    ) -> None:
        self._source = source
        self._edge = edge
        self._refine = refine
        self._is_exact = is_exact or (lambda _: False)
        self._frame: int | None = None
        self._picture: NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)

    def __call__(self, result: ObjectFrame) -> Plane:
        """Coverage ``(H, W)`` at the size of the plate, 0 to 1.

        Raises:
            ClipError: The plate's picture cannot be read.
        """
        clip = self._source.info
        alpha = render_alpha(result.logits, clip.width_px, clip.height_px, edge=self._edge)
        if not alpha.any() or self._is_exact(result):
            return alpha
        if result.frame != self._frame:
            self._picture = as_codes(self._source.read(result.frame))
            self._frame = result.frame
        rows, columns = result.logits.shape
        cell_px = max(clip.width_px / columns, clip.height_px / rows)
        return refine_alpha(alpha, self._picture, cell_px=cell_px, settings=self._refine)


def as_codes(picture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture of a ``FrameSource`` as uint8, whichever of its two forms it has."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.asarray(np.clip(np.rint(picture * 255.0), 0, 255), np.uint8)


@dataclass(frozen=True, eq=False)
class _ColourFunction:
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

    def resized(self, size: tuple[int, int]) -> _ColourFunction:
        """The same function on a grid of another width and height."""
        planes = (*self.slopes, self.offset, self.explained)
        red, green, blue, offset, explained = (
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR), np.float32)
            for plane in planes
        )
        return _ColourFunction((red, green, blue), offset, explained)


class _Guide:
    """A picture prepared for fitting planes to its colours."""

    def __init__(self, picture: NDArray[np.uint8], smoothness: float) -> None:
        self.channels = _channels(picture)
        self._smoothness = smoothness

    def fit(self, plane: Plane, radius_px: int) -> _ColourFunction:
        """The linear function of colour that is nearest to the plane in the window around each pixel."""
        red, green, blue = self.channels
        means = [_mean(channel, radius_px) for channel in self.channels]
        mean_r, mean_g, mean_b = means
        mean_plane = _mean(plane, radius_px)
        # Covariance of the three channels, symmetric, with the smoothness on its diagonal.
        rr = _mean(red * red, radius_px) - mean_r * mean_r + self._smoothness
        rg = _mean(red * green, radius_px) - mean_r * mean_g
        rb = _mean(red * blue, radius_px) - mean_r * mean_b
        gg = _mean(green * green, radius_px) - mean_g * mean_g + self._smoothness
        gb = _mean(green * blue, radius_px) - mean_g * mean_b
        bb = _mean(blue * blue, radius_px) - mean_b * mean_b + self._smoothness
        with_r, with_g, with_b = (
            _mean(channel * plane, radius_px) - mean * mean_plane
            for channel, mean in zip(self.channels, means, strict=True)
        )
        # Cramer's rule on the 3 x 3 system of every pixel at once.
        rr_, rg_, rb_ = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
        gg_, gb_, bb_ = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        # Positive by construction; rounding in flat areas is what the bound is for.
        determinant = np.maximum(rr * rr_ + rg * rg_ + rb * rb_, self._smoothness**3)
        slope_r = (rr_ * with_r + rg_ * with_g + rb_ * with_b) / determinant
        slope_g = (rg_ * with_r + gg_ * with_g + gb_ * with_b) / determinant
        slope_b = (rb_ * with_r + gb_ * with_g + bb_ * with_b) / determinant
        offset = mean_plane - slope_r * mean_r - slope_g * mean_g - slope_b * mean_b
        variance = _mean(plane * plane, radius_px) - mean_plane * mean_plane
        along = slope_r * with_r + slope_g * with_g + slope_b * with_b
        explained = np.clip(along / (variance + _LEAST_VARIANCE), 0.0, 1.0)
        # Every pixel lies in many windows; the mean of their functions is the filter's.
        return _ColourFunction(
            slopes=(_mean(slope_r, radius_px), _mean(slope_g, radius_px), _mean(slope_b, radius_px)),
            offset=_mean(offset, radius_px),
            explained=_mean(np.asarray(explained, np.float32), radius_px),
        )


def _channels(picture: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
    """Red, green and blue of ``(H, W, 3)`` as planes from 0 to 1."""
    scaled = picture.astype(np.float32) / 255.0
    red, green, blue = (np.ascontiguousarray(scaled[..., place]) for place in range(3))
    return red, green, blue


def _known(alpha: Plane, reach_px: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where coverage is surely 1 and surely 0: further than the reach from anything else."""
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    inside = cv2.erode((alpha > 0.98).astype(np.uint8), kernel, borderValue=1).astype(bool)
    outside = cv2.erode((alpha < 0.02).astype(np.uint8), kernel, borderValue=1).astype(bool)
    return inside, outside


def _push(alpha: Plane, contrast: float) -> Plane:
    """Coverage with a little of both ends taken for 0 and 1."""
    alpha -= contrast
    alpha *= 1.0 / (1.0 - 2.0 * contrast)
    return np.clip(alpha, 0.0, 1.0, out=alpha)


def _mean(plane: Plane, radius_px: int) -> Plane:
    side_px = 2 * radius_px + 1
    return np.asarray(cv2.blur(plane, (side_px, side_px), borderType=cv2.BORDER_REFLECT), np.float32)


def _open_box(alpha: Plane, *, margin_px: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of all that is neither surely in nor surely out, with a margin."""
    unsure = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(unsure)
    if not width:
        return 0, 0, 0, 0
    rows, columns = alpha.shape
    return (
        max(0, top - margin_px),
        min(rows, top + height + margin_px),
        max(0, left - margin_px),
        min(columns, left + width + margin_px),
    )
