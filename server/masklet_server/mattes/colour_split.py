"""What tells an object's colours from those of the ground behind it, at every place.

Light mixes linearly: a pixel that the object half covers lies half-way between the colour of the
object and that of the ground. The direction in colour space that separates the two best, given how
much the ground varies (R. A. Fisher's linear discriminant, 1936, with means and covariance of what is
known nearby), therefore reads coverage off colour; and how far known pixels scatter along it says how
far it is to be believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.guided import enlarged, linear, solve_symmetric, window_mean
from masklet_server.mattes.row_blocks import by_rows, each_of

Plane = NDArray[np.float32]
Channels = tuple[Plane, Plane, Plane]

# Variance of linear light that is taken for grain.
_GRAIN = 2e-4
# Each wider window counts this much less: it only fills what narrower ones leave empty.
_WIDER = 1e-3
# Coverage up to which a pixel counts as ground when the ground is measured a second time.
_STILL_GROUND = 0.25


@dataclass(frozen=True, eq=False)
class ColourSplit:
    """Coverage as a linear function of colour, ``(h, w)`` planes on a coarse grid.

    Attributes:
        slopes: Of red, green and blue in linear light.
        offset: Added to them.
        ground_noise: Standard deviation of the function on the ground nearby, where it should be 0.
        object_noise: Likewise on the object, where it should be 1.
    """

    slopes: Channels
    offset: Plane
    ground_noise: Plane
    object_noise: Plane

    def of(self, channels: Channels) -> Plane:
        """Coverage, unbounded, from channels on the split's own grid or on a finer one."""
        size = (channels[0].shape[1], channels[0].shape[0])
        function = each_of(lambda plane: self._at(plane, size), [self.offset, *self.slopes])
        (values,) = by_rows(lambda *rows: (linear(*rows),), *function, *channels, makes=1)
        return values

    def _at(self, plane: Plane, size: tuple[int, int]) -> Plane:
        return plane if plane.shape == (size[1], size[0]) else enlarged(plane, size)


def split_colours(
    channels: Channels, inside: Plane, outside: Plane, *, near_px: float, far_px: float
) -> ColourSplit:
    """The split at every pixel, from pixels that are known.

    Args:
        channels: Red, green and blue ``(h, w)`` in linear light.
        inside: ``(h, w)``, 1 on pixels of the object, else 0.
        outside: Likewise of the ground.
        near_px: How far to look for the ground.
        far_px: How far to look for either where nothing is near.
    """
    object_radii = (2 * near_px, far_px, 2 * far_px)
    ground_radii = (near_px, 3 * near_px, far_px)
    colours = _known_means(channels, inside, object_radii)
    squares = [channels[i] * channels[j] for i, j in _PAIRS]
    ground = outside
    for last in (False, True):
        found = _known_means([*channels, *squares], ground, ground_radii)
        slope_r, slope_g, slope_b, offset = by_rows(_discriminant, *colours, *found, makes=4)
        slopes = (slope_r, slope_g, slope_b)
        split = ColourSplit(slopes, offset, offset, offset)
        values = np.clip(split.of(channels), -1.0, 2.0)
        if not last:
            # Strands were counted as ground; now that they can be seen they no longer are.
            ground = outside * (values < _STILL_GROUND)
    (ground_square,) = _known_means([values * values], ground, (2 * near_px, far_px))
    (object_square,) = _known_means([(values - 1.0) ** 2], inside, (2 * near_px, far_px))
    return ColourSplit(slopes, split.offset, _root(ground_square), _root(object_square))


def _discriminant(*rows: Plane) -> tuple[Plane, ...]:
    """Slopes and offset, from the object's mean colour, the ground's, and means of the ground's products."""
    colours, means, products = rows[:3], rows[3:6], rows[6:]
    rr, rg, rb, gg, gb, bb = (
        product - means[i] * means[j] for product, (i, j) in zip(products, _PAIRS, strict=True)
    )
    red, green, blue = (own - mean for own, mean in zip(colours, means, strict=True))
    slopes = solve_symmetric((rr, rg, rb, gg, gb, bb), (red, green, blue), smoothness=_GRAIN)
    # Of the object's mean colour the function shall be 1.
    scale = 1.0 / np.maximum(slopes[0] * red + slopes[1] * green + slopes[2] * blue, np.float32(1e-6))
    offset = np.zeros_like(red)
    slopes = (slopes[0] * scale, slopes[1] * scale, slopes[2] * scale)
    for slope, mean in zip(slopes, means, strict=True):
        offset -= slope * mean
    return *slopes, offset


def _root(square: Plane) -> Plane:
    # Rounding in the window means can fall below zero.
    root: Plane = np.sqrt(np.maximum(square, np.float32(0)))
    return root


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _known_means(planes: Sequence[Plane], known: Plane, radii_px: Sequence[float]) -> list[Plane]:
    """Means of the known pixels around each pixel, from the narrowest window that has some."""
    shares: list[np.float32] = []
    weight = np.full_like(known, 1e-12)
    share = np.float32(1.0)
    for radius in radii_px:
        weight += share * window_mean(known, max(1, round(radius)))
        shares.append(share)
        share *= np.float32(_WIDER)

    def mean(plane: Plane) -> Plane:
        total, seen = np.zeros_like(plane), plane * known
        for radius, own in zip(radii_px, shares, strict=True):
            total += own * window_mean(seen, max(1, round(radius)))
        return np.asarray(np.divide(total, weight, out=total), np.float32)

    return each_of(mean, planes)
