"""Edges from the plate's own pixels: where the network says "about here", the picture says where.

Around the outline a band is left open; inside and outside of it coverage is taken as known. The
guided filter (K. He, J. Sun, X. Tang, "Guided Image Filtering", PAMI 2013) makes coverage a local
linear function of colour; applied again and again with shrinking windows, and with the known parts
put back each time, it approaches the closed-form matte of Levin, Lischinski and Weiss (2008) at
the cost of a few box filters. Where colour does not explain coverage (object and ground look alike,
or there is nothing to see), the network's edge stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.colour_split import split_colours
from masklet_server.mattes.guided import Guide, enlarged, linear, reduced, smoothed_by_itself
from masklet_server.mattes.row_blocks import by_rows
from masklet_server.mattes.softness import edge_width
from masklet_server.mattes.strands import find_beyond

Plane = NDArray[np.float32]
Channels = tuple[Plane, Plane, Plane]


@dataclass(frozen=True)
class RefineSettings:
    """How far and how hard edges are refined.

    Attributes:
        reach_cells: Half the width of the open band, in cells of the network's grid: how far off
            its outline may be. 1 where the network is exact, 2.4 for hair and fur.
        smoothness: Variance of colour (0 to 1) below which differences are taken for grain.
        contrast: How much of both ends each pass pushes to 0 and 1; keeps repeated filtering from
            ending in a blur.
        strand_reach: How far beyond the band hair, wires and motion blur are followed, in parts of
            the plate's longer side; 0 for not at all.
        blur_reach: How wide edges are that are looked for at least, in parts of the plate's longer side:
            where motion or the lens has made them wider than the band, the band is widened; 0 for not at all.
    """

    reach_cells: float = 1.6
    smoothness: float = 2e-5
    contrast: float = 0.1
    strand_reach: float = 0.11
    blur_reach: float = 0.016


# Windows of the passes, in parts of the reach: wide ones carry colour across the band, narrow ones
# then find the edge in it.
_PASSES = (1.2, 1.0, 0.8, 0.6)
# Radius of the narrowest window, in pixels of the picture that the passes run on.
_LEAST_RADIUS = 3
# Where colours are looked for, near and at most, in parts of the plate's longer side: strands are followed
# further, but what tells them from the ground is told best from close by.
_COLOURS_NEAR, _COLOURS_FAR = 0.012, 0.06
# The grid on which colours are split is at most this much coarser than the plate.
_MOST_SHRINK = 4
# Coverage read off colour is evened out in windows of this radius where it varies less than this.
_GRAIN_RADIUS = 3
_GRAIN_VARIANCE = 1e-3
# Edges are wide beyond this part of the band's half width; twice as wide they are nothing but ramps.
_WIDE = 0.5
# Of an edge's measured width, how far its band reaches to either side beyond the network's error, and the
# deviation of the filter that evens out grain in it.
_RAMP_SHARE, _GRAIN_SHARE = 0.6, 0.08
# Of both ends of a ramp hardly anything is pushed to 0 and 1, or it would come out too steep.
_RAMP_CONTRAST = 0.03
# A half of the step of 8 bits is not to be seen.
_LEAST_COVERAGE = 1.0 / 512.0
# sRGB codes to linear light; a power is near enough to the true curve.
_CODES = np.arange(256, dtype=np.float32) / np.float32(255.0)
_LINEAR = np.power(np.arange(256, dtype=np.float32) / 255.0, np.float32(2.2))


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
    side_px = max(alpha.shape)
    strands_px = settings.strand_reach * side_px
    top, bottom, left, right = _open_box(alpha, margin_px=round(max(4 * reach_px, 1.2 * strands_px)))
    if bottom <= top:
        return alpha.copy()
    part = np.ascontiguousarray(alpha[top:bottom, left:right])
    guide = picture[top:bottom, left:right]
    light = _linear_channels(guide)
    refined = alpha.copy()
    followed = _followed(part, _channels(guide), reach_px, settings)
    soft = _softness(part, light, reach_px, blur_px=settings.blur_reach * side_px)
    widest_px = float(soft.max())
    ramps = followed
    if widest_px > 0:
        ramps = _ramps(part, light, reach_px, soft, settings)
    if strands_px >= 1:
        followed = _read_off(part, followed, light, cell_px, reach_px, strands_px, side_px)
    if widest_px > 0:
        # A ramp that is all there is has neither strands nor grain.
        share = np.clip(soft / (_WIDE * reach_px) - 1.0, 0.0, 1.0)
        followed += share * (ramps - followed)
    # Coverage that no display shows is rounding, which differs from run to run.
    followed[followed < _LEAST_COVERAGE] = 0.0
    refined[top:bottom, left:right] = followed
    return refined


def _followed(part: Plane, channels: Channels, reach_px: int, settings: RefineSettings) -> Plane:
    """Coverage in the open band by guided filters; elsewhere as it is."""
    inside, outside = _known(part, reach_px)
    # Windows many pixels wide need not be computed at every pixel (K. He, J. Sun, "Fast Guided
    # Filter", 2015): all passes run on a smaller picture, and only the last one's function of
    # colour is evaluated on the plate itself.
    shrink = max(1, int(reach_px * _PASSES[-1]) // _LEAST_RADIUS)
    small_size = (max(1, part.shape[1] // shrink), max(1, part.shape[0] // shrink))
    small = reduced(part, small_size)
    red, green, blue = (reduced(channel, small_size) for channel in channels)
    small_guide = Guide((red, green, blue), settings.smoothness)
    small_inside, small_outside = _known(small, max(1, reach_px // shrink))
    for share in _PASSES:
        function = small_guide.fit(small, max(1, round(share * reach_px / shrink)))
        small = _push(function.of(small_guide.channels), settings.contrast)
        small[small_inside] = 1.0
        small[small_outside] = 0.0
    function = function.resized((part.shape[1], part.shape[0]))

    def blend(
        before: Plane, inner: NDArray[np.bool_], outer: NDArray[np.bool_], explained: Plane, *terms: Plane
    ) -> tuple[Plane]:
        values = _push(linear(*terms), settings.contrast)
        return (np.where(inner | outer, before, before + explained * (values - before)),)

    planes = (part, inside, outside, function.explained, function.offset, *function.slopes, *channels)
    (followed,) = by_rows(blend, *planes, makes=1)
    return followed


def _softness(part: Plane, light: Channels, reach_px: int, *, blur_px: float) -> Plane:
    """Width of the plate's edges in pixels where it is more than the band is made for, elsewhere 0."""
    if blur_px <= 0:
        return np.zeros_like(part)
    width_px = edge_width(part, light, reach_px=max(2.5 * reach_px, blur_px))
    width_px[width_px <= _WIDE * reach_px] = 0.0
    return width_px


def _ramps(part: Plane, light: Channels, reach_px: int, width_px: Plane, settings: RefineSettings) -> Plane:
    """Coverage in a band as wide as the widest edge, without grain.

    In linear light: that is where a shutter mixes, so a ramp's half coverage is not at half the codes.
    """
    widest_px = float(np.percentile(width_px[width_px > 0], 95))
    settings = replace(settings, contrast=_RAMP_CONTRAST)
    ramps = _followed(part, light, round(reach_px + _RAMP_SHARE * widest_px), settings)
    return np.asarray(cv2.GaussianBlur(ramps, (0, 0), max(0.5, _GRAIN_SHARE * widest_px)), np.float32)


def _read_off(
    part: Plane,
    followed: Plane,
    light: Channels,
    cell_px: float,
    reach_px: int,
    strands_px: float,
    side_px: int,
) -> Plane:
    """Coverage read off colour where colour tells object from ground, in the band and beyond it."""
    shrink = max(1, min(_MOST_SHRINK, round(max(cell_px / 4, strands_px / 100))))
    size = (part.shape[1], part.shape[0])
    small_size = (max(1, size[0] // shrink), max(1, size[1] // shrink))
    red, green, blue = (reduced(channel, small_size) for channel in light)
    before, after = reduced(part, small_size), reduced(followed, small_size)
    small_cell_px, small_reach_px = cell_px / shrink, strands_px / shrink
    inside = ((after > 0.95) & (before > 0.05)).astype(np.uint8)
    outside = ((after < 0.05) & (before < 0.95)).astype(np.uint8)
    # A little off the edge, which is where known pixels are known least.
    off_px = 2 * max(1, round(0.4 * small_cell_px)) + 1
    split = split_colours(
        (red, green, blue),
        cv2.erode(inside, np.ones((3, 3), np.uint8)).astype(np.float32),
        cv2.erode(outside, np.ones((off_px, off_px), np.uint8)).astype(np.float32),
        near_px=max(1.5 * small_cell_px, _COLOURS_NEAR * side_px / shrink),
        far_px=_COLOURS_FAR * side_px / shrink,
    )
    small_inside, small_outside = _known(before, max(1, reach_px // shrink))
    band = ~(small_inside | small_outside)
    beyond = find_beyond(
        split.of((red, green, blue)),
        split,
        before,
        band,
        after,
        cell_px=small_cell_px,
        reach_px=small_reach_px,
    )
    values = smoothed_by_itself(split.of(light), _GRAIN_RADIUS, variance=_GRAIN_VARIANCE)
    # What known pixels scatter is taken for 0 and for 1.
    low = enlarged(np.minimum(split.ground_noise, np.float32(0.4)), size)
    high = enlarged(1 - np.minimum(split.object_noise, np.float32(0.4)), size)
    trust, outside_ = enlarged(beyond.trust, size), enlarged(beyond.outside, size)

    def add(own: Plane, read: Plane, least: Plane, most: Plane, share: Plane, where: Plane) -> tuple[Plane]:
        read = np.clip((read - least) / (most - least), 0.0, 1.0)
        return (np.maximum(own, share * where * read),)

    (joined,) = by_rows(add, followed, values, low, high, trust, outside_, makes=1)
    return joined


def as_codes(picture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture of a ``FrameSource`` as uint8, whichever of its two forms it has."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.asarray(np.clip(np.rint(picture * 255.0), 0, 255), np.uint8)


def _linear_channels(picture: NDArray[np.uint8]) -> Channels:
    """Red, green and blue of ``(H, W, 3)`` sRGB as planes of linear light, 0 to 1."""
    red, green, blue = (np.asarray(cv2.LUT(plane, _LINEAR), np.float32) for plane in cv2.split(picture))
    return red, green, blue


def _channels(picture: NDArray[np.uint8]) -> Channels:
    """Red, green and blue of ``(H, W, 3)`` as planes from 0 to 1."""
    red, green, blue = (np.asarray(cv2.LUT(plane, _CODES), np.float32) for plane in cv2.split(picture))
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
